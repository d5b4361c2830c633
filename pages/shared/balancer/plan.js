// What a recipe gives, worked out in the browser while a slider moves: pure functions on typed arrays.
//
// How many items a slot keeps is exact, as in pricer/curation/targets.py. Which categories they are of is the fluid
// limit: of n items of weight w a threshold t keeps n·(1 − exp(−t·w)), as in pricer/curation/thresholds.py.

export const SLOTS = 1000;
const WHOLE = Infinity;
const ENOUGH = 1e-6;      // a threshold is known to this part of itself
const MOST_STEPS = 200;   // weights that lie very far apart take some steps each

// The pool as Python sends it: items by slot (1000 rows, slot 0 empty) and category, and each slot's mean price.
export function readPool(sent) {
  const bytes = Uint8Array.from(atob(sent.counts), (letter) => letter.charCodeAt(0));
  const counts = new Uint32Array(bytes.buffer);
  const width = sent.names.length;
  const prices = Float64Array.from(sent.prices);
  const slots = new Float64Array(SLOTS);
  const totals = new Float64Array(width);
  for (let slot = 0; slot < SLOTS; slot++) {
    for (let category = 0; category < width; category++) {
      const items = counts[slot * width + category];
      slots[slot] += items;
      totals[category] += items;
    }
  }
  const size = sum(slots);
  const pool = { ...sent, counts, width, prices, slots, totals, size };
  return { ...pool, priceMean: meanPrice(pool, slots, size), priceMedian: middleSlot(slots, size) };
}

export function weightsOf(pool, settings) {
  return Float64Array.from(settings.weights, (weight) => weight ?? settings.others);
}

// What `settings` give of a pool. `last` is the answer to the settings before: its thresholds are good first guesses.
export function estimate(pool, settings, last) {
  const weights = weightsOf(pool, settings);
  const possible = possibleItems(pool, weights);
  const byPrice = settings.target?.shape === "by-price";
  const split = byPrice
    ? drawFromAll(pool, settings.target, weights, possible, last)
    : drawFromSlots(pool, weights, possible, slotCaps(possible, settings), last);
  const wished = settings.target ? wishedItems(pool, settings, weights, possible) : null;
  const shortfall = wished ? missing(wished, possible) : 0;
  return measured(pool, { ...split, wished, shortfall, exact: false, exactSlots: !byPrice });
}

// The same with the exact numbers that Python found in the place of the estimated ones.
export function corrected(pool, estimated, found) {
  const plan = { ...estimated, slots: Float64Array.from(found.slots), totals: Float64Array.from(found.categories) };
  const exact = measured(pool, { ...plan, capped: found.capped, exact: true, exactSlots: true });
  return { ...exact, priceMean: found.price_mean ?? NaN };
}

// The way from one plan to another: their items by slot and category, at a share (0 to 1) of it.
export function between(plan, other, way) {
  const mixed = (from, to) => to.map((items, place) => from[place] + way * (items - from[place]));
  return { ...other, slots: mixed(plan.slots, other.slots), totals: mixed(plan.totals, other.totals) };
}

// The figures that follow from how many items are kept by slot and by category.
function measured(pool, plan) {
  const size = Math.round(sum(plan.slots));
  return {
    ...plan,
    size,
    priceMean: meanPrice(pool, plan.slots, size),
    priceMedian: middleSlot(plan.slots, size),
    priceDistance: distance(pool.slots, plan.slots),
    categoryDistance: distance(pool.totals, plan.totals),
  };
}

// Items of positive weight in each slot.
function possibleItems(pool, weights) {
  const possible = new Float64Array(SLOTS);
  for (let slot = 0; slot < SLOTS; slot++) {
    for (let category = 0; category < pool.width; category++) {
      if (weights[category] > 0) possible[slot] += pool.counts[slot * pool.width + category];
    }
  }
  return possible;
}

// How many items each slot keeps: whole numbers, exact. The twin of `target_caps` in pricer/curation/targets.py.
export function slotCaps(possible, { cutoff, cap, target }) {
  const kept = Float64Array.from(possible);
  kept[0] = 0;
  if (!target) return kept.map((items, slot) => (slot < cutoff ? Math.min(items, cap) : items));
  const size = Math.max(0, target.size - sum(kept.subarray(cutoff)));
  kept.set(filled(kept.subarray(1, cutoff), shapeOf(target).subarray(1, cutoff), size), 1);
  return kept;
}

// What each slot weighs in a target; slot 0 weighs nothing.
export function shapeOf({ shape, exponent }) {
  const power = { flat: 0, "log-uniform": -1 }[shape] ?? exponent;
  const base = (slot) => (shape === "by-price" ? (slot - 1) / (SLOTS - 2) : slot);
  return Float64Array.from({ length: SLOTS }, (_, slot) => (slot ? base(slot) ** power : 0));
}

// Whole parts of `size` in proportion to weights, none larger than its slot's size; all where that is too few.
function filled(sizes, weights, size) {
  if (size >= sum(sizes)) return Float64Array.from(sizes);
  const ratios = sizes.map((items, place) => items / weights[place]);
  const order = Array.from(sizes.keys()).sort((a, b) => ratios[a] - ratios[b]);
  const left = new Float64Array(order.length + 1); // weight of this slot and of those that fill up after it
  for (let rank = order.length - 1; rank >= 0; rank--) left[rank] = left[rank + 1] + weights[order[rank]];
  let full = 0; // items of the slots that fill up before this one
  let level = 0;
  for (const [rank, place] of order.entries()) {
    level = (size - full) / left[rank];
    if (level <= ratios[place]) break;
    full += sizes[place];
  }
  const exact = sizes.map((items, place) => Math.min(items, level * weights[place]));
  const parts = exact.map(Math.floor);
  const mostCutOff = Array.from(sizes.keys()).sort((a, b) => parts[a] - exact[a] - (parts[b] - exact[b]));
  for (const place of mostCutOff.slice(0, size - sum(parts))) parts[place] += 1;
  return parts;
}

// The target's shape at its size, before any slot falls short. The twin of `wished_counts`.
function wishedItems(pool, { target, cutoff }, weights, possible) {
  const wished = shapeOf(target);
  if (target.shape === "by-price") {
    for (let slot = 0; slot < SLOTS; slot++) {
      let weight = 0;
      for (let category = 0; category < pool.width; category++) {
        weight += pool.counts[slot * pool.width + category] * weights[category];
      }
      wished[slot] *= weight;
    }
  }
  wished.fill(0, cutoff);
  const left = Math.max(0, target.size - sum(possible.subarray(cutoff)));
  const scale = left / (sum(wished) || 1);
  return wished.map((items, slot) => (slot < cutoff ? items * scale : possible[slot]));
}

// One draw in each slot that is not kept whole.
function drawFromSlots(pool, weights, possible, kept, last) {
  const thresholds = new Float64Array(SLOTS).fill(WHOLE);
  const totals = new Float64Array(pool.width);
  let capped = 0;
  for (let slot = 1; slot < SLOTS; slot++) {
    if (kept[slot] < possible[slot]) {
      const cells = pool.counts.subarray(slot * pool.width, (slot + 1) * pool.width);
      thresholds[slot] = threshold(cells, weights, possible[slot], kept[slot], last?.thresholds?.[slot]);
      capped += kept[slot] > 0;
    }
    addCells(pool, slot, weights, thresholds[slot], totals);
  }
  return { slots: kept, totals, thresholds, capped };
}

// One draw from all slots: an item's weight is its slot's times its category's.
function drawFromAll(pool, target, weights, possible, last) {
  const prices = shapeOf(target);
  const all = new Float64Array(pool.counts.length);
  let items = 0;
  for (let slot = 1; slot < SLOTS; slot++) {
    if (prices[slot] > 0) items += possible[slot];
    for (let category = 0; category < pool.width; category++) {
      all[slot * pool.width + category] = prices[slot] * weights[category];
    }
  }
  const few = target.size < items;
  const level = few ? threshold(pool.counts, all, items, target.size, last?.level) : WHOLE;
  const slots = new Float64Array(SLOTS);
  const totals = new Float64Array(pool.width);
  for (let slot = 1; slot < SLOTS; slot++) {
    slots[slot] = addCells(pool, slot, weights, prices[slot] > 0 ? level * prices[slot] : 0, totals);
  }
  return { slots, totals, level, capped: few ? possible.filter((n, slot) => n > 0 && prices[slot] > 0).length : 0 };
}

// The threshold t that is expected to keep `wanted` of `items`: Newton's method on Σ n·(1 − exp(−t·w)), which is
// concave, so from below it rises to the root and never beyond; from above it may fall too far and rises again.
export function threshold(counts, weights, items, wanted, guess = 0) {
  if (wanted <= 0) return 0;
  let t = Number.isFinite(guess) ? guess : 0;
  for (let step = 0; step < MOST_STEPS; step++) {
    let left = 0;
    let slope = 0;
    for (let cell = 0; cell < counts.length; cell++) {
      const weight = weights[cell];
      if (counts[cell] && weight > 0) {
        const rest = counts[cell] * Math.exp(-t * weight);
        left += rest;
        slope += rest * weight;
      }
    }
    const change = (left - (items - wanted)) / slope;
    if (Number.isNaN(change)) return t;
    const next = Math.max(0, t + change);
    if (Math.abs(next - t) <= ENOUGH * t) return next;
    t = next;
  }
  return t;
}

// Add what a threshold keeps of a slot to the totals of its categories, and give how many items that is.
function addCells(pool, slot, weights, level, totals) {
  let kept = 0;
  for (let category = 0; category < pool.width; category++) {
    const items = pool.counts[slot * pool.width + category];
    if (!items || !(weights[category] > 0) || !level) continue;
    const part = level === WHOLE ? items : items * -Math.expm1(-level * weights[category]);
    totals[category] += part;
    kept += part;
  }
  return kept;
}

export function sum(numbers) {
  let total = 0;
  for (let place = 0; place < numbers.length; place++) total += numbers[place];
  return total;
}

// A slot's items are taken to cost its mean; NaN where there are none.
function meanPrice(pool, slots, size) {
  let dollars = 0;
  for (let slot = 1; slot < SLOTS; slot++) dollars += slots[slot] * pool.prices[slot];
  return size ? dollars / size : NaN;
}

// The slot of the middle item, the lower one of two; 0 where there is none.
function middleSlot(slots, size) {
  let passed = 0;
  for (let slot = 1; slot < SLOTS && size; slot++) {
    passed += slots[slot];
    if (2 * passed >= size) return slot;
  }
  return 0;
}

// Total variation between two distributions, given as counts; 0 where either is empty.
function distance(before, after) {
  const [old, now] = [sum(before), sum(after)];
  let total = 0;
  for (let place = 0; place < before.length; place++) total += Math.abs(before[place] / old - after[place] / now);
  return old && now ? total / 2 : 0;
}

// How many items the pool lacks for a shape, slot by slot.
function missing(wished, possible) {
  return Math.round(wished.reduce((lacking, items, slot) => lacking + Math.max(0, items - possible[slot]), 0));
}
