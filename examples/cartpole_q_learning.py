"""
Q-learning: a regressor learns to balance a pole
================================================

The regressor's targets are the reward plus the value of the next state (Watkins, 1989), as predicted by a copy of it that
lags behind: the target network (Mnih et al., 2015). ``cartpole_q_learning.py picture.png 5`` plays with five seeds.
"""

import copy
import sys

import gymnasium
import numpy as np

from skbackprop import SigmoidBackpropRegressor

GOAL, WINDOW, DISCOUNT = 195, 100, 0.99
STEPS_AT_RANDOM, STEPS_EXPLORING, STEPS_A_CALL, STEPS_A_COPY = 1000, 5000, 16, 200
REWARD = 1 - DISCOUNT  # instead of 1: the value of a state is then between 0 and 1, the scale of the initial weights


def learn(values, copied, moves):
    """Train the regressor for an epoch on moves: rows of state, action, next state and whether the pole fell."""
    X = moves[:, :4]
    actions = moves[:, 4].astype(int)
    X_next = moves[:, 5:9]
    fell = moves[:, 9]
    targets = values.predict(X)  # so that the action not taken has no error when the epoch begins
    targets[np.arange(len(X)), actions] = REWARD + DISCOUNT * (1 - fell) * copied.predict(X_next).max(axis=1)
    values.partial_fit(X, targets)


# %%
# It plays, at random at first and then by what it has learnt, and learns from moves drawn from all those so far.
def train(seed, n_episodes=600):
    """Return the returns of the episodes, up to the first 100 whose mean reaches the goal."""
    generator = np.random.default_rng(seed)
    environment = gymnasium.make("CartPole-v1")
    # Training has no known end, so the learning rate is constant. The first targets are all equal, so they give no scale.
    settings = {"learning_rate": "constant", "learning_rate_init": 0.002, "alpha": 0, "standardize_targets": False}
    values = copied = SigmoidBackpropRegressor(hidden_layer_sizes=(64,), batch_size=64, random_state=seed, **settings)
    moves = np.empty((500 * n_episodes, 10), np.float32)
    n_moves = 0
    returns = []
    while len(returns) < n_episodes and (len(returns) < WINDOW or np.mean(returns[-WINDOW:]) < GOAL):
        X, _ = environment.reset(seed=None if returns else seed)
        over = False
        start = n_moves
        while not over:
            explores = generator.random() < max(0.02, 1 - max(0, n_moves - STEPS_AT_RANDOM) / STEPS_EXPLORING)
            action = generator.integers(2) if explores else values.predict(X[np.newaxis])[0].argmax()
            X_next, _, fell, out_of_time, _ = environment.step(action)
            moves[n_moves] = [*X, action, *X_next, fell]
            X = X_next
            over = fell or out_of_time
            n_moves += 1
            if n_moves == STEPS_AT_RANDOM:  # these states, spread by random play, decide how all are standardised
                values.partial_fit(moves[:n_moves, :4], np.full((n_moves, 2), REWARD))
            elif n_moves > STEPS_AT_RANDOM and n_moves % STEPS_A_CALL == 0:
                learn(values, copied, moves[generator.integers(n_moves, size=64 * STEPS_A_CALL)])
            if n_moves % STEPS_A_COPY == 0:
                copied = copy.deepcopy(values)
        returns.append(n_moves - start)  # the reward is 1 a step
    return returns


# %%
# How long the pole stays up, over the games: each colour is a seed.
def plot(curves, path):
    """Save a picture of the returns, and of their means over the last episodes, against the episode."""
    import matplotlib.pyplot as plt

    axes = (figure := plt.figure(figsize=(8, 4.5), layout="constrained")).subplots()
    for seed, returns in curves.items():
        episodes, color = range(1, len(returns) + 1), f"C{seed % 10}"
        axes.plot(episodes, returns, ".", color=color, markersize=3, alpha=0.3)
        axes.plot(episodes, [np.mean(returns[max(0, n - WINDOW) : n]) for n in episodes], color=color, label=f"seed {seed}")
    axes.axhline(GOAL, color="black", linestyle="--", label=f"goal: {GOAL}")
    axes.set(xlabel="episode", ylabel="steps balanced", title="Q-learning: episodes (dots), mean of the last 100 (lines)")
    axes.legend(loc="upper left")
    figure.savefig(path, dpi=120)


if __name__ == "__main__":
    picture, n_seeds = [*sys.argv[1:], *["cartpole_q_learning.png", "3"][len(sys.argv) - 1 :]]
    curves = {}
    for seed in range(int(n_seeds)):
        returns = curves[seed] = train(seed)
        print(f"seed {seed}: {len(returns)} episodes, goal {'' if np.mean(returns[-WINDOW:]) >= GOAL else 'NOT '}reached")
    try:
        plot(curves, picture)
        print(f"Picture: {picture}")
    except ModuleNotFoundError:
        print("No picture: matplotlib is not installed.")
    needed = [len(returns) for returns in curves.values() if np.mean(returns[-WINDOW:]) >= GOAL]
    print("\nLearnt: fitted to the reward plus what its own copy predicts a step later, a regressor learns the values of")
    print(f"actions; the mean return rose to {GOAL} of 500 in {len(needed)} of {len(curves)} seeds (episodes: {needed}).")
