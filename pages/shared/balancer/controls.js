// The settings of a recipe as a person moves them: sliders with exact numbers beside them.

import { countOf, roundStep, shortened, wholeDollars } from "./format.js";
import { choice, html, setText } from "./elements.js";
import { SLOTS } from "./plan.js";

const HIGHEST = 2 ** 53 - 1;      // the largest whole number that a browser holds exactly
const MOST_WEIGHT = 10;           // where a weight's slider ends; its number goes on
const [LEAST_WEIGHT, LARGEST_WEIGHT] = [1e-100, 1e100];
const LONGEST_LABEL = 34;
const STEEPEST = 4;
const SHAPES = [
  ["cap", "Cap"],
  ["flat", "Flat"],
  ["power", "Power"],
  ["log-uniform", "Log-uniform"],
  ["by-price", "By price"],
];
const USUAL_EXPONENTS = { power: 1, "by-price": 2 };

let made = 0;

// A slider and its exact number, in step. `read` and `write` lie between it and the settings.
function createPair(control, tell) {
  const name = `balancer-${++made}`;
  const range = html("input", { type: "range", id: name, step: control.step, "data-name": control.name });
  const number = html("input", {
    type: "number", step: control.step, inputmode: control.step < 1 ? "decimal" : "numeric", "data-name": control.name,
    "aria-label": `${control.label}, exactly`, title: control.hint,
  });
  const label = html("label", { for: name, title: control.label }, shortened(control.label, LONGEST_LABEL));
  const exact = html("span", { class: control.dollars ? "exact dollars" : "exact" }, number);
  const element = html("div", { class: "pair" }, label, range, exact);
  let inHand = false;
  let pressed = false; // a key is down: what it moves, again and again, is told once it is let go

  function show(typing = false) {
    const { low, high, most } = { high: HIGHEST, ...control.limits() };
    const value = control.read();
    const asNumber = value ?? control.instead();
    Object.assign(range, { min: low, max: most });
    Object.assign(number, { min: low, max: high === HIGHEST || high === LARGEST_WEIGHT ? "" : high });
    range.value = asNumber;
    range.style.setProperty("--full", `${(100 * (range.value - low)) / (most - low || 1)}%`);
    range.setAttribute("aria-valuetext", control.words(asNumber));
    number.placeholder = value === null ? asNumber : "";
    if (!typing) number.value = value ?? "";
  }

  function take(value) {
    const { low, high } = { high: HIGHEST, ...control.limits() };
    const rounded = control.step < 1 ? Number(value.toPrecision(12)) : Math.round(value);
    control.write(Math.min(high, Math.max(low, rounded)));
  }

  function letGo() {
    inHand = pressed = false;
    tell.released();
  }

  // What the hand is on stays there while other settings change: called later, this puts it back.
  function hold() {
    const value = control.read();
    return inHand ? () => control.write(value) : () => {};
  }

  range.addEventListener("input", () => {
    take(range.valueAsNumber);
    show();
    tell.moved();
  });
  range.addEventListener("change", () => pressed || tell.released());
  for (const input of [range, number]) {
    input.addEventListener("keydown", () => (pressed = true));
    input.addEventListener("keyup", () => pressed && letGo());
    input.addEventListener("blur", letGo);
  }
  range.addEventListener("pointerdown", () => {
    inHand = true;
    for (const end of ["pointerup", "pointercancel"]) window.addEventListener(end, letGo, { once: true });
  });
  number.addEventListener("input", () => {
    if (number.validity.badInput || (number.value === "" && !control.optional)) return; // not yet a number
    if (number.value === "") control.write(null);
    else take(number.valueAsNumber);
    show(true);
    tell.moved();
  });
  number.addEventListener("change", () => {
    show();
    if (!pressed) tell.released();
  });
  return { element, show, hold };
}

// All controls for a pool. `settings` is the one object that they read and write.
export function createControls(pool, settings, tell) {
  const remembered = { ...pool.usual, kept: tell.size }; // what comes back with the cap, or with a shape
  const pairs = [];
  const pair = (control) => {
    pairs.push(createPair({ optional: false, instead: () => 0, ...control }, tell));
    return pairs.at(-1).element;
  };
  const step = Math.max(1, roundStep(pool.size / 200, 2));
  const target = (name) => ({
    read: () => settings.target?.[name] ?? 1,
    write: (value) => settings.target && (settings.target = { ...settings.target, [name]: value }),
  });

  const cutoff = pair({
    name: "cutoff", label: "Cutoff: keep every item from", step: 1, dollars: true, words: wholeDollars,
    limits: () => ({ low: 1, high: SLOTS, most: SLOTS }),
    read: () => settings.cutoff, write: (value) => (settings.cutoff = value),
  });
  const shape = choice("What each slot below the cutoff keeps", `shape-${++made}`, SHAPES, "cap", (chosen) => {
    reshape(settings, chosen, remembered);
    show();
    tell.moved();
    tell.released();
  });
  const cap = pair({
    name: "cap", label: "Cap: items in a slot below it", step: 1, words: (value) => countOf(value, "item"),
    limits: () => ({ low: 1, most: pool.most_cap }),
    read: () => settings.cap ?? 1, write: (value) => settings.target || (settings.cap = value),
  });
  const size = pair({
    name: "size", label: "Size: items in all", step: 1, words: (value) => countOf(value, "item"),
    limits: () => ({ low: 1, most: Math.max(10, step * Math.ceil(pool.size / step)) }), ...target("size"),
  });
  const exponent = pair({
    name: "exponent", label: "Power of the price", step: 0.1, words: (value) => `price to the power ${value}`,
    limits: () => ({ low: settings.target?.shape === "by-price" ? 0 : -STEEPEST, high: STEEPEST, most: STEEPEST }),
    ...target("exponent"),
  });
  const words = html("p", { class: "words" });
  const weight = (category) => ({
    name: `weight-${category}`, label: pool.names[category], step: 0.1, words: (value) => `weight ${value}`,
    limits: () => ({ low: 0, high: LARGEST_WEIGHT, most: MOST_WEIGHT }),
    read: () => settings.weights[category], write: (value) => (settings.weights[category] = proper(value)),
  });
  const places = Array.from(pool.names.keys());
  const weights = places.slice(0, pool.sliders).map((category) => pair(weight(category)));
  const rest = places.slice(pool.sliders);
  const others = rest.length
    ? [
        pair({
          ...weight(-1), name: "others", label: "All other categories",
          read: () => settings.others, write: (value) => (settings.others = proper(value)),
        }),
        html(
          "details",
          {},
          html("summary", {}, `${rest.length} others`),
          ...rest.map((category) =>
            pair({ ...weight(category), optional: true, instead: () => settings.others, hint: "Empty: as all others" }),
          ),
        ),
      ]
    : [];
  const seed = html("input", { type: "number", min: 0, step: 1, id: `balancer-${++made}`, "data-name": "seed" });
  seed.addEventListener("change", () => {
    const whole = Math.round(seed.valueAsNumber);
    if (Number.isFinite(whole)) settings.seed = Math.min(HIGHEST, Math.max(0, whole));
    seed.value = settings.seed;
    tell.released();
  });

  function show() {
    const kind = settings.target?.shape ?? "cap";
    shape.set(kind);
    for (const each of pairs) each.show();
    cutoff.hidden = kind === "by-price";
    cap.hidden = kind !== "cap";
    size.hidden = kind === "cap";
    exponent.hidden = !(kind in USUAL_EXPONENTS);
    words.hidden = kind === "cap";
    setText(question, kind === "by-price" ? "What is kept" : "Below it, each slot keeps");
    seed.value = settings.seed;
  }

  const question = html("span");
  const shapes = html("div", { class: "shape" }, question, shape.element);
  const element = html(
    "div",
    { class: "controls" },
    html("div", { class: "slots" }, cutoff, shapes, cap, size, exponent, words),
    html(
      "div",
      { class: "weights", role: "group", "aria-label": "Weight of a category" },
      html("h4", { title: "An item of weight 2 is drawn twice as eagerly; 0 means never." }, "Weight of a category"),
      ...weights,
      ...others,
    ),
    html("div", { class: "seed" }, html("label", { for: seed.id }, "Seed"), seed),
  );
  function hold() {
    const held = pairs.map((each) => each.hold());
    return () => held.forEach((putBack) => putBack());
  }
  return { element, show, hold, say: (text) => setText(words, text) };
}

// Change from a cap to a target or to another shape, as near to what was set before as that goes.
function reshape(settings, chosen, remembered) {
  const { cutoff, cap, target } = settings;
  if (target) remembered.size = target.size;
  else Object.assign(remembered, { cap, cutoff });
  if (chosen === "cap") {
    Object.assign(settings, { target: null, cap: remembered.cap, cutoff: remembered.cutoff });
  } else {
    const size = remembered.size ?? Math.max(1, remembered.kept());
    const exponent = USUAL_EXPONENTS[chosen] ?? 0;
    Object.assign(settings, { target: { shape: chosen, size, exponent }, cap: null });
    if (!target || chosen === "by-price") settings.cutoff = SLOTS; // a shape is usually for all prices
  }
}

// A weight that a recipe takes: 0, or one that no draw times or over it leaves the range of numbers.
function proper(weight) {
  return weight ? Math.max(LEAST_WEIGHT, weight) : weight;
}
