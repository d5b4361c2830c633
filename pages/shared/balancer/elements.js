// Elements of a page, made and filled. Names from data only ever become text.

const SVG = "http://www.w3.org/2000/svg";

// An HTML element: `html("b", { class: "name" }, "text", anotherElement)`; a property that is a function is a listener.
export function html(tag, properties = {}, ...children) {
  return filled(document.createElement(tag), properties, children);
}

export function svg(tag, properties = {}, ...children) {
  return filled(document.createElementNS(SVG, tag), properties, children);
}

export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

// The mark and the word of a key above a chart, its form as in pricer.css.
export function swatch(word, form) {
  return html("span", { class: "swatch" }, html("i", { class: form }), word);
}

// Buttons of which one is pressed: radio buttons in a row, so that arrow keys and screen readers know them.
export function choice(label, name, options, chosen, onChoose) {
  const buttons = options.map(([value, word]) => {
    const input = html("input", { type: "radio", name, value, change: () => onChoose(value) });
    return html("label", {}, input, html("span", {}, word));
  });
  const element = html("div", { class: "choice", role: "radiogroup", "aria-label": label }, ...buttons);
  const set = (value) => {
    for (const input of element.querySelectorAll("input")) input.checked = input.value === value;
  };
  set(chosen);
  return { element, set };
}

function filled(element, properties, children) {
  for (const [name, value] of Object.entries(properties)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}
