// The price histogram: the pool behind, the sample in front, one step for each whole-dollar slot.

import { linearTicks, logTicks, priceTicks, slotOf, spikes, xOf, yOf } from "./axes.js";
import { count, wholeDollars } from "./format.js";
import { html, setText, svg } from "./elements.js";
import { SLOTS } from "./plan.js";

const LINEAR_CAPS = 6;        // a linear axis ends here, counted in caps, or the capped part would lie on the floor
const CAP_WORDS = 0.18;       // of the axis: what the words "cap 1,200" take of it on a phone
const TOP = 24;               // pixels above the plot, for the cutoff's name
const BOTTOM = 24;            // pixels below it, for prices
const RIGHT = 16;
const DIGIT = 6.8;            // pixels of a figure in an axis label
const FINGER = 3;             // pixels to either side in which a touch finds the tallest slot

export function createHistogram(onSlot) {
  const parts = {
    grid: svg("g", { class: "grid" }),
    before: svg("path", { class: "before" }),
    after: svg("path", { class: "after" }),
    overlayEdge: svg("path", { class: "edge" }),
    overlay: svg("path", { class: "overlay" }),
    wishedEdge: svg("path", { class: "edge" }),
    wished: svg("path", { class: "wished" }),
    chosen: svg("rect", { class: "chosen" }),
    names: svg("g", { class: "names" }),
    ticks: svg("g", { class: "ticks" }),
  };
  const clip = svg("rect", {});
  const clipName = `plot-${Math.random().toString(36).slice(2)}`;
  const lines = [parts.overlayEdge, parts.overlay, parts.wishedEdge, parts.wished];
  const areas = [parts.before, parts.after, ...lines, parts.chosen];
  const picture = svg(
    "svg",
    { role: "img", width: "100%" },
    svg("clipPath", { id: clipName }, clip),
    parts.grid,
    svg("g", { "clip-path": `url(#${clipName})` }, ...areas),
    parts.ticks,
    parts.names,
  );
  const hair = html("div", { class: "hair", hidden: true });
  const plate = html("div", { class: "plate", hidden: true, "aria-hidden": "true" });
  const picker = html("input", { type: "range", class: "picker", "aria-label": "A slot; Enter lists its items" });
  const element = html("div", { class: "plot" }, picture, hair, plate, picker);

  let shown = null; // what was drawn last
  let held = 0;     // the top of the axis while a slider is held

  function draw(pool, plan, settings, view, overlay, moving) {
    const width = Math.max(200, element.clientWidth);
    const height = Math.max(160, element.clientHeight);
    const scale = view.scale;
    const slots = { low: view.low, high: Math.max(view.high, view.low + 1) };
    const before = slotsBetween(pool.slots, slots);
    const limit = ceiling(before, plan, settings, scale, slots);
    held = moving && held ? Math.max(held, limit.top) : limit.top;
    const top = held;
    const yTicks = scale === "log" ? logTicks(top) : linearTicks(top);
    const left = Math.max(...yTicks.map(([, text]) => text.length)) * DIGIT + 10;
    const box = { left, top: TOP, width: width - left - RIGHT, height: height - TOP - BOTTOM };
    const axis = { box, slots, top, scale };
    shown = { pool, plan, axis, overlay };

    picture.setAttribute("height", height);
    picture.setAttribute("viewBox", `0 0 ${width} ${height}`);
    place(clip, box.left, box.top - 1, box.width, box.height + 1);
    parts.before.setAttribute("d", area(axis, pool.slots));
    parts.after.setAttribute("d", area(axis, plan.slots));
    drawLine([parts.overlayEdge, parts.overlay], axis, overlay?.slots);
    drawLine([parts.wishedEdge, parts.wished], axis, plan.wished);
    markChosen(axis, view.slot);
    parts.grid.replaceChildren(...yTicks.map(([value]) => gridLine(axis, yOf(axis, value))));
    parts.ticks.replaceChildren(
      ...yTicks.map(([value, text]) => label(text, box.left - 8, yOf(axis, value) + 4, "end")),
      ...priceTicks(slots, width).map((price) => label(wholeDollars(price), xOf(axis, price), height - 6, "middle")),
    );
    parts.names.replaceChildren(
      ...cutoffName(axis, settings.cutoff),
      ...capName(axis, pool, settings),
      ...spikeNames(axis, plan.slots, settings.cutoff),
      ...(limit.clipped ? [clippedName(axis, before)] : []),
    );
    picture.setAttribute("aria-label", describe(pool, plan, settings, slots));
    Object.assign(picker, { min: slots.low, max: slots.high });
    if (!plate.hidden) point(Number(element.dataset.slot));
  }

  function drawLine(strokes, axis, numbers) {
    const path = numbers ? line(axis, numbers) : "";
    for (const stroke of strokes) stroke.setAttribute("d", path);
  }

  function markChosen(axis, slot) {
    const seen = slot && slot >= axis.slots.low && slot <= axis.slots.high;
    const wide = Math.max(3, axis.box.width / (axis.slots.high - axis.slots.low + 1));
    if (seen) place(parts.chosen, xOf(axis, slot) - wide / 2, axis.box.top, wide, axis.box.height);
    parts.chosen.style.display = seen ? "" : "none";
  }

  // Say what a slot holds, on a plate beside a hairline.
  function point(slot) {
    const { pool, plan, axis, overlay } = shown;
    const x = xOf(axis, slot);
    const about = plan.exactSlots ? "" : "about ";
    const lines = [`before ${count(pool.slots[slot])}`, `after ${about}${count(plan.slots[slot])}`];
    if (plan.wished) lines.push(`wished ${count(plan.wished[slot])}`);
    if (overlay) lines.push(`${overlay.name} ${count(overlay.slots[slot])}`);
    element.dataset.slot = slot;
    plate.replaceChildren(html("b", {}, wholeDollars(slot)), ...lines.map((line) => html("span", {}, line)));
    hair.hidden = plate.hidden = false;
    Object.assign(hair.style, { left: `${x}px`, top: `${axis.box.top}px`, height: `${axis.box.height}px` });
    plate.style.top = `${axis.box.top + 6}px`;
    plate.style.left = x < axis.box.left + axis.box.width / 2 ? `${x + 10}px` : "";
    plate.style.right = plate.style.left ? "" : `${element.clientWidth - x + 10}px`;
    picker.value = slot;
    picker.setAttribute("aria-valuetext", `${wholeDollars(slot)}: ${lines.join(", ")}`);
  }

  function leave() {
    hair.hidden = plate.hidden = true;
  }

  function slotAt(event) {
    const { axis, plan, pool } = shown;
    const x = event.clientX - element.getBoundingClientRect().left;
    const reach = event.pointerType === "touch" ? FINGER : 0.5;
    const [from, to] = [slotOf(axis, x - reach), slotOf(axis, x + reach)];
    let best = slotOf(axis, x);
    for (let slot = from; slot <= to; slot++) {
      const taller = plan.slots[slot] - plan.slots[best] || pool.slots[slot] - pool.slots[best];
      if (taller > 0) best = slot;
    }
    return best;
  }

  picture.addEventListener("pointermove", (event) => shown && point(slotAt(event)));
  picture.addEventListener("pointerleave", leave);
  picture.addEventListener("click", (event) => {
    if (!shown) return;
    const { box } = shown.axis;
    const { left, top } = element.getBoundingClientRect();
    const inside = event.clientX - left >= box.left && event.clientY - top <= box.top + box.height;
    onSlot(inside ? slotAt(event) : null);
  });
  picker.addEventListener("focus", () => shown && point(Number(picker.value)));
  picker.addEventListener("input", () => shown && point(Number(picker.value)));
  picker.addEventListener("blur", leave);
  picker.addEventListener("keydown", (event) => {
    if (event.key === "Enter") onSlot(Number(picker.value));
    if (event.key === "Escape") onSlot(null);
  });
  return { element, draw };
}

function describe(pool, plan, settings, { low, high }) {
  const rule = settings.target ? `target ${settings.target.shape}` : `cap ${count(settings.cap)}`;
  return (
    `Histogram of price, $${low} to $${high}: ${count(pool.size)} items before, ${count(plan.size)} after; ` +
    `cutoff ${wholeDollars(settings.cutoff)}, ${rule}.`
  );
}

// The top of the vertical axis, and whether the pool reaches higher than it.
function ceiling(before, plan, { cutoff, cap, target }, scale, slots) {
  const highest = Math.max(1, ...before);
  const wished = plan.wished ? Math.max(0, ...slotsBetween(plan.wished, slots)) : 0;
  const room = scale === "log" ? 1.9 : 1.08;
  const top = Math.max(highest, Math.min(wished, 4 * highest)) * room;
  const limit = LINEAR_CAPS * cap;
  const cut = before.some((items, place) => items > cap && slots.low + place < cutoff);
  return scale === "linear" && !target && top > limit && cut ? { top: limit, clipped: true } : { top, clipped: false };
}

function slotsBetween(numbers, { low, high }) {
  return Array.from(numbers.subarray(low, high + 1));
}

function area(axis, numbers) {
  const { left, width, top, height } = axis.box;
  const base = top + height + 1;
  return `M${Math.round(left)},${base}${steps(axis, numbers)}H${Math.round(left + width)}V${base}`;
}

function line(axis, numbers) {
  const path = steps(axis, numbers);
  return path.replace(/^H([\d.-]+)V/, "M$1,") + `H${Math.round(axis.box.left + axis.box.width)}`;
}

// A line with steps, from slot to slot. Where slots are narrower than a pixel, a pixel shows the fullest of its slots.
function steps(axis, numbers) {
  const { box, slots } = axis;
  const number = slots.high - slots.low + 1;
  const columns = Math.min(number, Math.floor(box.width));
  let path = "";
  let drawn = NaN;
  for (let column = 0; column < columns; column++) {
    const first = slots.low + Math.floor((column * number) / columns);
    const end = Math.max(first + 1, slots.low + Math.floor(((column + 1) * number) / columns));
    let most = 0;
    for (let slot = first; slot < end; slot++) most = Math.max(most, numbers[slot]);
    const y = Math.round(2 * yOf(axis, most)) / 2;
    if (y !== drawn) path += `H${Math.round(box.left + (column * box.width) / columns)}V${y}`;
    drawn = y;
  }
  return path;
}

function spikeNames(axis, after, cutoff) {
  const whole = after.map((items, slot) => (slot >= cutoff ? items : 0));
  return spikes(whole, axis.slots).map((slot) => {
    const [x, y] = [xOf(axis, slot), yOf(axis, whole[slot]) - 4];
    const end = axis.box.left + axis.box.width;
    return x > end - 14 ? label(wholeDollars(slot), end + 8, y, "end") : label(wholeDollars(slot), x, y, "middle");
  });
}

function cutoffName(axis, cutoff) {
  const { box, slots } = axis;
  if (cutoff <= slots.low || cutoff > slots.high) return [];
  const x = Math.round(xOf(axis, cutoff) - box.width / (slots.high - slots.low + 1) / 2) + 0.5;
  const right = cutoff < slots.low + 0.75 * (slots.high - slots.low);
  const line = svg("line", { class: "cutoff", x1: x, x2: x, y1: 8, y2: box.top + box.height });
  return [line, label(`cutoff ${wholeDollars(cutoff)}`, x + (right ? 6 : -6), 13, right ? "start" : "end")];
}

// The cap, written inside its plateau where that is wide and high enough for the words, or else above its left end.
function capName(axis, pool, { cutoff, cap, target }) {
  const { slots, box } = axis;
  const below = Array.from(pool.slots.subarray(slots.low, Math.max(slots.low, Math.min(cutoff, SLOTS))));
  if (target || !below.some((items) => items > cap)) return [];
  const underWords = below.slice(0, Math.round(CAP_WORDS * (slots.high - slots.low + 1)));
  const full = underWords.filter((items) => items > cap).length / underWords.length;
  const y = yOf(axis, cap);
  const inside = underWords.length < below.length && full > 0.95 && box.top + box.height - y > 0.1 * box.height;
  const text = label(`cap ${count(cap)}`, box.left + 6, inside ? y + 15 : y - 5, "start");
  text.classList.add(inside ? "inside" : "halo");
  return [text];
}

function clippedName({ box, top }, before) {
  const words = `cut off at ${count(top)}; the fullest slot holds ${count(Math.max(...before))}`;
  const text = label(words, box.left + box.width, 13, "end");
  text.classList.add("quiet");
  return text;
}

function gridLine({ box }, y) {
  const at = Math.round(y) + 0.5;
  return svg("line", { x1: box.left, x2: box.left + box.width, y1: at, y2: at });
}

function label(text, x, y, anchor) {
  const element = svg("text", { x: x.toFixed(1), y: y.toFixed(1), "text-anchor": anchor });
  setText(element, text);
  return element;
}

function place(rectangle, x, y, width, height) {
  for (const [name, value] of Object.entries({ x, y, width, height })) rectangle.setAttribute(name, value);
}
