// The page: what is chosen on it, the moment that it shows of each film, and its views.

import { digits } from "./arrays.js";
import { ChainRule } from "./chain_rule.js";
import { readTheme } from "./colors.js";
import { DataView } from "./data_view.js";
import { element, panel } from "./elements.js";
import { Film, samplesOf } from "./film.js";
import { FlowView } from "./flow_view.js";
import { LossView } from "./loss_view.js";
import { NetworkView } from "./network_view.js";
import { OPTIMIZERS } from "./optimizers.js";
import { TimeBar } from "./time_bar.js";
import { TrainHere } from "./train_here.js";
import { WeightsView } from "./weights_view.js";
import { WhatIf } from "./what_if.js";

// A film takes about five seconds, in between these numbers of frames a second.
const SECONDS = 5;
const SLOWEST = 4;
const FASTEST = 30;

export class Page {
  constructor(data) {
    this.data = data;
    this.samples = samplesOf(data);
    this.films = data.films.map((record) => new Film(record, this.samples));
    this.times = [...new Set(this.films.flatMap((film) => film.epochs))].sort((a, b) => a - b);
    this.featureRanges = this.ranges(this.samples.X, data.features.length);
    this.imageRange = [
      Math.min(...this.featureRanges.map(([low]) => low)),
      Math.max(...this.featureRanges.map(([, high]) => high)),
    ];
    this.state = {
      time: this.times.findLastIndex((epoch) => epoch <= Math.max(...this.films.map((film) => film.keptEpoch))),
      step: 0,
      playing: false,
      trains: false,
      here: null,
      sample: this.fullestSample(),
      whatIf: null,
      film: 0,
      layer: 0,
      from: 0,
      to: 0,
    };
    readTheme();
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
      readTheme();
      this.render();
    });
    this.chooseTelling();
    this.build();
    this.draw();
  }

  build() {
    const at = (id) => document.getElementById(id);
    const container = at("films");
    container.className = this.films.length > 1 ? "two" : "one";
    this.views = this.films.map((film, index) =>
      [LossView, NetworkView, DataView, FlowView, WeightsView].map((View) => new View(this, film, index)),
    );
    this.films.forEach((film, index) => {
      const [loss, network, data, flow, weights] = this.views[index].map((view) => view.node);
      const title = element("h2", { title: film.estimator }, this.films.length > 1 ? film.label : "The training");
      container.append(
        element(
          "article",
          { class: "film", "aria-label": film.label },
          title,
          element("div", { class: "panels" }, network, data, loss, flow, weights),
        ),
      );
    });
    const whatIf = panel("The chosen sample: what if it were another?");
    whatIf.classList.add("what-if");
    (this.films.length > 1 ? container.parentNode : container.querySelector(".panels")).insertBefore(
      whatIf,
      this.films.length > 1 ? at("chain") : null,
    );
    this.others = [new TimeBar(this, at("time")), new WhatIf(this, whatIf), new TrainHere(this, at("trainer-body"))];
    [, , this.trainHere] = this.others;
    this.chain = new ChainRule(this, at("chain-body"));
    const how = "Play the film, click on a weight for its chain rule and for why it moves, on a sample to choose it.";
    at("summary").append(this.summary(), element("span", { class: "how" }, how));
    at("notes").textContent = this.notes();
  }

  summary() {
    const films = this.films.map((film) => `${film.sizes.join(" → ")} units, ${film.nEpochs} epochs`);
    return `${this.data.samples} samples. ${[...new Set(films)].join("; ")}. `;
  }

  notes() {
    const notes = [];
    if (this.data.numbers.length)
      notes.push(
        `${this.samples.n} of ${this.data.samples} samples, drawn at random, are on this page; it uses these alone.`,
      );
    for (const film of this.films) {
      if (film.frames <= film.nEpochs) notes.push(`${film.frames} of ${film.nEpochs + 1} moments stand for all.`);
      if (film.kept)
        notes.push("Shown are the running means of the weights, which fit keeps; steps change the weights themselves.");
      if (film.inputs)
        notes.push("Inputs are standardised before they enter the network, as in training: the weights are for these.");
    }
    return [...new Set(notes)].join(" ");
  }

  // What is chosen ---------------------------------------------------------------------------------------------------

  set(changes) {
    Object.assign(this.state, changes);
    this.render();
  }

  goTo(time) {
    this.set({ time: Math.min(Math.max(time, 0), this.times.length - 1), step: 0, here: null, trains: false });
  }

  /** Go to the moment that is nearest to an epoch. */
  goToEpoch(epoch) {
    let best = 0;
    this.times.forEach((each, at) => {
      if (Math.abs(each - epoch) < Math.abs(this.times[best] - epoch)) best = at;
    });
    this.goTo(best);
  }

  goToStep(step) {
    this.set({ step, here: null, playing: false, trains: false });
  }

  togglePlay() {
    const playing = !this.state.playing;
    if (playing && this.state.time === this.times.length - 1) this.state.time = 0;
    this.set({ playing, step: 0, here: null, trains: false });
  }

  choose(film, layer, from, to) {
    this.set({ film, layer, from, to, playing: false, trains: false });
  }

  chooseSample(sample) {
    this.set({ sample, whatIf: null });
  }

  setFeature(at, value) {
    const whatIf = this.inputs.slice();
    whatIf[at] = value;
    this.set({ whatIf });
  }

  /** The inputs of the chosen sample, perhaps changed. */
  get inputs() {
    const { sample, whatIf } = this.state;
    const n = this.data.features.length;
    return whatIf ?? this.samples.X.subarray(sample * n, (sample + 1) * n);
  }

  inputsFor(film) {
    return film.standardize(Float64Array.from(this.inputs));
  }

  /** The chosen weight, in a film that may be of another size. */
  place(index) {
    const { sizes } = this.films[index];
    const layer = Math.min(this.state.layer, sizes.length - 2);
    return { layer, from: Math.min(this.state.from, sizes[layer] - 1), to: Math.min(this.state.to, sizes[layer + 1] - 1) };
  }

  // Training ---------------------------------------------------------------------------------------------------------

  get frames() {
    return this.films.map((film) => film.frameOf(this.times[this.state.time]));
  }

  /** Steps that can be gone through from here on: 0 where they are not known. */
  get mostSteps() {
    const known = this.films.every((film, index) => film.rule.exact && film.memoryFor(this.frames[index]).possible);
    if (!known) return 0;
    return Math.max(...this.films.map((film) => Math.ceil(film.rows.length / film.rule.batchSize) * film.rule.passes));
  }

  get whyNoSteps() {
    return "Single steps cannot be repeated here, for this solver, these random numbers, or so many samples or weights.";
  }

  /** A trainer at the moment shown of a film, kept for the next time. */
  trainerFor(index) {
    const { step } = this.state;
    const frame = this.frames[index];
    this.trainers ??= [];
    const known = this.trainers[index];
    if (!known || known.frame !== frame || known.step > step) {
      this.trainers[index] = { frame, step: 0, trainer: this.films[index].trainerAt(frame) };
    }
    const found = this.trainers[index];
    for (; found.step < step; found.step++) found.trainer.step();
    return found.trainer;
  }

  /** Begin to train here, from the moment shown. */
  startHere() {
    if (!this.state.here) {
      const trainers = this.films.map((_, index) => this.trainerFor(index).clone());
      const losses = this.films.map(() => []);
      Object.assign(this.state, {
        here: { trainers, losses, latest: [], epoch: this.times[this.state.time] },
        playing: false,
      });
    }
    return this.state.here;
  }

  leaveHere() {
    this.set({ here: null, trains: false, step: 0 });
  }

  /** What the next step would do, or null where that takes too long to find out. */
  nextStep(index) {
    const { here } = this.state;
    const film = this.films[index];
    if (!here && !film.memoryFor(this.frames[index]).possible && film.rule.exact) return null;
    const trainer = (here ? here.trainers[index] : this.trainerFor(index)).clone();
    const before = trainer.theta.slice();
    const { rate } = trainer;
    const [, rows] = trainer.step();
    return {
      rate,
      rows,
      gradient: trainer.gradient,
      change: trainer.theta.map((value, at) => value - before[at]),
      words: OPTIMIZERS[trainer.solver].words,
    };
  }

  /** The weights of a film that are shown, with the network that they belong to. */
  momentOf(film, index) {
    const { here, step, time } = this.state;
    const epoch = this.times[time];
    if (!here && !step) return { theta: film.weightsAt(film.frameOf(epoch)), network: film.network, epoch };
    const trainer = here ? here.trainers[index] : this.trainerFor(index);
    return { theta: film.showsMean ? trainer.mean : trainer.theta, network: trainer.network, epoch };
  }

  // Drawing ----------------------------------------------------------------------------------------------------------

  /** Draw with the next picture of the browser. */
  render() {
    this.pending ??= requestAnimationFrame((now) => {
      this.pending = null;
      this.draw(now);
    });
  }

  draw(now = 0) {
    const { state } = this;
    if (state.playing && !this.advance(now)) {
      this.render();
      return;
    }
    if (state.trains && this.pending === null) this.trainHere.tick();
    this.moments = this.films.map((film, index) => this.momentOf(film, index));
    this.views.forEach((views, index) => views.forEach((view) => view.render(this.moments[index])));
    this.others.forEach((view) => view.render());
    this.chain.render(this.moments[state.film]);
    this.pictures = (this.pictures ?? 0) + 1;
    if (state.playing || state.trains) this.render();
  }

  /** While the film plays, go on to its next frame if that is due; return whether it was. */
  advance(now) {
    const rate = Math.min(Math.max(this.times.length / SECONDS, SLOWEST), FASTEST);
    if (now - (this.lastFrame ?? -Infinity) < 1000 / rate - 4) return false;
    this.lastFrame = now;
    this.state.time++;
    if (this.state.time >= this.times.length - 1)
      Object.assign(this.state, { time: this.times.length - 1, playing: false });
    return true;
  }

  // Words ------------------------------------------------------------------------------------------------------------

  /** The first of the samples with the most inputs other than 0, of which every weight has something to say. */
  fullestSample() {
    const n = this.data.features.length;
    const counts = Array.from(
      { length: this.samples.n },
      (_, row) => this.samples.X.subarray(row * n, (row + 1) * n).filter(Boolean).length,
    );
    return counts.indexOf(Math.max(...counts));
  }

  /** Choose the weight of the input that is furthest from 0. */
  chooseTelling() {
    const sizes = this.inputsFor(this.films[0]).map(Math.abs);
    this.state.from = sizes.indexOf(Math.max(...sizes));
  }

  /** Smallest and largest value of each column. */
  ranges(values, columns) {
    const ranges = Array.from({ length: columns }, () => [Infinity, -Infinity]);
    values.forEach((value, at) => {
      const range = ranges[at % columns];
      range[0] = Math.min(range[0], value);
      range[1] = Math.max(range[1], value);
    });
    return ranges;
  }

  layerName(film, layer) {
    if (layer === 0) return "inputs";
    return layer === film.network.depth ? "output" : `hidden ${layer}`;
  }

  unitName(film, layer, unit, brief = false) {
    if (layer === 0) return this.data.features[unit];
    if (layer === film.network.depth) return this.data.classes.slice(-film.nOutputs)[unit];
    return brief ? `unit ${unit + 1}` : `hidden ${layer}, unit ${unit + 1}`;
  }

  numberOf(row) {
    return String(this.data.numbers.length ? this.data.numbers[row] : row);
  }

  targetWords(film, row) {
    const Y = this.samples.Y.subarray(row * film.nOutputs, (row + 1) * film.nOutputs);
    const { kind, classes } = this.data;
    if (kind === "binary") return classes[Y[0]] ?? classes.at(-1);
    if (kind === "multiclass") return classes[Y.indexOf(1)];
    if (kind === "multilabel") return classes.filter((_, at) => Y[at]).join(", ") || "none";
    return Array.from(Y, (y) => digits(y)).join(", ");
  }

  predictionWords(film, prediction) {
    const { kind, classes } = this.data;
    const names = classes.slice(-film.nOutputs);
    const target = this.targetWords(film, this.state.sample);
    if (kind === "regression") return `it is ${target}, predicted ${Array.from(prediction, (p) => digits(p)).join(", ")}`;
    const order = names.map((name, at) => [prediction[at], name]).sort((one, other) => other[0] - one[0]);
    return `it is ${target}; predicted ${order
      .slice(0, 3)
      .map(([p, name]) => `${name}: ${digits(100 * p, 3)} %`)
      .join(", ")}`;
  }
}

if (typeof document !== "undefined") {
  window.playground = new Page(JSON.parse(document.getElementById("data").textContent));
}
