// Activations by the name of their class in Python: value and derivative side by side, as formula and as NumPy.

/** Distribution function of the standard normal distribution: its series, and far out its continued fraction. */
function normalBelow(z) {
  const density = Math.exp(-0.5 * z * z) / Math.sqrt(2 * Math.PI);
  if (Math.abs(z) < 6) {
    let term = z;
    let sum = z;
    for (let k = 1; Math.abs(term) > 1e-17 * Math.abs(sum); k++) sum += term *= (z * z) / (2 * k + 1);
    return 0.5 + density * sum;
  }
  let fraction = Math.abs(z);
  for (let k = 40; k > 0; k--) fraction = Math.abs(z) + k / fraction;
  return z > 0 ? 1 - density / fraction : density / fraction;
}

export const sigmoid = (z) => 1 / (1 + Math.exp(-z));
const normalDensity = (z) => Math.exp(-0.5 * z * z) / Math.sqrt(2 * Math.PI);

// `slope` takes the raw score z and the activation a.
export const ACTIVATIONS = {
  Identity: { name: "identity", value: (z) => z, slope: () => 1, f: "z", df: "1", numpy: "Z", dnumpy: "1" },
  Logistic: {
    name: "logistic (sigmoid)",
    value: sigmoid,
    slope: (z, a) => a * (1 - a),
    f: "1 / (1 + exp(−z))",
    df: "a (1 − a)",
    numpy: "1 / (1 + np.exp(-Z))",
    dnumpy: "A * (1 - A)",
  },
  Tanh: {
    name: "tanh",
    value: Math.tanh,
    slope: (z, a) => 1 - a * a,
    f: "tanh(z)",
    df: "1 − a²",
    numpy: "np.tanh(Z)",
    dnumpy: "1 - A**2",
  },
  ReLU: {
    name: "relu",
    value: (z) => (z > 0 ? z : 0),
    slope: (z) => (z > 0 ? 1 : 0),
    f: "max(z, 0)",
    df: "1 if z > 0 else 0",
    numpy: "np.maximum(Z, 0)",
    dnumpy: "(Z > 0)",
  },
  SiLU: {
    name: "silu",
    value: (z) => z * sigmoid(z),
    slope: (z, a) => sigmoid(z) + a * (1 - sigmoid(z)),
    f: "z s(z), s the sigmoid",
    df: "s + a (1 − s)",
    numpy: "Z * expit(Z)",
    dnumpy: "expit(Z) + A * (1 - expit(Z))",
  },
  GELU: {
    name: "gelu",
    value: (z) => z * normalBelow(z),
    slope: (z) => normalBelow(z) + z * normalDensity(z),
    f: "z Φ(z)",
    df: "Φ(z) + z φ(z)",
    numpy: "Z * norm.cdf(Z)",
    dnumpy: "norm.cdf(Z) + Z * norm.pdf(Z)",
  },
  ELU: {
    name: "elu",
    value: (z) => (z > 0 ? z : Math.expm1(z)),
    slope: (z) => (z > 0 ? 1 : Math.exp(z)),
    f: "z if z > 0 else exp(z) − 1",
    df: "1 if z > 0 else exp(z)",
    numpy: "np.where(Z > 0, Z, np.expm1(Z))",
    dnumpy: "np.exp(np.minimum(Z, 0))",
  },
};
