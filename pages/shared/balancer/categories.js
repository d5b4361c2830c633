// The sample by category: bars with the pool as their track, and a donut of shares with every label readable.

import { count, percent, wrapped } from "./format.js";
import { html, setText, svg } from "./elements.js";
import { sum } from "./plan.js";

const MOST_BARS = 12;
const MOST_SLICES = 8;
const LINE = 15;           // pixels of a line of a label
const LABELS = 102;        // pixels beside the ring that labels take
const HOLE = 0.62;         // of the ring's radius

// Keep the categories with the most items before and add the others up, if there are too many.
export function folded(names, before) {
  const order = Array.from(names.keys()).sort((a, b) => before[b] - before[a]);
  const rest = order.slice(MOST_BARS - 1);
  const kept = rest.length > 1 ? order.slice(0, MOST_BARS - 1) : order;
  const groups = kept.map((category) => ({ name: names[category], members: [category] }));
  return rest.length > 1 ? [...groups, { name: `${rest.length} others`, members: rest }] : groups;
}

export function totalsOf(groups, totals) {
  return groups.map(({ members }) => members.reduce((items, category) => items + totals[category], 0));
}

export function createBars(groups, before) {
  const most = Math.max(1, ...before.filter((_, place) => groups[place].members.length === 1));
  const rows = groups.map(({ name, members }, place) => {
    const after = html("b");
    const full = html("i", { class: "full" });
    const track = html("span", { class: "track", style: `width:${(100 * before[place]) / most}%` }, full);
    const named = html("span", { class: "name" }, name);
    const words = html("span", { class: "words" }, named, after, ` of ${count(before[place])}`);
    return { after, full, element: html("li", {}, words, ...(members.length > 1 ? [] : [track])) };
  });
  const element = html("ul", { class: "bars" }, ...rows.map((row) => row.element));
  return {
    element,
    draw(now) {
      rows.forEach((row, place) => {
        setText(row.after, count(now[place]));
        row.full.style.width = `${before[place] ? (100 * now[place]) / before[place] : 0}%`;
      });
    },
  };
}

export function createDonut(names) {
  const ring = svg("g", { class: "ring" });
  const labels = svg("g", { class: "labels" });
  const total = svg("text", { class: "total", "text-anchor": "middle" });
  const unit = svg("text", { class: "unit", "text-anchor": "middle" }, "items");
  const picture = svg("svg", { role: "img", width: "100%" }, ring, labels, total, unit);
  const element = html("div", { class: "donut" }, picture);
  let ranked = []; // the categories by size; it holds still while a slider is held, so that parts do not jump

  function draw(now, moving) {
    const width = Math.max(260, element.clientWidth);
    const height = Math.max(200, element.clientHeight);
    const radius = Math.min(96, (width - 2 * LABELS) / 2.4, height / 2 - 30);
    const centre = { x: width / 2, y: height / 2, radius };
    if (!moving || !ranked.length) ranked = Array.from(now.keys()).sort((a, b) => now[b] - now[a]);
    const all = sum(now) || 1;
    const parts = slices(names, now, ranked);
    picture.setAttribute("height", height);
    picture.setAttribute("viewBox", `0 0 ${width} ${height}`);
    const told = parts.map((part) => `${part.name} ${percent(part.items / all)}`);
    picture.setAttribute("aria-label", `Shares of the sample by category: ${told.join("; ")}.`);
    ring.replaceChildren(...parts.map((part, rank) => wedge(part, rank / Math.max(1, parts.length - 1), centre, all)));
    const column = (side) => sideLabels(parts.filter((part) => part.side === side), side, centre, all);
    labels.replaceChildren(...column(1), ...column(-1));
    setText(total, count(sum(now)));
    at(total, centre.x, centre.y + 2);
    at(unit, centre.x, centre.y + 18);
  }
  return { element, draw };
}

// Deal the parts by rank to the ring's sides (right, left, left, right), so that both are equally full; turns are
// counted from twelve o'clock, clockwise where positive.
export function slices(names, now, ranked) {
  const order = ranked.filter((place) => now[place] > 0);
  const large = order.length > MOST_SLICES ? order.slice(0, MOST_SLICES - 1) : order;
  const parts = large.map((place) => ({ name: names[place], items: now[place] }));
  const rest = order.slice(large.length);
  const others = rest.reduce((items, place) => items + now[place], 0);
  if (rest.length) parts.push({ name: `${rest.length} others`, items: others });
  const all = parts.reduce((items, part) => items + part.items, 0) || 1;
  const reached = { 1: 0, "-1": 0 };
  return parts.map((part, rank) => {
    const side = rank % 4 === 0 || rank % 4 === 3 ? 1 : -1;
    const start = reached[side];
    reached[side] = start + (side * part.items) / all;
    return { ...part, side, start, end: reached[side], middle: (start + reached[side]) / 2 };
  });
}

// Move labels apart as little as possible: positions from the top down, `gaps` between neighbours. Least squares under
// the order: touching labels move together (pool adjacent violators).
export function spread(wanted, gaps) {
  const offsets = [0];
  for (const gap of gaps) offsets.push(offsets.at(-1) + gap);
  const pools = [];
  wanted.forEach((value, place) => {
    pools.push({ mean: value - offsets[place], size: 1 });
    while (pools.length > 1 && pools.at(-2).mean > pools.at(-1).mean) {
      const { mean, size } = pools.pop();
      const before = pools.at(-1);
      before.mean = (before.mean * before.size + mean * size) / (before.size + size);
      before.size += size;
    }
  });
  return pools.flatMap(({ mean, size }) => Array(size).fill(mean)).map((mean, place) => mean + offsets[place]);
}

function wedge(part, paleness, centre, all) {
  const from = Math.min(part.start, part.end);
  const to = Math.min(Math.max(part.start, part.end), from + 0.9999); // a whole ring would begin where it ends
  const large = to - from > 0.5 ? 1 : 0;
  const { radius } = centre;
  const [a, b] = [onRing(centre, from, 1), onRing(centre, to, 1)];
  const [c, d] = [onRing(centre, to, HOLE), onRing(centre, from, HOLE)];
  const path = `M${a}A${radius},${radius} 0 ${large} 1 ${b}L${c}A${radius * HOLE},${radius * HOLE} 0 ${large} 0 ${d}Z`;
  const fill = `color-mix(in srgb, var(--pr-paper) ${(72 * paleness).toFixed(1)}%, var(--pr-after))`;
  const words = `${part.name}\n${count(part.items)} items, ${percent(part.items / all)}`;
  return svg("path", { d: path, style: `fill:${fill}` }, svg("title", {}, words));
}

// One side's labels in a column, each joined to its part by a line.
function sideLabels(parts, side, centre, all) {
  const texts = parts.map((part) => [percent(part.items / all), ...wrapped(part.name)]);
  const wanted = parts.map((part) => centre.y - Math.cos(2 * Math.PI * part.middle) * centre.radius);
  const gaps = texts.slice(1).map((lines, place) => 7 + (LINE * (lines.length + texts[place].length)) / 2);
  return spread(wanted, gaps).flatMap((y, place) => {
    const x = (times) => (centre.x + side * times * centre.radius).toFixed(1);
    const edge = centre.x + side * (1.16 * centre.radius + 10);
    const line = `M${onRing(centre, parts[place].middle, 1.03)}L${x(1.16)},${y.toFixed(1)}H${edge.toFixed(1)}`;
    const lines = texts[place];
    const first = y - (LINE * lines.length) / 2 + 11.5;
    const anchor = side > 0 ? "start" : "end";
    const words = lines.map((text, row) => {
      const element = svg("text", { class: row ? "name" : "share", "text-anchor": anchor }, text);
      return at(element, edge + side * 5, first + LINE * row);
    });
    return [svg("path", { class: "leader", d: line }), ...words];
  });
}

function onRing({ x, y, radius }, turns, share) {
  const angle = 2 * Math.PI * turns;
  return `${(x + share * radius * Math.sin(angle)).toFixed(2)},${(y - share * radius * Math.cos(angle)).toFixed(2)}`;
}

function at(element, x, y) {
  element.setAttribute("x", x.toFixed(1));
  element.setAttribute("y", y.toFixed(1));
  return element;
}
