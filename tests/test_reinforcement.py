"""Reinforcement learning: the policy gradient is a weighted fit, and short runs of the examples learn."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from skbackprop import SigmoidBackpropClassifier

EXAMPLES = Path(__file__).parent.parent / "examples"


def example(name):
    """The module of an example."""
    specification = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@pytest.mark.parametrize("n_actions", [2, 4])
def test_a_step_weighted_by_advantages_ascends_the_policy_gradient(n_actions):
    # The oracle: central differences of sum advantage log pi(action | state) (Williams, 1992).
    rng, rate = np.random.RandomState(0), 1e-4
    X, actions, advantages = rng.randn(60, 4), rng.randint(n_actions, size=60), rng.randn(60) - 0.2
    settings = {"solver": "sgd", "momentum": 0, "alpha": 0, "learning_rate": "constant", "learning_rate_init": rate}
    policy = SigmoidBackpropClassifier((8,), "tanh", batch_size=60, standardize=False, random_state=0, **settings)
    policy.partial_fit(X, actions, classes=range(n_actions))

    def objective():
        return advantages @ policy.predict_log_proba(X)[np.arange(60), actions]

    parameters = [*policy.coefs_, *policy.intercepts_]
    gradients = []
    for values in parameters:
        gradients.append(np.empty_like(values))
        for index in np.ndindex(values.shape):
            value = values[index]
            values[index] = value + 1e-6
            above = objective()
            values[index] = value - 1e-6
            gradients[-1][index] = (above - objective()) / 2e-6
            values[index] = value
    before = [values.copy() for values in parameters]
    policy.partial_fit(X, actions, sample_weight=advantages)
    for old, new, gradient in zip(before, [*policy.coefs_, *policy.intercepts_], gradients, strict=True):
        np.testing.assert_allclose((new - old) / rate, gradient / np.abs(advantages).sum(), rtol=1e-4, atol=1e-7)


@pytest.mark.slow
@pytest.mark.checkout
@pytest.mark.parametrize(
    ("name", "n_episodes", "n_random"), [("cartpole_reinforce", 120, 10), ("cartpole_q_learning", 200, 30)]
)
def test_an_example_learns_to_balance_three_times_as_long_as_random_play(name, n_episodes, n_random):
    returns = example(name).train(seed=2, n_episodes=n_episodes)
    assert len(returns) == n_episodes
    # At random the pole falls after 22 steps on average.
    assert 15 < np.mean(returns[:n_random]) < 35
    assert np.mean(returns[-20:]) > 3 * np.mean(returns[:n_random])


@pytest.mark.slow
@pytest.mark.checkout
@pytest.mark.parametrize("name", ["cartpole_reinforce", "cartpole_q_learning"])
def test_the_same_seed_gives_the_same_returns(name):
    first, again, other = (example(name).train(seed, n_episodes=80) for seed in (1, 1, 2))
    assert first == again
    assert first != other
