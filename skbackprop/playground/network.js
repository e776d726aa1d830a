// A network and its parameters in one vector, all weights before all biases: forward and backward for one sample.

import { ACTIVATIONS } from "./activations.js";

export class Network {
  /** Layer sizes, the inputs first; for each hidden layer the name of its activation; whether units have biases. */
  constructor(sizes, activations, hasBiases) {
    this.sizes = sizes;
    this.hasBiases = hasBiases;
    this.depth = sizes.length - 1;
    this.starts = [];
    this.biasStarts = [];
    let size = 0;
    for (let l = 0; l < this.depth; l++) {
      this.starts.push(size);
      size += sizes[l] * sizes[l + 1];
    }
    this.nWeights = size;
    for (let l = 0; l < this.depth; l++) {
      this.biasStarts.push(size);
      if (hasBiases) size += sizes[l + 1];
    }
    this.nParameters = size;
    // What one sample leaves: of layer l the raw scores, the activations (of layer 0 the inputs), and the delta.
    this.raw = sizes.slice(1).map((units) => new Float64Array(units));
    this.out = sizes.map((units) => new Float64Array(units));
    this.delta = sizes.slice(1).map((units) => new Float64Array(units));
    this.use(activations);
  }

  /** Have other activations. */
  use(activations) {
    this.names = activations;
    this.functions = activations.map((name) => ACTIVATIONS[name]);
  }

  /** Where the weight between two units of neighbouring layers is. */
  weight(layer, from, to) {
    return this.starts[layer] + from * this.sizes[layer + 1] + to;
  }

  bias(layer, to) {
    return this.biasStarts[layer] + to;
  }

  /** Compute the raw scores of the outputs; `inputs` may be a long array of which one sample begins at `start`. */
  forward(theta, inputs, start = 0) {
    const { sizes, out, raw, depth } = this;
    for (let i = 0; i < sizes[0]; i++) out[0][i] = inputs[start + i];
    for (let l = 0; l < depth; l++) {
      const below = out[l];
      const z = raw[l];
      const width = sizes[l + 1];
      for (let j = 0; j < width; j++) z[j] = this.hasBiases ? theta[this.biasStarts[l] + j] : 0;
      let at = this.starts[l];
      for (let i = 0; i < sizes[l]; i++) {
        const a = below[i];
        if (a === 0) at += width;
        else for (let j = 0; j < width; j++) z[j] += a * theta[at++];
      }
      if (l < depth - 1) {
        const { value } = this.functions[l];
        for (let j = 0; j < width; j++) out[l + 1][j] = value(z[j]);
      }
    }
    return raw[depth - 1];
  }

  /** From the delta of the outputs compute those of all layers; add `weight` times the gradient, if one is given. */
  backward(theta, gradient = null, weight = 1) {
    const { sizes, out, raw, delta, depth } = this;
    for (let l = depth - 1; l >= 0; l--) {
      const width = sizes[l + 1];
      const own = delta[l];
      if (gradient) {
        let at = this.starts[l];
        for (let i = 0; i < sizes[l]; i++) {
          const a = weight * out[l][i];
          if (a === 0) at += width;
          else for (let j = 0; j < width; j++) gradient[at++] += a * own[j];
        }
        if (this.hasBiases) for (let j = 0; j < width; j++) gradient[this.biasStarts[l] + j] += weight * own[j];
      }
      if (l === 0) return;
      const below = delta[l - 1];
      const { slope } = this.functions[l - 1];
      let at = this.starts[l];
      for (let i = 0; i < sizes[l]; i++) {
        let sum = 0;
        for (let j = 0; j < width; j++) sum += theta[at++] * own[j];
        below[i] = sum * slope(raw[l - 1][i], out[l][i]);
      }
    }
  }
}
