// The balancer: sliders and the charts that follow them. What is drawn while the hand moves is worked out here; what
// Python answers on release is exact and takes its place.
//
// Python and the browser each may change the settings (a preset there, a slider here). Each change of Python's begins a
// new turn, and a browser's moves are counted within it. Python ignores moves of another turn, and the browser ignores
// plans that answer an older move, so neither undoes the other.

import { html } from "./elements.js";
import { countOf, dollars, wholeDollars } from "./format.js";
import { createLayout } from "./layout.js";
import { between, corrected, estimate, readPool } from "./plan.js";

const MOST_POOLS = 3;
const GLIDE = 220;            // milliseconds in which charts glide to settings that no hand has moved
const CALM = matchMedia("(prefers-reduced-motion: reduce)");
const pools = new Map();      // what the pools hold, by their hash
const balancers = new Map();  // by the element that Streamlit gives each

// Keep a pool, which Python sends once, in an element of its own.
export function keepPool(sent) {
  if (!pools.has(sent.hash)) pools.set(sent.hash, readPool(sent));
  while (pools.size > MOST_POOLS) pools.delete(pools.keys().next().value);
  for (const balancer of balancers.values()) balancer.poolCame();
}

// What Streamlit calls when it mounts the component, and again whenever Python sends something else.
export function showBalancer({ parentElement, data, setStateValue }) {
  const balancer = balancers.get(parentElement) ?? createBalancer(parentElement);
  balancers.set(parentElement, balancer);
  const visit = Symbol("visit");
  balancer.visit = visit;
  balancer.take(data, (hand) => setStateValue("hand", hand));
  return () => {
    if (balancer.visit !== visit) return; // it was shown again meanwhile
    balancer.remove();
    balancers.delete(parentElement);
  };
}

function createBalancer(parent) {
  const style = html("style", {}, STYLE);
  const root = html("div", { class: "balancer", keydown: onKey });
  parent.append(style, root);
  const resized = new ResizeObserver(schedule);

  let data = null;         // what Python sent last
  let send = null;
  let pool = null;
  let layout = null;       // what is built for the pool
  let settings = null;     // what is set: the controls write it
  let view = null;         // scale, prices shown and the chosen slot
  let overlay = null;      // another recipe's outcome
  let history = null;      // how many settings Python remembers, and which of them these are
  let plan = null;
  let last = null;         // the last estimate, from whose thresholds the next begins
  let exact = null;        // Python's plan, and the settings that it is for
  let turn = null;
  let move = 0;
  let sent = "";           // the settings that Python knows of
  let answered = true;
  let back = 0;            // steps of undo (negative) or redo that wait for an answer
  let moving = false;
  let glide = null;        // from which plan, and since when
  let frame = 0;

  function take(newData, newSend) {
    [data, send] = [newData, newSend];
    if (!pools.has(data.pool)) return; // it is on its way
    if (pool?.hash !== data.pool) build();
    if (data.turn !== turn) adopt();
    if (data.answers !== move) return; // an answer to an older move
    const news = !answered;
    answered = true;
    ({ history, overlay } = data);
    exact = { settings: sent, plan: corrected(pool, estimate(pool, JSON.parse(sent), last), data.plan) };
    draw();
    if (news && plan.exact) layout.say(summary(plan));
    if (back) step(0);
  }

  function build() {
    pool = pools.get(data.pool);
    settings = {};
    [turn, plan, last, exact, glide, history, back] = [null, null, null, null, null, null, 0];
    layout = createLayout(pool, settings, { moved, released, looked, step, size: () => plan.size });
    root.replaceChildren(...layout.elements);
    resized.disconnect();
    for (const plot of layout.plots) resized.observe(plot);
  }

  // Put Python's settings in the place of the browser's, except where the hand is on a slider.
  function adopt() {
    const hold = turn !== null && moving ? layout.controls.hold() : () => {};
    Object.assign(settings, structuredClone(data.settings));
    sent = JSON.stringify(settings);
    hold();
    view = data.view;
    if (plan && !CALM.matches) glide = { from: plan, began: performance.now() };
    [turn, move, answered] = [data.turn, data.answers, false];
    layout.controls.show();
  }

  function moved() {
    moving = true;
    glide = null;
    schedule();
  }

  function released() {
    moving = false;
    schedule();
    if (JSON.stringify(settings) !== sent) tell({});
  }

  function looked(change, released = true) {
    view = { ...view, ...change };
    schedule();
    if (released) tell({});
  }

  function tell(more) {
    sent = JSON.stringify(settings);
    answered = false;
    move += 1;
    send({ turn, move, settings: JSON.parse(sent), view, ...more });
  }

  // Go back or forth in the history, which Python keeps; it answers with a new turn.
  function step(by) {
    back += by;
    if (!answered) return;
    const place = Math.min(history.steps - 1, Math.max(0, history.place + back));
    back = 0;
    if (place !== history.place) tell({ place });
  }

  function onKey(event) {
    event.stopPropagation(); // Streamlit has shortcuts of its own
    const key = event.key.toLowerCase();
    if (!(event.ctrlKey || event.metaKey) || event.altKey || !["z", "y"].includes(key)) return;
    event.preventDefault();
    step(key === "y" || event.shiftKey ? 1 : -1);
  }

  function schedule() {
    frame ||= requestAnimationFrame(draw);
  }

  function draw() {
    cancelAnimationFrame(frame);
    frame = 0;
    if (!history || !root.isConnected) return;
    plan = exact.settings === JSON.stringify(settings) ? exact.plan : (last = estimate(pool, settings, last));
    root.dataset.exact = plan.exact;
    layout.draw(gliding(), view, overlay, moving, history);
  }

  // The plan, on its way from the one before.
  function gliding() {
    const way = glide ? (performance.now() - glide.began) / GLIDE : 1;
    if (way >= 1) {
      glide = null;
      return plan;
    }
    schedule();
    return between(glide.from, plan, 1 - (1 - way) ** 3);
  }

  return {
    take,
    poolCame: () => data && pool?.hash !== data.pool && take(data, send),
    remove: () => {
      resized.disconnect();
      cancelAnimationFrame(frame);
      root.remove();
      style.remove();
    },
  };
}

function summary(plan) {
  const prices = `mean price ${dollars(plan.priceMean)}, median ${wholeDollars(plan.priceMedian)}`;
  return `The sample has ${countOf(plan.size, "item")}, ${prices}.`;
}
