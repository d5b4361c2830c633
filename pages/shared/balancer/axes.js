// Where values lie on the histogram's axes: an axis has the plot's `box` in pixels, the `slots` shown (low to high),
// the `top` of its counts, and a `scale`, log or linear.

import { count, roundStep, shortCount } from "./format.js";

const FLOOR = 0.7; // where a logarithmic axis starts, so that one item is still to be seen
const MOST_TICKS = 6;

export function yOf({ box, top, scale }, value) {
  const bottom = box.top + box.height;
  if (scale === "linear") return bottom - (Math.min(value, top) / top) * box.height;
  return value < FLOOR ? bottom + 1 : bottom - (Math.log(value / FLOOR) / Math.log(top / FLOOR)) * box.height;
}

// The middle of a slot.
export function xOf({ box, slots }, price) {
  return box.left + ((price - slots.low + 0.5) / (slots.high - slots.low + 1)) * box.width;
}

export function slotOf({ box, slots }, x) {
  const slot = slots.low + Math.floor(((x - box.left) / box.width) * (slots.high - slots.low + 1));
  return Math.min(slots.high, Math.max(slots.low, slot));
}

export function logTicks(top) {
  const factors = Math.log10(top / FLOOR) > 2 ? [1] : [1, 2, 5];
  const values = [];
  for (let power = 1; power <= top; power *= 10) values.push(...factors.map((factor) => factor * power));
  const seen = values.filter((value) => value <= top);
  const every = Math.ceil(seen.length / MOST_TICKS);
  return seen.filter((_, place) => place % every === 0).map((value) => [value, count(value)]);
}

export function linearTicks(top) {
  const step = Math.max(1, roundStep(top));
  return Array.from({ length: Math.floor(top / step) + 1 }, (_, place) => [place * step, shortCount(place * step)]);
}

// Prices below the axis, both ends named where there is room for them.
export function priceTicks({ low, high }, width) {
  const step = Math.max(1, Math.round(roundStep(high - low, width < 420 ? 5 : MOST_TICKS)));
  const room = step * 0.45;
  const ticks = [low];
  for (let price = step * Math.ceil(low / step); price < high; price += step) {
    if (price - low > room && high - price > room) ticks.push(price);
  }
  return [...ticks, high];
}

// The slots that stand at least twice above the median of the ten on either side; the tallest first, and far apart.
export function spikes(numbers, { low, high }, most = 6, apart = 0.095) {
  const tall = [];
  for (let slot = low; slot <= high; slot++) {
    if (numbers[slot] < 5) continue;
    const around = [];
    for (let near = slot - 10; near <= slot + 10; near++) around.push(numbers[within(near, low, high)]);
    const median = around.sort((a, b) => a - b)[10];
    if (numbers[slot] >= 2 * Math.max(1, median)) tall.push(slot);
  }
  const found = [];
  for (const slot of tall.sort((a, b) => numbers[b] - numbers[a] || a - b)) {
    const free = found.every((other) => Math.abs(slot - other) >= apart * (high - low + 1));
    if (found.length < most && free) found.push(slot);
  }
  return found;
}

// Below the lowest slot there is more of it, as prices fall off from there; beyond the highest the others come again.
function within(slot, low, high) {
  return Math.max(low, slot > high ? 2 * high - slot : slot);
}
