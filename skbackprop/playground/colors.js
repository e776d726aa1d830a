// Colours that the colour-blind tell apart: those of Okabe and Ito (2008) for classes, cividis (2018) for numbers.

const CLASSES = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#b8a800", "#777777"];
const NUMBERS = ["#00224e", "#35456c", "#666970", "#948e77", "#c8b866", "#fee838"];
// What sets samples apart besides, where classes are more than colours.
export const SHAPES = ["circle", "square", "triangle", "diamond"];

function parts(hex) {
  const digits = hex.trim().replace("#", "");
  return [0, 2, 4].map((start) => parseInt(digits.slice(start, start + 2), 16));
}

/** The colour a share of the way from one to another, each three parts from 0 to 255. */
export function mixed(from, to, share) {
  return from.map((part, at) => part + share * (to[at] - part));
}

export const css = (color) => `rgb(${color.map(Math.round).join(" ")})`;

const CLASS_PARTS = CLASSES.map(parts);
const NUMBER_PARTS = NUMBERS.map(parts);

export function classColor(index) {
  return CLASS_PARTS[index % CLASS_PARTS.length];
}

/** The colour of a number, given as a share of the range. */
export function numberColor(share) {
  const at = Math.min(Math.max(share, 0), 1) * (NUMBER_PARTS.length - 1);
  const below = Math.min(Math.floor(at), NUMBER_PARTS.length - 2);
  return mixed(NUMBER_PARTS[below], NUMBER_PARTS[below + 1], at - below);
}

// The colours of the style, which are others in the dark.
let themed = {};

export function readTheme() {
  const style = getComputedStyle(document.documentElement);
  themed = Object.fromEntries(
    ["ground", "empty", "text", "positive", "negative", "chosen", "panel"].map((name) => [
      name,
      parts(style.getPropertyValue(`--${name}`)),
    ]),
  );
}

export const theme = (name) => themed[name];

/** The colour of a signed number from -1 to 1: towards blue above zero, towards orange below. */
export function signedColor(value) {
  return mixed(themed.empty, value < 0 ? themed.negative : themed.positive, Math.min(Math.abs(value), 1));
}
