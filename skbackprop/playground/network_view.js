// The network: units coloured by their activation for the chosen sample, weights by sign and size; a click chooses one.

import { digits } from "./arrays.js";
import { css, signedColor } from "./colors.js";
import { hideTip, panel, pointIn, showTip, svg } from "./elements.js";

const WIDTH = 520;
const MOST_UNITS = 16;
const RADIUS = 15;
const GAP = 37;
// So near a line a click is meant for it.
const NEAR = 7;
const LONGEST_NAME = 14;

const short = (name) => (name.length > LONGEST_NAME ? `${name.slice(0, LONGEST_NAME - 1)}…` : name);

export class NetworkView {
  constructor(page, film, index) {
    Object.assign(this, { page, film, index });
    const { sizes } = film;
    const shown = sizes.map((size) => Math.min(size, MOST_UNITS));
    this.height = Math.max(160, 56 + Math.max(...shown) * GAP + 24);
    this.drawing = svg("svg", {
      viewBox: `0 0 ${WIDTH} ${this.height}`,
      tabindex: 0,
      role: "application",
      class: "network",
      "aria-label": "Network. The arrow keys choose a weight: left and right another layer, up and down another weight.",
    });
    const left =
      30 +
      6.4 *
        Math.max(
          ...this.names(0)
            .slice(0, MOST_UNITS)
            .map((name) => short(name).length),
        );
    const right =
      26 +
      6.4 *
        Math.max(
          ...this.names(film.network.depth)
            .slice(0, MOST_UNITS)
            .map((name) => short(name).length),
        );
    this.places = shown.map((count, layer) => {
      const x = left + (layer / (sizes.length - 1)) * (WIDTH - left - right);
      const top = 50 + (this.height - 74 - count * GAP) / 2 + GAP / 2;
      return Array.from({ length: count }, (_, unit) => [x, top + unit * GAP]);
    });
    this.drawEdges();
    this.drawUnits();
    this.drawTitles();
    this.drawing.addEventListener("pointermove", (event) => this.hover(event));
    this.drawing.addEventListener("pointerleave", hideTip);
    this.drawing.addEventListener("click", (event) => this.click(event));
    this.drawing.addEventListener("keydown", (event) => this.key(event));
    this.node = panel("Network: units by activation, lines by weight, squares by bias", this.drawing);
  }

  /** The names of the units of a layer. */
  names(layer) {
    const { film, page } = this;
    if (layer === 0) return page.data.features;
    if (layer < film.network.depth)
      return film.activations[layer - 1] && Array.from({ length: film.sizes[layer] }, (_, k) => `${k + 1}`);
    // For two classes there is one output unit, which stands for the second.
    return page.data.classes.slice(-film.nOutputs);
  }

  drawEdges() {
    this.edges = [];
    for (let layer = 0; layer < this.film.network.depth; layer++) {
      this.places[layer].forEach(([x1, y1], from) => {
        this.places[layer + 1].forEach(([x2, y2], to) => {
          const line = svg("line", { x1, y1, x2, y2, class: "edge" });
          this.edges.push({ layer, from, to, x1, y1, x2, y2, line });
          this.drawing.append(line);
        });
      });
    }
  }

  drawUnits() {
    this.units = this.places.map((column, layer) =>
      column.map(([x, y], unit) => {
        const circle = svg("circle", { cx: x, cy: y, r: RADIUS, stroke: "var(--faint)", "stroke-width": 1.2 });
        const text = svg("text", { x, y: y + 4, "text-anchor": "middle", style: "font-size: 9.5px" });
        const bias =
          layer && this.film.hasBiases
            ? svg("rect", { x: x - 5, y: y + RADIUS - 3, width: 10, height: 6, stroke: "var(--faint)" })
            : null;
        this.drawing.append(svg("g", { class: "unit" }, circle, text, ...(bias ? [bias] : [])));
        if (layer === 0 || layer === this.film.network.depth) {
          const side = layer ? { x: x + RADIUS + 5, "text-anchor": "start" } : { x: x - RADIUS - 5, "text-anchor": "end" };
          this.drawing.append(svg("text", { ...side, y: y + 4 }, short(this.names(layer)[unit])));
        }
        return { circle, text, bias, layer, unit };
      }),
    );
  }

  drawTitles() {
    const { film } = this;
    this.places.forEach(([[x]], layer) => {
      const isOutput = layer === film.network.depth;
      const title = layer === 0 ? "inputs" : isOutput ? "output" : `hidden ${layer}`;
      const anchor = layer === 0 ? "start" : isOutput ? "end" : "middle";
      const at = layer === 0 ? 4 : isOutput ? WIDTH - 4 : x;
      this.drawing.append(svg("text", { x: at, y: 14, "text-anchor": anchor, style: "font-weight: 600" }, title));
      const more = film.sizes[layer] - MOST_UNITS;
      if (more > 0) {
        this.drawing.append(
          svg("text", { x: at, y: this.height - 6, "text-anchor": anchor, class: "faint" }, `and ${more} more`),
        );
      }
    });
    this.functions = this.places.slice(1, -1).map(([[x]]) => {
      const text = svg("text", { x, y: 29, "text-anchor": "middle", class: "faint" });
      this.drawing.append(text);
      return text;
    });
  }

  /** The unit or the weight under the pointer. */
  under(event) {
    const [x, y] = pointIn(this.drawing, event, WIDTH);
    for (const unit of this.units.flat()) {
      const [ux, uy] = this.places[unit.layer][unit.unit];
      if (Math.hypot(x - ux, y - uy) <= RADIUS + 3) return { unit };
    }
    let nearest = NEAR;
    let edge = null;
    for (const candidate of this.edges) {
      const { x1, y1, x2, y2 } = candidate;
      if (x < x1 || x > x2) continue;
      const along = (x - x1) / (x2 - x1);
      const distance = Math.abs(y1 + along * (y2 - y1) - y) * ((x2 - x1) / Math.hypot(x2 - x1, y2 - y1));
      if (distance < nearest) [nearest, edge] = [distance, candidate];
    }
    return { edge };
  }

  hover(event) {
    const { unit, edge } = this.under(event);
    if (!unit && !edge) hideTip();
    else showTip(unit ? this.unitWords(unit) : this.edgeWords(edge), event);
  }

  edgeWords({ layer, from, to }) {
    const { page, film, index } = this;
    const { theta } = page.moments[index];
    const [below, above] = [page.unitName(film, layer, from), page.unitName(film, layer + 1, to)];
    return `${below} → ${above}: weight ${digits(theta[film.network.weight(layer, from, to)])}`;
  }

  unitWords({ layer, unit }) {
    const { page, film, index } = this;
    const { theta } = page.moments[index];
    const name = page.unitName(film, layer, unit);
    if (layer === 0)
      return `${name}: ${digits(page.inputs[unit])}${film.inputs ? `, standardised ${digits(this.values[0][unit])}` : ""}`;
    const bias = film.hasBiases ? `, bias ${digits(theta[film.network.bias(layer - 1, unit)])}` : "";
    return `${name}: raw score ${digits(this.raw[layer - 1][unit])}, puts out ${digits(this.values[layer][unit])}${bias}`;
  }

  click(event) {
    const { unit, edge } = this.under(event);
    if (edge) this.page.choose(this.index, edge.layer, edge.from, edge.to);
    else if (unit?.bias) this.page.choose(this.index, unit.layer - 1, -1, unit.unit);
  }

  key(event) {
    const { film, page, index } = this;
    const { sizes, network } = film;
    let { layer, from, to } = page.state;
    if (event.key === "ArrowLeft" || event.key === "ArrowRight") {
      layer = (layer + (event.key === "ArrowLeft" ? network.depth - 1 : 1)) % network.depth;
      from = Math.min(from, sizes[layer] - 1);
      to = Math.min(to, sizes[layer + 1] - 1);
    } else if (event.key === "ArrowUp" || event.key === "ArrowDown") {
      const count = sizes[layer] * sizes[layer + 1];
      const at = (Math.max(from, 0) * sizes[layer + 1] + to + (event.key === "ArrowUp" ? count - 1 : 1)) % count;
      from = Math.floor(at / sizes[layer + 1]);
      to = at % sizes[layer + 1];
    } else return;
    event.preventDefault();
    page.choose(index, layer, from, to);
  }

  render({ theta, network }) {
    const { page, film, index } = this;
    const prediction = film.predict(theta, page.inputsFor(film), 0, network);
    this.raw = network.raw.map((values) => values.slice());
    this.values = [...network.out.slice(0, -1).map((values) => values.slice()), prediction.slice()];
    let largest = 1e-12;
    for (const { layer, from, to } of this.edges)
      largest = Math.max(largest, Math.abs(theta[network.weight(layer, from, to)]));
    const { layer: chosenLayer, from: chosenFrom, to: chosenTo, film: chosenFilm } = page.state;
    for (const { layer, from, to, line } of this.edges) {
      const share = theta[network.weight(layer, from, to)] / largest;
      const isChosen = chosenFilm === index && layer === chosenLayer && from === chosenFrom && to === chosenTo;
      line.setAttribute("stroke", share < 0 ? "var(--negative)" : "var(--positive)");
      line.setAttribute("stroke-width", isChosen ? Math.max(3, 5 * Math.abs(share)) : 0.3 + 5 * Math.abs(share));
      line.setAttribute("stroke-opacity", isChosen ? 1 : 0.25 + 0.75 * Math.abs(share));
      line.classList.toggle("chosen", isChosen);
    }
    this.units.forEach((column, layer) => {
      const scale = Math.max(1, ...this.values[layer].map(Math.abs));
      for (const { circle, text, bias, unit } of column) {
        const value = this.values[layer][unit];
        const color = signedColor(Number.isFinite(value) ? value / scale : 0);
        circle.setAttribute("fill", css(color));
        text.style.fill = css(contrast(color));
        text.textContent = Math.abs(value) < 9.95 ? value.toFixed(2).replace("-", "\u2212") : digits(value, 2);
        if (!bias) continue;
        const at = theta[network.bias(layer - 1, unit)];
        const isChosen = chosenFilm === index && layer - 1 === chosenLayer && chosenFrom === -1 && unit === chosenTo;
        bias.setAttribute("fill", css(signedColor(at / largest)));
        bias.setAttribute("stroke", isChosen ? "var(--chosen)" : "var(--faint)");
        bias.setAttribute("stroke-width", isChosen ? 3 : 1);
      }
    });
    this.functions.forEach((text, layer) => (text.textContent = network.functions[layer].name.split(" ")[0]));
  }
}

/** The colour of letters that can be read on a ground: black or white, whichever is further from it. */
function contrast(color) {
  const [red, green, blue] = color;
  return 0.3 * red + 0.59 * green + 0.11 * blue > 140 ? [0, 0, 0] : [255, 255, 255];
}
