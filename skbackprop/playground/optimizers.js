// Update rules, as in `skbackprop.optimizers`: each changes the parameters, and what it remembers from step to step.

function sgd(theta, gradient, memory, rate, { momentum, nesterovs_momentum: nesterov }) {
  if (!momentum) {
    for (let i = 0; i < theta.length; i++) theta[i] -= rate * gradient[i];
    return;
  }
  memory.velocity ??= new Float64Array(theta.length);
  const { velocity } = memory;
  for (let i = 0; i < theta.length; i++) {
    velocity[i] = momentum * velocity[i] - rate * gradient[i];
    theta[i] += nesterov ? momentum * velocity[i] - rate * gradient[i] : velocity[i];
  }
}

function adam(theta, gradient, memory, rate, { beta_1: beta1, beta_2: beta2, epsilon }) {
  memory.first_moment ??= new Float64Array(theta.length);
  memory.second_moment ??= new Float64Array(theta.length);
  memory.steps = (memory.steps ?? 0) + 1;
  const { first_moment: first, second_moment: second, steps } = memory;
  // The moments are sums, without their factors 1 - beta, which then enter two scalars.
  const scale = Math.sqrt(1 - beta2);
  const scaled = (rate * Math.sqrt(1 - beta2 ** steps) * (1 - beta1)) / (1 - beta1 ** steps) / scale;
  for (let i = 0; i < theta.length; i++) {
    first[i] = beta1 * first[i] + gradient[i];
    second[i] = beta2 * second[i] + gradient[i] * gradient[i];
    theta[i] -= (scaled * first[i]) / (Math.sqrt(second[i]) + epsilon / scale);
  }
}

export const OPTIMIZERS = {
  adam: { update: adam, words: "Adam", settings: { beta_1: 0.9, beta_2: 0.999, epsilon: 1e-8 }, rate: 0.01 },
  momentum: {
    update: sgd,
    words: "gradient descent with Nesterov's momentum",
    settings: { momentum: 0.9, nesterovs_momentum: true },
    rate: 0.1,
  },
  sgd: { update: sgd, words: "plain gradient descent", settings: { momentum: 0, nesterovs_momentum: false }, rate: 0.1 },
};
