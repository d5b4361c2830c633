// What stands where: undo and redo, the controls, key figures, the histogram and its head, categories.

import { createBars, createDonut, folded, totalsOf } from "./categories.js";
import { createControls } from "./controls.js";
import { choice, html, setText, swatch } from "./elements.js";
import { count, countOf, dollars, percent, wholeDollars } from "./format.js";
import { createHistogram } from "./histogram.js";
import { SLOTS } from "./plan.js";

const HIGHEST_SLOT = SLOTS - 1;
const SHAPE_WORDS = {
  flat: () => "Every slot alike",
  "log-uniform": () => "Alike on a logarithmic scale of prices",
  power: (exponent) => `In proportion to price to the power ${exponent}`,
  "by-price": (exponent) => `Drawn by price to the power ${exponent}`,
};

// All parts for a pool; `settings` is read and written by the controls, `tell` hears what the hand does.
export function createLayout(pool, settings, tell) {
  const controls = createControls(pool, settings, tell);
  const steps = createSteps(tell);
  const figures = createFigures(pool);
  const hero = createHero(pool, tell);
  const shares = createShares(pool);
  const summary = html("p", { class: "summary", "aria-live": "polite" });
  return {
    controls,
    elements: [
      html("div", { class: "left" }, steps.element, controls.element),
      html("div", { class: "right" }, figures.element, hero.element, shares.element),
      summary,
    ],
    plots: [hero.plot, shares.plot],
    say: (words) => setText(summary, words),
    draw(plan, view, overlay, moving, history) {
      steps.draw(history);
      controls.say(missing(plan, settings));
      figures.draw(plan);
      hero.draw(plan, settings, view, overlay, moving);
      shares.draw(plan, moving);
    },
  };
}

function createSteps(tell) {
  const button = (word, mark, keys, by) => {
    const properties = { type: "button", title: `${word} (${keys})`, click: () => tell.step(by) };
    return html("button", properties, html("i", { "aria-hidden": "true" }, mark), word);
  };
  const [undo, redo] = [button("Undo", "↶", "Ctrl+Z", -1), button("Redo", "↷", "Ctrl+Shift+Z", 1)];
  return {
    element: html("div", { class: "steps", role: "group", "aria-label": "Settings before and after" }, undo, redo),
    draw({ place, steps }) {
      undo.disabled = place <= 0;
      redo.disabled = place >= steps - 1;
    },
  };
}

function createFigures(pool) {
  const figure = (name) => {
    const [value, note] = [html("span"), html("small")];
    const element = html("div", {}, html("dt", {}, name), html("dd", {}, value, note));
    const draw = (text, below) => {
      setText(value, text);
      setText(note, below);
    };
    return { element, draw };
  };
  const [items, mean, median, distance] = ["Items", "Mean price", "Median price", "Distance from market"].map(figure);
  return {
    element: html("dl", { class: "figures" }, ...[items, mean, median, distance].map((each) => each.element)),
    draw(plan) {
      const about = (exact) => (exact ? "" : "about, ");
      const byCategory = `category ${percent(plan.categoryDistance)}`;
      items.draw(count(plan.size), `of ${count(pool.size)} (${percent(plan.size / (pool.size || 1))})`);
      mean.draw(dollars(plan.priceMean), `${about(plan.exact)}was ${dollars(pool.priceMean)}`);
      median.draw(wholeDollars(plan.priceMedian), `${about(plan.exactSlots)}was ${wholeDollars(pool.priceMedian)}`);
      distance.draw(percent(plan.priceDistance), plan.exact ? `by price, ${byCategory}` : `about, ${byCategory}`);
    },
  };
}

function createHero(pool, tell) {
  const histogram = createHistogram((slot) => tell.looked({ slot }));
  const scales = [["log", "Log"], ["linear", "Linear"]];
  const scale = choice("Counts", "scale", scales, "log", (chosen) => tell.looked({ scale: chosen }));
  const title = html("span");
  const badge = pool.generated ? [html("span", { class: "badge" }, "generated")] : [];
  const [wished, overlaid, words] = [swatch("wished", "line wished"), swatch("", "line overlay"), html("span")];
  const listed = html("a", { href: "#", click: goToItems });
  const keys = [swatch("before", "before"), swatch("after", "after"), wished, overlaid];
  const note = html("p", { class: "note" }, ...keys, words, listed);
  const range = createRange(tell);
  const element = html(
    "section",
    { class: "hero" },
    html("div", { class: "head" }, html("div", {}, html("h3", {}, title, ...badge), note), scale.element),
    histogram.element,
    range.element,
  );
  return {
    element,
    plot: histogram.element,
    draw(plan, settings, view, overlay, moving) {
      setText(title, finding(pool, plan, settings));
      wished.hidden = !plan.wished;
      overlaid.hidden = !overlay;
      if (overlay) setText(overlaid.lastChild, overlay.name);
      setText(words, `items in each whole-dollar slot, ${view.scale} scale`);
      setText(listed, view.slot ? `items at ${wholeDollars(view.slot)} are listed below` : "");
      scale.set(view.scale);
      range.draw(view);
      histogram.draw(pool, plan, settings, view, overlay, moving);
    },
  };
}

// Two sliders on one track: the lowest and the highest price that the histogram shows.
function createRange(tell) {
  const [low, high] = ["Lowest", "Highest"].map((name) =>
    html("input", { type: "range", min: 1, max: HIGHEST_SLOT, "aria-label": `${name} price shown` }),
  );
  const track = html("div", { class: "two" }, low, high);
  const [from, to] = [html("output"), html("output")];
  const take = (released) => {
    const [a, b] = [low.valueAsNumber, high.valueAsNumber].sort((one, other) => one - other);
    tell.looked(a < b ? { low: a, high: b } : { low: Math.max(1, a - 1), high: Math.max(2, b) }, released);
  };
  for (const input of [low, high]) {
    input.addEventListener("input", () => take(false));
    input.addEventListener("change", () => take(true));
  }
  return {
    element: html("div", { class: "range" }, html("span", {}, "Prices shown"), from, track, to),
    draw(view) {
      const [a, b] = [low, high].map((input) => input.valueAsNumber).sort((one, other) => one - other);
      if (a !== view.low || b !== view.high) [low.value, high.value] = [view.low, view.high];
      setText(from, wholeDollars(view.low));
      setText(to, wholeDollars(view.high));
      for (const input of [low, high]) input.setAttribute("aria-valuetext", wholeDollars(input.valueAsNumber));
      track.style.setProperty("--from", `${(100 * (view.low - 1)) / (HIGHEST_SLOT - 1)}%`);
      track.style.setProperty("--to", `${(100 * (view.high - 1)) / (HIGHEST_SLOT - 1)}%`);
    },
  };
}

function createShares(pool) {
  const groups = folded(pool.names, pool.totals);
  const bars = createBars(groups, totalsOf(groups, pool.totals));
  const donut = createDonut(pool.names);
  const [about, aboutShare] = [html("span"), html("span")];
  const head = (title, ...note) => html("div", {}, html("h3", {}, title), html("p", { class: "note" }, ...note));
  const keys = [swatch("before", "track"), swatch("after", "after")];
  return {
    element: html(
      "div",
      { class: "shares" },
      html("section", {}, head("Items per category", ...keys, about), bars.element),
      html("section", {}, head("The sample, by category", aboutShare), donut.element),
    ),
    plot: donut.element,
    draw(plan, moving) {
      setText(about, plan.exact ? "" : "about");
      setText(aboutShare, `share of items after${plan.exact ? "" : ", about"}`);
      bars.draw(totalsOf(groups, plan.totals));
      donut.draw(plan.totals, moving);
    },
  };
}

// A title that says what the recipe does to prices, computed from what is shown.
export function finding(pool, plan, { cutoff, target }) {
  if (target) {
    const words = SHAPE_WORDS[target.shape](target.exponent) + (cutoff < SLOTS ? " up to the cutoff" : "");
    return plan.shortfall || plan.size < target.size ? `${words}, as nearly as the pool allows` : words;
  }
  if (!plan.capped) return "Every slot is as it was";
  const filled = pool.slots.subarray(1, cutoff).filter((items) => items > 0).length;
  if (plan.capped === filled) return "Flat up to the cutoff, untouched above it";
  return `The cap cuts ${count(plan.capped)} of the ${count(filled)} slots below the cutoff`;
}

// What keeps the sample from its target, in words.
function missing(plan, { target }) {
  if (!target) return "";
  if (plan.size > target.size) return `Slots that are kept whole hold more than ${count(target.size)}.`;
  if (plan.size < target.size) return `The pool has only ${countOf(plan.size, "item")} to give.`;
  if (!plan.shortfall) return "The pool fills this shape.";
  return `Slots lack ${countOf(plan.shortfall, "item")} for this shape; others give them.`;
}

// Python lists the items of the chosen slot below the balancer, in the page itself.
function goToItems(event) {
  event.preventDefault();
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  document.querySelector(".st-key-slot_items")?.scrollIntoView({ behavior: calm ? "auto" : "smooth", block: "center" });
}
