// A recorded training: its samples as the network sees them, its weights at each moment, and where training can go on.

import { unpack } from "./arrays.js";
import { lossOf } from "./losses.js";
import { Network } from "./network.js";
import { Twister, ownTwister } from "./random.js";
import { Trainer } from "./training.js";

// Multiplications that going over past steps again may take: about a second.
const MOST_WORK = 6e8;

export class Film {
  constructor(record, samples) {
    Object.assign(this, record);
    this.samples = samples;
    this.nFeatures = this.sizes[0];
    this.nOutputs = this.sizes.at(-1);
    this.loss = lossOf(record.loss);
    this.lossUnit = record.loss.unit;
    this.network = new Network(this.sizes, this.activations, this.hasBiases);
    this.latest = unpack(record.latest);
    this.kept = record.kept && unpack(record.kept);
    this.weight = this.rule.weight && unpack(this.rule.weight);
    this.frames = this.epochs.length;
    // Shown is what `fit` would predict by, or the very weights that a step changes, where that is their running mean.
    this.showsMean = Boolean(this.kept);
    const momentum = this.rule.name === "sgd" && this.rule.momentum > 0;
    this.solver = momentum ? "momentum" : (this.rule.name ?? "adam");
    this.settings = this.rule.name ? this.rule : { beta_1: 0.9, beta_2: 0.999, epsilon: 1e-8 };
    this.standardized = samples.X.slice();
    for (let row = 0; row < samples.n; row++) this.standardize(this.standardized, row * this.nFeatures);
    this.scaledTargets = samples.Y.slice();
    if (this.targets) {
      const { mean, scale } = this.targets;
      this.scaledTargets.forEach((y, at, all) => (all[at] = (y - mean[at % this.nOutputs]) / scale[at % this.nOutputs]));
    }
    this.prediction = new Float64Array(this.nOutputs);
  }

  /** Standardise the inputs of a sample in place, if training did. */
  standardize(values, start = 0) {
    if (!this.inputs) return values;
    const { mean, scale } = this.inputs;
    for (let i = 0; i < this.nFeatures; i++) values[start + i] = (values[start + i] - mean[i]) / scale[i];
    return values;
  }

  weightsAt(frame, mean = this.showsMean) {
    const size = this.network.nParameters;
    return (mean && this.kept ? this.kept : this.latest).subarray(frame * size, (frame + 1) * size);
  }

  /** The frame of an epoch, or the last one before it. */
  frameOf(epoch) {
    let frame = this.epochs.findLastIndex((shown) => shown <= epoch);
    return Math.max(frame, 0);
  }

  targetsOf(row) {
    return this.scaledTargets.subarray(row * this.nOutputs, (row + 1) * this.nOutputs);
  }

  /** What is predicted for standardised inputs, in the units of the targets; in an array that is used again. */
  predict(theta, inputs, start = 0, network = this.network) {
    const Z = network.forward(theta, inputs, start);
    if (this.targets) {
      const { score_scale: scale, score_shift: shift } = this.targets;
      this.userScores ??= new Float64Array(this.nOutputs);
      for (let k = 0; k < Z.length; k++) this.userScores[k] = Z[k] * scale[k] + shift[k];
    }
    this.loss.predict(this.targets ? this.userScores : Z, this.prediction);
    return this.prediction;
  }

  /** Mean loss of some samples, their weights and the penalty included, with its gradient written where one is given. */
  lossOfRows(network, theta, rows, penalty, gradient = null) {
    gradient?.fill(0);
    let weights = 0;
    if (this.weight && this.rule.ownWeight) for (const row of rows) weights += this.weight[row];
    const scale = 1 / (weights || rows.length);
    let total = 0;
    for (const row of rows) {
      const Z = network.forward(theta, this.standardized, row * this.nFeatures);
      const Y = this.targetsOf(row);
      const weight = this.weight ? this.weight[row] : 1;
      total += weight * this.loss.value(Y, Z);
      if (!gradient) continue;
      this.loss.gradient(Y, Z, network.delta.at(-1));
      network.backward(theta, gradient, weight * scale);
    }
    for (let l = 0; l < network.depth; l++) {
      if (!penalty[l]) continue;
      const end = l + 1 < network.depth ? network.starts[l + 1] : network.nWeights;
      for (let i = network.starts[l]; i < end; i++) {
        total += 0.5 * penalty[l] * theta[i] * theta[i];
        if (gradient) gradient[i] += penalty[l] * scale * theta[i];
      }
    }
    return scale * total;
  }

  /** Multiplications that an epoch of training takes. */
  get work() {
    return 6 * this.network.nParameters * this.rows.length * this.rule.passes;
  }

  /** The last epoch at or before a frame's from which training can be gone over again, and whether that is near enough. */
  memoryFor(frame) {
    const epoch = this.epochs[frame];
    const known = Object.keys(this.rule.memories)
      .map(Number)
      .filter((at) => at <= epoch && this.epochs.includes(at));
    const from = Math.max(0, ...known);
    const remembers = this.rule.name === "adam" || this.rule.momentum > 0;
    return { from, possible: this.rule.exact && (!remembers || (epoch - from) * this.work <= MOST_WORK), remembers };
  }

  /** A trainer that goes on from a frame: as `fit` did wherever that can be told, else with nothing remembered. */
  trainerAt(frame) {
    const { from, possible, remembers } = this.memoryFor(frame);
    const epoch = this.epochs[frame];
    const start = possible && remembers ? from : epoch;
    const memory = {};
    for (const [name, value] of Object.entries((possible && this.rule.memories[start]) || {})) {
      memory[name] = typeof value === "object" ? unpack(value) : value;
    }
    const trainer = new Trainer(this, {
      ...this.stateAt(this.frameOf(start)),
      memory,
      order: this.rows.slice(),
      epochs: start,
      twister: this.rule.shuffler ? new Twister(this.rule.shuffler) : ownTwister(),
    });
    trainer.steps = start * trainer.stepsAnEpoch;
    if (this.rule.shuffles) for (let k = 0; k < start * this.rule.passes; k++) trainer.twister.shuffle(trainer.order);
    while (trainer.epochs < epoch) trainer.epoch();
    return Object.assign(trainer, this.stateAt(frame));
  }

  stateAt(frame) {
    return { theta: this.weightsAt(frame, false).slice(), mean: this.kept && this.weightsAt(frame, true).slice() };
  }
}

/** The samples that a page holds, of all films. */
export function samplesOf(data) {
  const [n] = data.X.shape;
  return { n, X: unpack(data.X), Y: unpack(data.Y) };
}
