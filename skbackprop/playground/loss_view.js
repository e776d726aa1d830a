// The loss of each epoch, in training and validation; a click goes to its epoch.

import { digits } from "./arrays.js";
import { panel, pointIn, svg } from "./elements.js";

const WIDTH = 460;
const HEIGHT = 210;
const LEFT = 68;
const RIGHT = 12;
const TOP = 16;
const BOTTOM = 34;
// Beyond such a ratio of the largest to the smallest loss the axis is logarithmic.
const WIDE = 30;

export class LossView {
  constructor(page, film, index) {
    this.page = page;
    this.film = film;
    this.index = index;
    const isLoss = film.scoring === "loss";
    this.validation = film.scores && film.scores.map((score) => (isLoss && score !== null ? -score : score));
    this.sameAxis = isLoss;
    this.drawing = svg("svg", {
      viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
      role: "img",
      class: "losses",
      style: "cursor: pointer",
    });
    this.drawing.addEventListener("click", (event) => this.click(event));
    this.label = svg("title");
    this.now = svg("line", { stroke: "var(--chosen)", "stroke-width": 2, y1: TOP, y2: HEIGHT - BOTTOM });
    this.dot = svg("circle", { r: 5, fill: "var(--chosen)" });
    this.here = svg("path", { fill: "none", stroke: "var(--chosen)", "stroke-width": 2, "stroke-dasharray": "5 3" });
    const unit = film.lossUnit ? `, in ${film.lossUnit} a sample` : "";
    this.node = panel(`Loss${unit}`, this.drawing);
    this.layOut(0);
  }

  /** Draw axes and curves, with room for so many epochs beyond the film. */
  layOut(more) {
    const { film, validation } = this;
    this.more = more;
    this.last = Math.max(this.page.times.at(-1), film.nEpochs) + more;
    const finite = (values) => values.filter((value) => value !== null);
    const all = finite([...film.losses, ...(this.sameAxis && validation ? validation : [])]);
    if (!all.length) all.push(0, 1);
    let low = Math.min(...all);
    let high = Math.max(...all);
    this.logarithmic = low > 0 && high / low > WIDE;
    if (!this.logarithmic) low = Math.min(0, low);
    if (high === low) high = low + 1;
    Object.assign(this, { low, high });
    const [x0, x1, y0, y1] = [LEFT, WIDTH - RIGHT, HEIGHT - BOTTOM, TOP];
    const axis = { stroke: "var(--line)", "stroke-width": 1 };
    const kept = this.x(film.keptEpoch);
    const parts = [
      this.label,
      svg("line", { x1: x0, x2: x1, y1: y0, y2: y0, ...axis }),
      svg("line", { x1: x0, x2: x0, y1: y0, y2: y1, ...axis }),
      svg("text", { x: x0 - 5, y: y1 + 5, "text-anchor": "end" }, digits(high, 2)),
      svg("text", { x: x0 - 5, y: y0, "text-anchor": "end" }, digits(low, 2)),
      svg("text", { x: x0, y: y0 + 15 }, "0"),
      svg("text", { x: x1, y: y0 + 15, "text-anchor": "end" }, `epoch ${this.last}`),
      svg("line", { x1: kept, x2: kept, y1: y0, y2: y1, stroke: "var(--faint)", "stroke-dasharray": "2 3" }),
      svg(
        "text",
        {
          x: kept + (kept > WIDTH / 2 ? -4 : 4),
          y: y1 - 4,
          class: "faint",
          "text-anchor": kept > WIDTH / 2 ? "end" : "start",
        },
        `kept: epoch ${film.keptEpoch}`,
      ),
      this.path(film.losses, "var(--positive)", "", (value) => this.y(value)),
      this.legend(0, "var(--positive)", "", `training${this.logarithmic ? " (logarithmic)" : ""}`),
    ];
    if (validation) {
      const [least, most] = [Math.min(...finite(validation)), Math.max(...finite(validation))];
      const own = (value) => y0 - ((value - least) / (most - least || 1)) * (y0 - y1);
      parts.push(
        this.path(validation, "var(--negative)", "7 3", this.sameAxis ? (value) => this.y(value) : own),
        this.legend(
          1,
          "var(--negative)",
          "7 3",
          this.sameAxis ? "validation" : `${this.film.scoring}, ${digits(least, 3)} to ${digits(most, 3)}`,
        ),
      );
    }
    this.drawing.replaceChildren(...parts, this.here, this.now, this.dot);
  }

  legend(place, stroke, dashes, words) {
    const x = LEFT + place * 205;
    return svg(
      "g",
      {},
      svg("line", {
        x1: x,
        x2: x + 22,
        y1: HEIGHT - 12,
        y2: HEIGHT - 12,
        stroke,
        "stroke-width": 2,
        "stroke-dasharray": dashes,
      }),
      svg("text", { x: x + 27, y: HEIGHT - 8 }, words),
    );
  }

  x(epoch) {
    return LEFT + (epoch / Math.max(this.last, 1)) * (WIDTH - LEFT - RIGHT);
  }

  y(value) {
    const { low, high, logarithmic } = this;
    const share = logarithmic ? Math.log(value / low) / Math.log(high / low) : (value - low) / (high - low);
    return HEIGHT - BOTTOM - Math.min(Math.max(share, -0.03), 1.05) * (HEIGHT - BOTTOM - TOP);
  }

  path(values, stroke, dashes, y) {
    let d = "";
    values.forEach((value, at) => {
      if (value !== null) d += `${d ? "L" : "M"}${this.x(at + 1).toFixed(1)} ${y(value).toFixed(1)}`;
    });
    return svg("path", { d, fill: "none", stroke, "stroke-width": 2, "stroke-dasharray": dashes });
  }

  click(event) {
    const [x] = pointIn(this.drawing, event, WIDTH);
    this.page.goToEpoch(((x - LEFT) / (WIDTH - LEFT - RIGHT)) * this.last);
  }

  render({ epoch }) {
    const { film, page } = this;
    const { here } = page.state;
    const trained = here ? here.losses[this.index] : [];
    if (trained.length > this.more || (!trained.length && this.more)) {
      this.layOut(trained.length ? Math.max(2 * this.more, trained.length + 4) : 0);
    }
    const start = here ? here.epoch : 0;
    const points = trained.map((value, at) => `${this.x(start + at + 1).toFixed(1)} ${this.y(value).toFixed(1)}`);
    this.here.setAttribute("d", points.length ? `M${points.join("L")}` : "");
    const at = Math.min(epoch, film.nEpochs);
    const loss = trained.length ? trained.at(-1) : film.losses[Math.max(at - 1, 0)];
    const x = this.x(trained.length ? start + trained.length : at);
    this.now.setAttribute("x1", x);
    this.now.setAttribute("x2", x);
    this.dot.setAttribute("cx", x);
    this.dot.setAttribute("cy", loss === null || loss === undefined ? HEIGHT - BOTTOM : this.y(loss));
    this.label.textContent = `Training loss ${digits(loss ?? NaN)} at epoch ${at + trained.length} of ${film.nEpochs}`;
  }
}
