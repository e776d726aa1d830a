// Losses by the name of their class in Python: of one sample, on raw scores z with targets y; value, gradient, prediction.

import { digits } from "./arrays.js";
import { sigmoid } from "./activations.js";

const softplus = (z) => Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z)));
const yLogY = (y) => (y > 0 ? y * Math.log(y) : 0);

/** A loss that is a sum over the outputs, of each of which it asks value and slope alone. */
function separate(link, value, slope, words) {
  return {
    ...words,
    value(Y, Z) {
      let sum = 0;
      for (let k = 0; k < Z.length; k++) sum += value(Y[k], Z[k]);
      return sum;
    },
    gradient(Y, Z, delta) {
      for (let k = 0; k < Z.length; k++) delta[k] = slope(Y[k], Z[k]);
    },
    predict(Z, out) {
      for (let k = 0; k < Z.length; k++) out[k] = link(Z[k]);
    },
  };
}

const identity = (z) => z;
const AS_SCORES = { link: "p = z", linkNumpy: "P = Z", normalized: false };
const AS_SIGMOID = { link: "p = 1 / (1 + exp(−z))", linkNumpy: "P = 1 / (1 + np.exp(-Z))", normalized: false };
const AS_EXP = { link: "p = exp(z)", linkNumpy: "P = np.exp(Z)", normalized: false };
const DIFFERENCE = { slope: "p − y", slopeNumpy: "P - Y" };

const softmaxLoss = {
  link: "p = exp(z) / Σ exp(z)",
  linkNumpy: "P = np.exp(Z) / np.exp(Z).sum(axis=1, keepdims=True)",
  normalized: true,
  formula: "−log p of the right class",
  numpy: "-np.log((P * Y).sum(axis=1))",
  ...DIFFERENCE,
  predict(Z, out) {
    let largest = -Infinity;
    for (let k = 0; k < Z.length; k++) largest = Math.max(largest, Z[k]);
    let sum = 0;
    for (let k = 0; k < Z.length; k++) sum += out[k] = Math.exp(Z[k] - largest);
    for (let k = 0; k < Z.length; k++) out[k] /= sum;
  },
  value(Y, Z) {
    let largest = -Infinity;
    for (let k = 0; k < Z.length; k++) largest = Math.max(largest, Z[k]);
    let sum = 0;
    let right = 0;
    for (let k = 0; k < Z.length; k++) {
      sum += Math.exp(Z[k] - largest);
      right += Y[k] * (Z[k] - largest);
    }
    return Math.log(sum) - right;
  },
  gradient(Y, Z, delta) {
    this.predict(Z, delta);
    for (let k = 0; k < Z.length; k++) delta[k] -= Y[k];
  },
};

function pinball(q) {
  return separate(
    identity,
    (y, z) => Math.max(q * (y - z), (1 - q) * (z - y)),
    (y, z) => (z > y ? 1 : 0) - q,
    {
      ...AS_SCORES,
      formula: `max(${digits(q)} (y − z), ${digits(1 - q)} (z − y))`,
      numpy: `np.maximum(${q} * (Y - Z), ${1 - q} * (Z - Y)).sum(axis=1)`,
      slope: `(1 if z > y else 0) − ${digits(q)}`,
      slopeNumpy: `(Z > Y) - ${q}`,
    },
  );
}

function huber(delta) {
  const clip = (d) => Math.min(delta, Math.max(-delta, d));
  return separate(
    identity,
    (y, z) => clip(z - y) * (z - y - clip(z - y) / 2),
    (y, z) => clip(z - y),
    {
      ...AS_SCORES,
      formula: `(y − z)² / 2, straight beyond ${digits(delta)}`,
      slope: `z − y within ±${digits(delta)}`,
      numpy: `huber(${delta}, Z - Y).sum(axis=1)`,
      slopeNumpy: `np.clip(Z - Y, -${delta}, ${delta})`,
    },
  );
}

const LOSSES = {
  CategoricalLogLoss: () => softmaxLoss,
  BinaryLogLoss: () =>
    separate(
      sigmoid,
      (y, z) => softplus(z) - y * z,
      (y, z) => sigmoid(z) - y,
      {
        ...AS_SIGMOID,
        ...DIFFERENCE,
        formula: "−y log p − (1 − y) log(1 − p)",
        numpy: "-(Y * np.log(P) + (1 - Y) * np.log(1 - P)).sum(axis=1)",
      },
    ),
  SigmoidSquaredError: () =>
    separate(
      sigmoid,
      (y, z) => 0.5 * (sigmoid(z) - y) ** 2,
      (y, z) => (sigmoid(z) - y) * sigmoid(z) * (1 - sigmoid(z)),
      {
        ...AS_SIGMOID,
        formula: "(y − p)² / 2",
        numpy: "0.5 * ((P - Y)**2).sum(axis=1)",
        slope: "(p − y) · p (1 − p)",
        slopeNumpy: "(P - Y) * P * (1 - P)",
      },
    ),
  SquaredError: () =>
    separate(
      identity,
      (y, z) => 0.5 * (z - y) ** 2,
      (y, z) => z - y,
      {
        ...AS_SCORES,
        ...DIFFERENCE,
        formula: "(y − z)² / 2",
        numpy: "0.5 * ((Z - Y)**2).sum(axis=1)",
      },
    ),
  AbsoluteError: () =>
    separate(
      identity,
      (y, z) => Math.abs(z - y),
      (y, z) => Math.sign(z - y),
      {
        ...AS_SCORES,
        formula: "|y − z|",
        numpy: "np.abs(Z - Y).sum(axis=1)",
        slope: "sign(z − y)",
        slopeNumpy: "np.sign(Z - Y)",
      },
    ),
  HuberLoss: ({ delta }) => huber(delta),
  Quantile: ({ quantile }) => pinball(quantile),
  PoissonDeviance: () =>
    separate(
      Math.exp,
      (y, z) => Math.exp(z) - y * z + yLogY(y) - y,
      (y, z) => Math.exp(z) - y,
      {
        ...AS_EXP,
        ...DIFFERENCE,
        formula: "p − y z + y log y − y",
        numpy: "(P - Y * Z + xlogy(Y, Y) - Y).sum(axis=1)",
      },
    ),
  GammaDeviance: () =>
    separate(
      Math.exp,
      (y, z) => z + y * Math.exp(-z) - Math.log(y) - 1,
      (y, z) => 1 - y * Math.exp(-z),
      {
        ...AS_EXP,
        formula: "z + y / p − log y − 1",
        numpy: "(Z + Y / P - np.log(Y) - 1).sum(axis=1)",
        slope: "1 − y / p",
        slopeNumpy: "1 - Y / P",
      },
    ),
};

/** The loss that a film names, with its settings. */
export function lossOf(settings) {
  return LOSSES[settings.name](settings);
}
