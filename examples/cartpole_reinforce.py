"""
REINFORCE: a classifier learns to balance a pole
================================================

The policy is a classifier: the probability of "push to the right" given the state. Weight the log-loss of each action taken
by its advantage, that is, by how much better than usual it went afterwards, and its gradient is the policy gradient
(Williams, 1992). ``cartpole_reinforce.py picture.png 3`` plays with three seeds.
"""

import sys

import gymnasium
import numpy as np

from skbackprop import SigmoidBackpropClassifier

GOAL, WINDOW, N_PARALLEL, DISCOUNT = 450, 100, 10, 0.99


def play(policy, environments, generator, seed=None):
    """Play an episode in each environment; return states, actions and who was still playing, step by step."""
    X, _ = environments.reset(seed=seed)
    playing = np.ones(len(X), bool)
    steps = []
    while playing.any():
        right = policy.predict_proba(X)[:, 1] if hasattr(policy, "classes_") else 0.5  # random at first
        actions = (generator.random(len(X)) < right).astype(int)
        steps.append((X.copy(), actions, playing))
        X, _, terminated, truncated, _ = environments.step(actions)
        playing = playing & ~(terminated | truncated)
    return (np.array(part) for part in zip(*steps, strict=True))


# %%
# One step of gradient descent after each ten games, by ``partial_fit`` with sample weights that may be negative.
def train(seed, n_episodes=1500):
    """Return the returns of the episodes, up to the first 100 whose mean reaches the goal."""
    generator = np.random.default_rng(seed)
    environments = gymnasium.make_vec("CartPole-v1", num_envs=N_PARALLEL)
    # Training has no known end, so the learning rate is constant, and there is no penalty.
    settings = {"learning_rate": "constant", "learning_rate_init": 0.02, "alpha": 0, "random_state": seed}
    policy = SigmoidBackpropClassifier((64,), "tanh", **settings)
    returns = []
    while len(returns) < n_episodes and (len(returns) < WINDOW or np.mean(returns[-WINDOW:]) < GOAL):
        X, actions, playing = play(policy, environments, generator, None if returns else seed)
        returns += playing.sum(axis=0).tolist()  # the reward is 1 a step
        to_go = playing.astype(float)  # discounted rewards from each step on
        for step in reversed(range(len(to_go) - 1)):
            to_go[step] += DISCOUNT * to_go[step + 1]
        # The baseline: games that got as far. If all poles stay up, none is better, and the policy stays as it is.
        usual = to_go.sum(axis=1, keepdims=True) / playing.sum(axis=1, keepdims=True)
        advantages = (to_go - usual)[playing]
        # One step on all samples, since the gradient is that of the policy that played. The first call, on random play,
        # also decides how the states are standardised.
        policy.set_params(batch_size=len(advantages))
        policy.partial_fit(X[playing], actions[playing], sample_weight=advantages, classes=[0, 1])
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
    axes.set(xlabel="episode", ylabel="steps balanced", title="REINFORCE: episodes (dots), mean of the last 100 (lines)")
    axes.legend(loc="lower right")
    figure.savefig(path, dpi=120)


if __name__ == "__main__":
    picture, n_seeds = [*sys.argv[1:], *["cartpole_reinforce.png", "5"][len(sys.argv) - 1 :]]
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
    print("\nLearnt: with advantages as sample weights, a classifier's log-loss has the policy gradient; the mean return")
    print(f"rose to {GOAL} of 500 in {len(needed)} of {len(curves)} seeds (episodes needed: {needed}).")
