// The data with what is predicted for them: a map over two features, a curve over one, residuals, or an image.

import { digits } from "./arrays.js";
import { SHAPES, classColor, css, mixed, numberColor, theme } from "./colors.js";
import { element, panel, pointIn, select } from "./elements.js";

const SIZE = 420;
// The shapes in letters, for the legend; and so many classes it names.
const SIGNS = ["●", "■", "▲", "◆"];
const MOST_CLASSES = 10;
const HEIGHT = 320;
// Cells of the map a side; fewer for networks that take long.
const CELLS = 56;
const MOST_WORK = 1.5e6;

/** What `draw` draws a sample as: a shape of some size around a point. */
function trace(context, shape, x, y, r) {
  context.beginPath();
  if (shape === "square") context.rect(x - r, y - r, 2 * r, 2 * r);
  else if (shape === "triangle") {
    context.moveTo(x, y - 1.3 * r);
    context.lineTo(x + 1.2 * r, y + r);
    context.lineTo(x - 1.2 * r, y + r);
    context.closePath();
  } else if (shape === "diamond") {
    context.moveTo(x, y - 1.4 * r);
    context.lineTo(x + 1.4 * r, y);
    context.lineTo(x, y + 1.4 * r);
    context.lineTo(x - 1.4 * r, y);
    context.closePath();
  } else context.arc(x, y, r, 0, 2 * Math.PI);
}

export class DataView {
  constructor(page, film, index) {
    Object.assign(this, { page, film, index });
    const { data } = page;
    this.n = film.nFeatures;
    this.isNumeric = data.kind === "regression";
    this.features = [0, Math.min(1, this.n - 1)];
    this.output = 0;
    this.kinds = this.kindsOf(data);
    [[this.kind]] = this.kinds;
    this.canvas = element("canvas", { width: SIZE, height: HEIGHT, tabindex: 0, role: "img", class: "data" });
    this.canvas.addEventListener("click", (event) => this.click(event));
    this.canvas.addEventListener("keydown", (event) => this.key(event));
    this.words = element("p", { class: "faint" });
    this.dots = element("canvas", { width: SIZE, height: HEIGHT });
    this.cells = element("canvas");
    const [low, high] = page.ranges(page.samples.Y, film.nOutputs)[0];
    this.range = [low, high];
    this.axesLists = [];
    this.colors = this.legend();
    this.node = panel("Data and predictions", this.controls(), this.canvas, this.colors, this.words);
    this.held = new Set(film.heldOut);
    this.drawn = "";
  }

  kindsOf({ imageShape, kind }) {
    const kinds = [];
    if (imageShape) kinds.push(["image", "the chosen image"]);
    if (this.n === 1) kinds.push(["curve", "the fitted curve"]);
    else kinds.push(["map", "a map of two features"]);
    if (kind === "regression") kinds.push(["residuals", "predicted against actual"]);
    return kinds;
  }

  controls() {
    const { page, film } = this;
    const again = () => {
      this.drawn = "";
      page.render();
    };
    const row = element("div", { class: "controls" });
    if (this.kinds.length > 1) row.append(select("Show", this.kinds, (kind) => ((this.kind = kind), again()))[0]);
    if (this.n > 2) {
      const names = page.data.features.map((name, at) => [at, name]);
      ["across", "up"].forEach((way, axis) => {
        const [label, list] = select(way, names, (at) => ((this.features[axis] = Number(at)), again()));
        list.value = this.features[axis];
        this.axesLists.push(label);
        row.append(label);
      });
    }
    if (film.nOutputs > 1 && !film.loss.normalized) {
      const names = page.data.classes.map((name, at) => [at, name]);
      row.append(
        select(
          "of",
          names,
          (at) => ((this.output = Number(at)), (this.range = page.ranges(page.samples.Y, film.nOutputs)[at]), again()),
        )[0],
      );
    }
    return row;
  }

  /** Which colour and shape is which class, or which colour which number. */
  legend() {
    const { classes, kind } = this.page.data;
    const entry = (sign, color, words) =>
      element("span", {}, element("span", { style: `color: ${css(color)}`, "aria-hidden": "true" }, sign), ` ${words}`);
    const ends = this.isNumeric ? this.range.map((value, at) => entry("■", numberColor(at), digits(value, 3))) : [];
    const groups = kind === "multilabel" ? ["no", "yes"] : classes;
    const entries = groups.slice(0, MOST_CLASSES).map((name, at) => entry(SIGNS[at % SIGNS.length], classColor(at), name));
    return element("div", { class: "legend" }, ...(this.isNumeric ? ends : entries));
  }

  /** The class of a sample, by its number. */
  classOf(row) {
    const { Y } = this.page.samples;
    const { nOutputs, loss } = this.film;
    if (!loss.normalized || nOutputs === 1) return Y[row * nOutputs + this.output] > 0.5 ? 1 : 0;
    let best = 0;
    for (let k = 1; k < nOutputs; k++) if (Y[row * nOutputs + k] > Y[row * nOutputs + best]) best = k;
    return best;
  }

  /** Half the size of a sample. */
  get r() {
    const { n } = this.page.samples;
    return n > 800 ? 2.2 : n > 30 ? 3.6 : 7;
  }

  share(value) {
    return (value - this.range[0]) / (this.range[1] - this.range[0] || 1);
  }

  /** The colour of a prediction. */
  colorOf(prediction, output = this.output) {
    if (this.isNumeric) return numberColor(this.share(prediction[output]));
    if (!this.film.loss.normalized) {
      const p = Math.min(Math.max(prediction[output], 0), 1);
      return mixed(theme("ground"), classColor(p > 0.5 ? 1 : 0), 0.06 + 0.64 * Math.abs(2 * p - 1));
    }
    let best = 0;
    for (let k = 1; k < prediction.length; k++) if (prediction[k] > prediction[best]) best = k;
    const sure = (prediction[best] - 1 / prediction.length) / (1 - 1 / prediction.length);
    return mixed(theme("ground"), classColor(best), 0.06 + 0.64 * sure);
  }

  /** Limits of the axes, a little wider than the samples. */
  limits(axis) {
    const [low, high] = axis === "y" ? this.range : this.page.featureRanges[this.features[axis]];
    const margin = 0.08 * (high - low || 1);
    return [low - margin, high + margin];
  }

  at(value, axis) {
    const [low, high] = this.limits(axis);
    const share = (value - low) / (high - low);
    return axis === 0 ? share * SIZE : (1 - share) * HEIGHT;
  }

  /** Where a sample is on the drawing. */
  place(row) {
    const { X, Y } = this.page.samples;
    const feature = (axis) => X[row * this.n + this.features[axis]];
    if (this.kind === "map") return [this.at(feature(0), 0), this.at(feature(1), 1)];
    const y = this.target(Y[row * this.film.nOutputs + this.output], row);
    if (this.kind === "curve") return [this.at(feature(0), 0), this.at(y, "y")];
    const [low, high] = this.limits("y");
    return [((Y[row * this.film.nOutputs + this.output] - low) / (high - low)) * SIZE, this.at(this.predicted[row], "y")];
  }

  /** A target as the curve shows it; of classes that of the one output. */
  target(value, row) {
    return this.film.loss.normalized ? Number(this.classOf(row) === this.output) : value;
  }

  drawDots() {
    const key = `${this.kind} ${this.features} ${this.output} ${theme("text")}`;
    if (this.drawn === key && this.kind !== "residuals") return;
    this.drawn = key;
    const context = this.dots.getContext("2d");
    context.clearRect(0, 0, SIZE, HEIGHT);
    const { r } = this;
    context.lineWidth = 1;
    const edge = css(theme("ground"));
    for (let row = 0; row < this.page.samples.n; row++) {
      const group = this.isNumeric ? 0 : this.classOf(row);
      const color = this.isNumeric
        ? numberColor(this.share(this.page.samples.Y[row * this.film.nOutputs + this.output]))
        : classColor(group);
      trace(context, SHAPES[group % SHAPES.length], ...this.place(row), r);
      context.fillStyle = this.held.has(row) ? edge : css(color);
      context.strokeStyle = this.held.has(row) ? css(color) : edge;
      context.fill();
      context.stroke();
    }
  }

  drawMap(context, { theta, network }) {
    const most = Math.sqrt(MOST_WORK / network.nParameters);
    const cells = Math.max(12, Math.min(CELLS, Math.round(most)));
    const image = new ImageData(cells, cells);
    const [[x0, x1], [y0, y1]] = [this.limits(0), this.limits(1)];
    const raw = Float64Array.from(this.page.inputs);
    const inputs = new Float64Array(this.n);
    for (let row = 0, at = 0; row < cells; row++) {
      for (let column = 0; column < cells; column++, at += 4) {
        raw[this.features[0]] = x0 + ((column + 0.5) / cells) * (x1 - x0);
        raw[this.features[1]] = y1 - ((row + 0.5) / cells) * (y1 - y0);
        inputs.set(raw);
        const color = this.colorOf(this.film.predict(theta, this.film.standardize(inputs), 0, network));
        for (let part = 0; part < 3; part++) image.data[at + part] = color[part];
        image.data[at + 3] = 255;
      }
    }
    this.cells.width = this.cells.height = cells;
    this.cells.getContext("2d").putImageData(image, 0, 0);
    context.imageSmoothingEnabled = true;
    context.drawImage(this.cells, 0, 0, SIZE, HEIGHT);
  }

  drawCurve(context, { theta, network }) {
    const [low, high] = this.limits(0);
    context.strokeStyle = css(theme("chosen"));
    context.lineWidth = 3;
    context.beginPath();
    for (let k = 0; k <= 200; k++) {
      const x = low + (k / 200) * (high - low);
      const y = this.film.predict(theta, this.film.standardize([x]), 0, network)[this.output];
      context.lineTo(this.at(x, 0), this.at(y, "y"));
    }
    context.stroke();
  }

  /** Height and width of the image, the side of a pixel on the drawing, and where the first one begins. */
  get raster() {
    const [height, width] = this.page.data.imageShape;
    const side = Math.min(SIZE / width, HEIGHT / height);
    return { height, width, side, left: (SIZE - side * width) / 2 };
  }

  drawImage(context) {
    const { height, width, side, left } = this.raster;
    const [low, high] = this.page.imageRange;
    for (let row = 0; row < height; row++) {
      for (let column = 0; column < width; column++) {
        const share = (this.page.inputs[row * width + column] - low) / (high - low || 1);
        context.fillStyle = css(mixed(theme("ground"), theme("text"), share));
        context.fillRect(left + column * side, row * side, side + 0.5, side + 0.5);
      }
    }
    const { layer, from } = this.page.place(this.index);
    if (layer > 0 || from < 0) return;
    context.lineWidth = 3;
    context.strokeStyle = css(theme("chosen"));
    context.strokeRect(left + (from % width) * side + 1.5, Math.floor(from / width) * side + 1.5, side - 3, side - 3);
  }

  drawDiagonal(context, { theta, network }) {
    const { film, page } = this;
    this.predicted ??= new Float64Array(page.samples.n);
    for (let row = 0; row < page.samples.n; row++) {
      this.predicted[row] = film.predict(theta, film.standardized, row * this.n, network)[this.output];
    }
    context.strokeStyle = css(theme("text"));
    context.beginPath();
    context.moveTo(0, HEIGHT);
    context.lineTo(SIZE, 0);
    context.stroke();
  }

  render(moment) {
    for (const list of this.axesLists) list.hidden = this.kind !== "map";
    this.colors.hidden = this.kind === "image";
    const context = this.canvas.getContext("2d");
    context.fillStyle = css(theme("ground"));
    context.fillRect(0, 0, SIZE, HEIGHT);
    const draw = { map: "drawMap", curve: "drawCurve", image: "drawImage", residuals: "drawDiagonal" }[this.kind];
    this[draw](context, moment);
    if (this.kind !== "image") {
      this.drawDots();
      context.drawImage(this.dots, 0, 0);
      this.drawChosen(context);
    }
    const { page, film } = this;
    const prediction = film.predict(moment.theta, page.inputsFor(film), 0, moment.network);
    const held = this.held.size && this.kind !== "image" ? "Hollow: held out for validation. " : "";
    const sample = `Sample ${page.numberOf(page.state.sample)}: ${page.predictionWords(film, prediction)}.`;
    this.words.textContent = `${this.axes()} ${held}${sample}`;
    this.canvas.setAttribute("aria-label", `${this.words.textContent} The arrow keys choose another sample.`);
  }

  axes() {
    const { features, classes } = this.page.data;
    const [across, up] = this.features.map((at) => features[at]);
    const output = classes.slice(-this.film.nOutputs)[this.output];
    const words = {
      map: `Across ${across}, up ${up}${this.n > 2 ? "; the map is for the chosen sample’s other features" : ""}.`,
      curve: `Across ${across}, up ${this.isNumeric ? "" : "the probability of "}${output}.`,
      residuals: "Across what is, up what is predicted: right is on the line.",
      image: "A click on a pixel chooses its weight.",
    };
    return words[this.kind];
  }

  drawChosen(context) {
    const { page } = this;
    let [x, y] = this.place(page.state.sample);
    if (page.state.whatIf && this.kind === "map")
      [x, y] = [this.at(page.inputs[this.features[0]], 0), this.at(page.inputs[this.features[1]], 1)];
    context.lineWidth = 3;
    context.strokeStyle = css(theme("chosen"));
    context.beginPath();
    context.arc(x, y, this.r + 5, 0, 2 * Math.PI);
    context.stroke();
  }

  click(event) {
    const [x, y] = pointIn(this.canvas, event, SIZE);
    if (this.kind === "image") {
      const { height, width, side, left } = this.raster;
      const [row, column] = [Math.floor(y / side), Math.floor((x - left) / side)];
      if (row >= height || column < 0 || column >= width) return;
      const { layer, to } = this.page.place(this.index);
      this.page.choose(this.index, 0, row * width + column, layer > 0 ? 0 : to);
      return;
    }
    let [nearest, best] = [Infinity, 0];
    for (let row = 0; row < this.page.samples.n; row++) {
      const [px, py] = this.place(row);
      const distance = Math.hypot(px - x, py - y);
      if (distance < nearest) [nearest, best] = [distance, row];
    }
    this.page.chooseSample(best);
  }

  key(event) {
    const step = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const { samples, state } = this.page;
    this.page.chooseSample((state.sample + step + samples.n) % samples.n);
  }
}
