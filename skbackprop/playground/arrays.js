// Arrays as Python packed them, and numbers as people read them.

const TYPES = { Uint8Array, Float32Array, Float64Array };

/** The values of a packed array, in double precision. (Every machine that a browser runs on is little-endian.) */
export function unpack({ type, data }) {
  const bytes = Uint8Array.from(atob(data), (character) => character.charCodeAt(0));
  return Float64Array.from(new TYPES[type](bytes.buffer));
}

/** A number with some significant digits, without the zeros that say nothing. */
export function digits(value, count = 4) {
  if (!Number.isFinite(value)) return String(value);
  if (value === 0) return "0";
  const size = Math.abs(value);
  const text = size >= 1e6 || size < 1e-4 ? value.toExponential(count - 1) : value.toPrecision(count);
  return text
    .replace(/(\.\d*?)0+(?=e|$)/, "$1")
    .replace(/\.(?=e|$)/, "")
    .replace("e+", "e")
    .replaceAll("-", "\u2212");
}

/** A number in brackets where it is negative, for a product or a sum. */
export function factor(value, count = 4) {
  return value < 0 ? `(${digits(value, count)})` : digits(value, count);
}

/** The Euclidean norm. */
export function norm(values) {
  let sum = 0;
  for (const value of values) sum += value * value;
  return Math.sqrt(sum);
}
