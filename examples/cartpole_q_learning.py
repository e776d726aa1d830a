"""Q-learning: a regressor learns to balance a pole: cartpole_q_learning.py [picture.png] [n_seeds].

The regressor predicts what each action is worth in a state. Its target is the reward plus what the next state is worth
(Watkins, 1989), by a copy of itself that lags behind, on moves drawn from all that it has seen (Mnih et al., 2015).
"""

import copy
import sys
from time import perf_counter

import gymnasium
import numpy as np

from skbackprop import SigmoidBackpropRegressor

GOAL, WINDOW, N_EPISODES, DISCOUNT = 195, 100, 600, 0.99
N_RANDOM, N_EXPLORING, STEPS_A_CALL, CALLS_A_COPY = 1000, 5000, 8, 25
# Rewards of 1 - DISCOUNT instead of 1: what a state is worth is then between 0 and 1, the scale of the first weights.
REWARD = 1 - DISCOUNT


def learn(values, copied, moves):
    """Train the regressor for an epoch on moves, rows of state, action, next state and whether the pole fell."""
    X, actions, X_next, fell = moves[:, :4], moves[:, 4].astype(int), moves[:, 5:9], moves[:, 9]
    targets = values.predict(X)  # the action that was not taken has its prediction as target, and so no error
    targets[np.arange(len(X)), actions] = REWARD + DISCOUNT * (1 - fell) * copied.predict(X_next).max(axis=1)
    values.partial_fit(X, targets)


def train(seed, n_episodes=N_EPISODES):
    """Return the returns of the episodes, up to the first 100 whose mean reaches the goal."""
    generator, environment = np.random.default_rng(seed), gymnasium.make("CartPole-v1")
    # Training has no end in sight, so the learning rate neither rises nor falls, and there is no penalty. The first call
    # sees only the next reward: it cannot tell how widely later targets will vary, so they are not standardised by it.
    settings = {"learning_rate": "constant", "learning_rate_init": 0.002, "alpha": 0, "standardize_targets": False}
    values = SigmoidBackpropRegressor(hidden_layer_sizes=(64,), batch_size=64, random_state=seed, **settings)
    moves, n_moves, returns = np.empty((500 * n_episodes, 10), np.float32), 0, []
    while len(returns) < n_episodes and np.mean(returns[-WINDOW:] if len(returns) >= WINDOW else 0) < GOAL:
        X, over, start = environment.reset(seed=None if returns else seed)[0], False, n_moves
        while not over:
            if generator.random() < max(0.02, 1 - max(0, n_moves - N_RANDOM) / N_EXPLORING):
                action = int(generator.integers(2))
            else:
                action = int(values.predict(X[np.newaxis])[0].argmax())
            X_next, _, fell, out_of_time, _ = environment.step(action)
            moves[n_moves] = [*X, action, *X_next, fell]
            X, over, n_moves = X_next, fell or out_of_time, n_moves + 1
            if n_moves == N_RANDOM:
                # Random play spreads the states by which all later ones are standardised.
                copied = copy.deepcopy(values.partial_fit(moves[:n_moves, :4], np.full((n_moves, 2), REWARD)))
            elif n_moves > N_RANDOM and n_moves % STEPS_A_CALL == 0:
                learn(values, copied, moves[generator.integers(n_moves, size=64 * STEPS_A_CALL)])
                if n_moves % (STEPS_A_CALL * CALLS_A_COPY) == 0:
                    copied = copy.deepcopy(values)
        returns.append(n_moves - start)  # the reward is 1 a step
    return returns


def plot(curves, path):
    """Save a picture of the returns, and of their means over the last episodes, against the episode."""
    from matplotlib.figure import Figure  # noqa: PLC0415 (optional)

    axes = (figure := Figure(figsize=(8, 4.5), layout="constrained")).subplots()
    for seed, returns in curves.items():
        episodes, color = range(1, len(returns) + 1), f"C{seed % 10}"
        axes.plot(episodes, returns, ".", color=color, markersize=2, alpha=0.3)
        axes.plot(episodes, [np.mean(returns[max(0, n - WINDOW) : n]) for n in episodes], color=color, label=f"seed {seed}")
    axes.axhline(GOAL, color="black", linestyle="--", label=f"goal: {GOAL}")
    axes.set(xlabel="episode", ylabel="return (steps balanced, at most 500)", xlim=0, ylim=(0, 510))
    axes.set(title=f"Q-learning: single episodes (dots), mean of the last {WINDOW} (lines)")
    axes.legend(loc="lower right")
    figure.savefig(path, dpi=120)


if __name__ == "__main__":
    picture, n_seeds = [*sys.argv[1:], *["cartpole_q_learning.png", "3"][len(sys.argv) - 1 :]]
    curves, needed = {}, []
    for seed in range(int(n_seeds)):
        start, curves[seed] = perf_counter(), train(seed)
        mean, n_episodes = np.mean(curves[seed][-WINDOW:]), len(curves[seed])
        needed += [n_episodes] if mean >= GOAL else []
        end = f"mean return {mean:.0f} over the last {WINDOW} of {n_episodes} episodes, {perf_counter() - start:.0f} s"
        print(f"seed {seed}: goal {'reached' if mean >= GOAL else 'NOT reached'}, {end}")
    try:
        plot(curves, picture)
        print(f"Picture: {picture}")
    except ModuleNotFoundError:
        print("No picture: matplotlib is not installed.")
    print(
        "\nLearnt: a regressor that is fitted to its own copy's predictions, one step ahead, learns what each action is worth:"
    )
    print(f"the mean return rose to {GOAL} in {len(needed)} of {len(curves)} seeds; episodes needed: {needed}.")
