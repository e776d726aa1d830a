// Training in the browser: the steps that `fit` takes, from any moment of a film on.

import { Network } from "./network.js";
import { OPTIMIZERS } from "./optimizers.js";
import { Twister } from "./random.js";
import { norm } from "./arrays.js";

const cosine = (start, end, part) => end + (start - end) * 0.5 * (1 + Math.cos(Math.PI * Math.min(part, 1)));

/** The learning rate of a step: after so many epochs, a share of one, and steps; `samples` are those of an epoch. */
export function rateAt(rule, epoch, share, steps, samples) {
  const { schedule, rates, maxIter } = rule;
  const [initial] = rates;
  const progress = (epoch + share) / maxIter;
  switch (schedule.name) {
    case "warm_up":
      return initial * Math.min(1, (steps + 1) / schedule.n_steps);
    case "inverse_scaling":
      return initial / (epoch * samples + 1) ** schedule.power_t;
    case "cosine":
      return cosine(initial, 0, progress);
    case "one_cycle":
      if (progress < schedule.rise) return cosine(initial / 25, initial, progress / schedule.rise);
      return cosine(initial, 0, (progress - schedule.rise) / (1 - schedule.rise));
    default:
      // That with which the epoch began; beyond the film that of its end.
      return rates[Math.min(epoch, rates.length - 1)] ?? initial;
  }
}

export class Trainer {
  /**
   * `film` gives the samples and the rule. The state is that of some moment: `theta`, the weights' running mean, what
   * the optimizer remembers, the steps and epochs done, the order of the rows, and the generator that shuffles it.
   */
  constructor(film, state) {
    Object.assign(this, state);
    this.film = film;
    this.rule = film.rule;
    this.network = new Network(film.sizes, film.activations, film.hasBiases);
    this.gradient = new Float64Array(this.network.nParameters);
    // Where in the epoch it is: batches taken of this pass, passes done.
    this.batch = 0;
    this.pass = 0;
    this.solver = film.solver;
    this.settings = film.settings;
    this.ownRate = null;
  }

  get batches() {
    return Math.ceil(this.order.length / this.rule.batchSize);
  }

  get stepsAnEpoch() {
    return this.batches * this.rule.passes;
  }

  get stepInEpoch() {
    return this.pass * this.batches + this.batch;
  }

  /** The learning rate of the next step. */
  get rate() {
    const samples = this.order.length * this.rule.passes;
    const share = (this.pass * this.order.length + this.batch * this.rule.batchSize) / samples;
    return this.ownRate ?? rateAt(this.rule, this.epochs, share, this.steps, samples);
  }

  /** Train by another rule, which remembers nothing yet. */
  useSolver(name) {
    this.solver = name;
    this.settings = OPTIMIZERS[name].settings;
    this.memory = {};
  }

  /** The rows of the next step. */
  nextRows() {
    if (this.batch === 0 && !this.shuffled && this.rule.shuffles) {
      this.twister.shuffle(this.order);
      this.shuffled = true;
    }
    const start = this.batch * this.rule.batchSize;
    return this.order.slice(start, start + this.rule.batchSize);
  }

  /** Take one step; return the loss before it, and its number of samples. */
  step() {
    const rows = this.nextRows();
    const { rule, film, network, gradient, theta } = this;
    const loss = film.lossOfRows(network, theta, rows, rule.penalty, gradient);
    const size = norm(gradient);
    if (rule.clipNorm !== null && size > rule.clipNorm) {
      for (let i = 0; i < gradient.length; i++) gradient[i] *= rule.clipNorm / size;
    }
    const { rate } = this;
    OPTIMIZERS[this.solver].update(theta, gradient, this.memory, rate, this.settings);
    if (rule.weightDecay) for (let i = 0; i < network.nWeights; i++) theta[i] *= 1 - rate * rule.weightDecay;
    this.steps++;
    if (this.mean) {
      const share = 6 / (this.steps + 5);
      for (let i = 0; i < theta.length; i++) this.mean[i] += share * (theta[i] - this.mean[i]);
    }
    this.batch++;
    if (this.batch === this.batches) {
      this.batch = 0;
      this.pass++;
      this.shuffled = false;
      if (this.pass === rule.passes) {
        this.pass = 0;
        this.epochs++;
      }
    }
    return [loss, rows.length];
  }

  /** Go on to the end of the epoch; return the mean of its losses. */
  epoch() {
    let total = 0;
    let seen = 0;
    do {
      const [loss, rows] = this.step();
      total += loss * rows;
      seen += rows;
    } while (this.stepInEpoch);
    return total / seen;
  }

  /** Another trainer that goes on from here. */
  clone() {
    const { theta, mean, memory, order, epochs, twister, film } = this;
    const copied = Object.fromEntries(Object.entries(memory).map(([name, value]) => [name, value.slice?.() ?? value]));
    const other = new Trainer(film, {
      theta: theta.slice(),
      mean: mean && mean.slice(),
      memory: copied,
      order: order.slice(),
      epochs,
      twister: new Twister(twister),
    });
    const { steps, batch, pass, shuffled, solver, settings, ownRate } = this;
    other.network.use(this.network.names);
    return Object.assign(other, { steps, batch, pass, shuffled, solver, settings, ownRate });
  }
}
