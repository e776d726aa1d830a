// The weights of the chosen unit over the epochs, the chosen one bold.

import { digits } from "./arrays.js";
import { classColor, css } from "./colors.js";
import { panel, svg } from "./elements.js";

const WIDTH = 460;
const HEIGHT = 190;
const LEFT = 54;
const RIGHT = 124;
const TOP = 8;
const BOTTOM = 22;
const MOST_LINES = 8;

export class WeightsView {
  constructor(page, film, index) {
    Object.assign(this, { page, film, index });
    this.drawing = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", class: "weights" });
    this.node = panel("Weights over the epochs, into the chosen unit", this.drawing);
    this.now = svg("line", { stroke: "var(--chosen)", y1: TOP, y2: HEIGHT - BOTTOM });
    this.shown = "";
  }

  /** The weights into the unit: the first few and the chosen one, then the bias. */
  lines({ layer, from, to }) {
    const { film, page } = this;
    const size = film.sizes[layer];
    const units = [...Array(Math.min(size, MOST_LINES)).keys()];
    if (from >= MOST_LINES) units[MOST_LINES - 1] = from;
    const lines = units.map((unit) => ({
      from: unit,
      at: film.network.weight(layer, unit, to),
      name: page.unitName(film, layer, unit, true),
    }));
    if (film.hasBiases) lines.push({ from: -1, at: film.network.bias(layer, to), name: "bias" });
    return lines;
  }

  x(epoch) {
    return LEFT + (epoch / Math.max(this.film.nEpochs, 1)) * (WIDTH - LEFT - RIGHT);
  }

  draw(state) {
    const { film } = this;
    const lines = this.lines(state);
    const values = lines.map(({ at }) => film.epochs.map((_, frame) => film.weightsAt(frame)[at]));
    const flat = values.flat();
    const low = Math.min(0, ...flat);
    const high = Math.max(0, ...flat, low + 1e-9);
    const y = (value) => TOP + ((high - value) / (high - low)) * (HEIGHT - TOP - BOTTOM);
    const parts = [
      svg("title", {}, lines.map(({ name }, line) => `${name}: ${digits(values[line].at(-1), 3)} at the end`).join("; ")),
      svg("line", { x1: LEFT, x2: WIDTH - RIGHT, y1: y(0), y2: y(0), stroke: "var(--line)" }),
      svg("text", { x: LEFT - 4, y: y(high) + 10, "text-anchor": "end" }, digits(high, 3)),
      svg("text", { x: LEFT - 4, y: y(low), "text-anchor": "end" }, digits(low, 3)),
      svg("text", { x: WIDTH - RIGHT, y: HEIGHT - 6, "text-anchor": "end" }, `epoch ${film.nEpochs}`),
    ];
    // Names beside the ends of the lines, moved apart where these are close.
    const order = lines.map((_, line) => line).sort((a, b) => values[b].at(-1) - values[a].at(-1));
    let free = TOP - 4;
    order.forEach((line, place) => {
      const chosen = lines[line].from === state.from;
      const stroke = chosen ? "var(--chosen)" : css(classColor(line));
      const d = values[line]
        .map((value, frame) => `${this.x(film.epochs[frame]).toFixed(1)} ${y(value).toFixed(1)}`)
        .join("L");
      free = Math.max(free + 16, Math.min(y(values[line].at(-1)) + 4, HEIGHT - 4 - 16 * (order.length - 1 - place)));
      const name = lines[line].name.slice(0, 10);
      parts.push(
        svg("path", {
          d: `M${d}`,
          fill: "none",
          stroke,
          "stroke-width": chosen ? 3.5 : 1.5,
          "stroke-dasharray": lines[line].from < 0 ? "2 2" : "",
        }),
        svg(
          "text",
          { x: WIDTH - RIGHT + 5, y: free, style: chosen ? "font-weight: 700" : "" },
          `${digits(values[line].at(-1), 3)} ${name}`,
        ),
      );
    });
    this.drawing.replaceChildren(...parts, this.now);
  }

  render({ epoch }) {
    const { layer, from, to } = this.page.place(this.index);
    const key = `${layer} ${from} ${to}`;
    if (key !== this.shown) this.draw({ layer, from, to });
    this.shown = key;
    const x = this.x(Math.min(epoch, this.film.nEpochs));
    this.now.setAttribute("x1", x);
    this.now.setAttribute("x2", x);
  }
}
