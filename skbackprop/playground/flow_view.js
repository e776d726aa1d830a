// Gradient flow: how much of the error reaches each layer, and how many units are saturated.

import { digits } from "./arrays.js";
import { element, panel, svg } from "./elements.js";

const WIDTH = 460;
const ROW = 26;
const TOP = 20;
// The axis goes down to this share of the largest.
const LEAST = 1e-9;
// As in `skbackprop.inspection.gradient_flow`.
const VANISHED = 1e-3;
const SATURATED = 0.05;
// Multiplications that a drawing may take while the film plays.
const WHILE_PLAYING = 4e5;

/** The largest slope of an activation. */
function largestSlope({ value, slope }) {
  let largest = 0;
  for (let z = -10; z <= 10; z += 0.01) largest = Math.max(largest, Math.abs(slope(z, value(z))));
  return largest;
}

/** For each layer, over the rows: the norm of its delta, of its weights' gradient, and the share of saturated slopes. */
export function flowOf(film, network, theta, rows) {
  const gradient = new Float64Array(network.nParameters);
  const errors = new Float64Array(network.depth);
  const saturated = new Float64Array(network.depth);
  const least = network.functions.map((activation) => SATURATED * largestSlope(activation));
  for (const row of rows) {
    const Z = network.forward(theta, film.standardized, row * film.nFeatures);
    film.loss.gradient(film.targetsOf(row), Z, network.delta.at(-1));
    const share = (film.weight ? film.weight[row] : 1) / rows.length;
    network.backward(theta, gradient, share);
    network.delta.forEach((delta, layer) => {
      for (const value of delta) errors[layer] += (share * value) ** 2;
      if (layer === network.depth - 1) return;
      const { slope } = network.functions[layer];
      const raw = network.raw[layer];
      for (let j = 0; j < raw.length; j++)
        saturated[layer] += Math.abs(slope(raw[j], network.out[layer + 1][j])) < least[layer] ? 1 : 0;
    });
  }
  return network.sizes.slice(1).map((size, layer) => {
    const start = network.starts[layer];
    let sum = 0;
    for (let i = start; i < start + network.sizes[layer] * size; i++) sum += gradient[i] ** 2;
    return {
      error: Math.sqrt(errors[layer]),
      gradient: Math.sqrt(sum),
      saturated: saturated[layer] / (rows.length * size),
    };
  });
}

export class FlowView {
  constructor(page, film) {
    this.page = page;
    this.film = film;
    const { depth } = film.network;
    const height = TOP + depth * ROW;
    this.drawing = svg("svg", { viewBox: `0 0 ${WIDTH} ${height}`, role: "img", class: "flow" });
    this.title = svg("title");
    this.drawing.append(
      this.title,
      svg("text", { x: 82, y: 12, class: "faint" }, "size of the gradient (logarithmic)"),
      svg("text", { x: WIDTH, y: 12, class: "faint", "text-anchor": "end" }, "saturated"),
    );
    this.rows = Array.from({ length: depth }, (_, layer) => {
      // The inputs are below, as in the report in Python: the highest layer stands at the top.
      const y = TOP + (depth - 1 - layer) * ROW;
      const bar = svg("rect", { x: 82, y: y + 3, height: ROW - 8, fill: "var(--positive)", rx: 3 });
      const number = svg("text", { y: y + 16 });
      const share = svg("text", { x: WIDTH, y: y + 16, "text-anchor": "end" });
      const name = layer === depth - 1 ? "output" : `layer ${layer + 1}`;
      this.drawing.append(svg("text", { x: 0, y: y + 16 }, name), bar, number, share);
      return { bar, number, share };
    });
    this.verdict = element("p", { class: "result" });
    this.node = panel("Gradient flow: does the error reach every layer?", this.drawing, this.verdict);
  }

  render({ theta, network }) {
    const { film, page } = this;
    const busy = page.state.playing || page.state.trains;
    const most = busy ? Math.max(16, Math.floor(WHILE_PLAYING / network.nParameters)) : Infinity;
    const every = Math.ceil(film.rows.length / most);
    const rows = every > 1 ? film.rows.filter((_, at) => at % every === 0) : film.rows;
    this.flow = flowOf(film, network, theta, rows);
    const largest = Math.max(...this.flow.map(({ gradient }) => gradient));
    this.flow.forEach(({ gradient, saturated }, layer) => {
      const { bar, number, share } = this.rows[layer];
      const length = gradient > 0 ? 1 - Math.log(gradient / largest) / Math.log(LEAST) : 0;
      const width = Math.max(1.5, Math.min(Math.max(length, 0), 1) * 230);
      bar.setAttribute("width", width);
      number.setAttribute("x", 82 + width + 6);
      number.textContent = digits(gradient, 2);
      share.textContent = layer === network.depth - 1 ? "" : `${Math.round(100 * saturated)} %`;
    });
    const output = this.flow.at(-1).error;
    const lowest = this.flow[0].error / output;
    this.verdict.textContent =
      network.depth === 1
        ? ""
        : lowest < VANISHED
          ? `Vanishing: ${digits(lowest, 2)} of the error at the output reaches layer 1.`
          : `The error at layer 1 is ${digits(lowest, 2)} times that at the output.`;
    this.title.textContent = this.flow
      .map(({ gradient }, at) => `layer ${at + 1}: gradient ${digits(gradient, 2)}`)
      .join("; ");
  }
}
