// Elements of the page. Texts become text nodes, never markup: a class may have a name that reads as such.

const SVG = "http://www.w3.org/2000/svg";

function filled(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

export function element(name, attributes = {}, ...children) {
  return filled(document.createElement(name), attributes, children);
}

export function svg(name, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, name), attributes, children);
}

/** A drop-down list of [value, words] pairs. */
export function select(label, choices, onchange, attributes = {}) {
  const options = choices.map(([value, words]) => element("option", { value }, words));
  const list = element("select", { onchange: (event) => onchange(event.target.value), ...attributes }, ...options);
  return [element("label", {}, label, list), list];
}

/** A panel with a title of its own. */
export function panel(title, ...children) {
  const heading = element("h3", {}, title);
  return element("section", { class: "panel", "aria-label": title }, heading, ...children);
}

const tip = () => document.getElementById("tip");

/** Show a text beside the pointer. */
export function showTip(text, event) {
  const box = tip();
  box.textContent = text;
  box.hidden = false;
  const { clientWidth, clientHeight } = document.documentElement;
  box.style.left = `${Math.max(0, Math.min(event.clientX + 14, clientWidth - box.offsetWidth - 4))}px`;
  box.style.top = `${Math.min(event.clientY + 14, clientHeight - box.offsetHeight - 4)}px`;
}

export function hideTip() {
  tip().hidden = true;
}

/** Where an event is in the coordinates of a drawing of some width, whatever the size that it is shown in. */
export function pointIn(node, event, width) {
  const box = node.getBoundingClientRect();
  const scale = width / box.width;
  return [(event.clientX - box.left) * scale, (event.clientY - box.top) * scale];
}
