"""One table of tests for all update rules, and each against its published formula."""

import copy
import math

import numpy as np
import pytest
from sklearn.neural_network._stochastic_optimizers import AdamOptimizer, SGDOptimizer

from skbackprop.optimizers import LBFGS, SGD, Adam, Optimizer, Rprop

STEPWISE = [SGD(), SGD(momentum=0.0), SGD(nesterovs_momentum=False), Adam(), Rprop()]
scales = np.array([1.0, 5.0, 0.2, 2.0])


def quadratic(theta):
    """A bowl with its minimum at 0: value and gradient."""
    return float(0.5 * (scales * theta**2).sum()), scales * theta


def descend(optimizer, theta, n_steps, state=None, learning_rate=0.05):
    """Take steps on the bowl, and return where they led."""
    theta = theta.copy()
    state = optimizer.initial_state(theta) if state is None else state
    for _ in range(n_steps):
        value, gradient = quadratic(theta)
        optimizer.update(theta, gradient.astype(theta.dtype), state, learning_rate, value)
    return theta, state


@pytest.mark.parametrize("optimizer", STEPWISE, ids=repr)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_it_finds_the_minimum_of_a_bowl(optimizer, dtype):
    theta, _ = descend(optimizer, np.array([1, -2, 3, -4], dtype), 2000)
    assert theta.dtype == dtype
    assert np.abs(theta).max() < 1e-3


@pytest.mark.parametrize("optimizer", STEPWISE, ids=repr)
def test_its_state_is_all_that_it_needs_to_go_on(optimizer):
    start = np.array([1.0, -2.0, 3.0, -4.0])
    straight, _ = descend(optimizer, start, 10)
    half, state = descend(optimizer, start, 5)
    resumed, _ = descend(copy.deepcopy(optimizer), half, 5, copy.deepcopy(state))
    np.testing.assert_array_equal(resumed, straight)


@pytest.mark.parametrize("optimizer", [*STEPWISE, LBFGS()], ids=repr)
def test_its_repr_makes_an_equal_one(optimizer):
    namespace = {kind.__name__: kind for kind in (SGD, Adam, Rprop, LBFGS)}
    assert vars(eval(repr(optimizer), namespace)) == vars(optimizer)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (SGD(), lambda p: SGDOptimizer(p, 0.05)),
        (SGD(momentum=0.5, nesterovs_momentum=False), lambda p: SGDOptimizer(p, 0.05, momentum=0.5, nesterov=False)),
        (Adam(beta_1=0.8, beta_2=0.99, epsilon=1e-4), lambda p: AdamOptimizer(p, 0.05, 0.8, 0.99, 1e-4)),
    ],
    ids=["SGD with Nesterov's momentum", "SGD with momentum", "Adam"],
)
def test_its_steps_are_scikit_learns(ours, theirs):
    start = np.array([1.0, -2.0, 3.0, -4.0])
    theta, _ = descend(ours, start, 30)
    expected = [start.copy()]
    optimizer = theirs(expected)
    for _ in range(30):
        optimizer.update_params(expected, [quadratic(expected[0])[1]])
    np.testing.assert_allclose(theta, expected[0], rtol=1e-12)


def test_rprop_takes_the_steps_of_the_paper():
    rprop, theta = Rprop(initial_step=0.1), np.array([0.25])
    state = rprop.initial_state(theta)
    # The loss is theta^2: steps of 0.1, then 0.12; the third, 0.144, overshoots; the loss fell, so the parameter stays and
    # the step halves, to 0.072.
    for gradient, loss, expected in [
        (0.5, 0.0625, 0.15),
        (0.3, 0.0225, 0.03),
        (0.06, 0.0009, -0.114),
        (-0.228, 0.013, 0.03),
    ]:
        rprop.update(theta, np.array([gradient]), state, None, loss)
        assert theta[0] == pytest.approx(expected)
    assert state["step"][0] == pytest.approx(0.072)


def test_rprop_without_growth_of_the_loss_does_not_retreat():
    rprop, theta = Rprop(initial_step=0.1), np.array([0.0])
    state = rprop.initial_state(theta)
    rprop.update(theta, np.array([1.0]), state, None, 2.0)
    rprop.update(theta, np.array([-1.0]), state, None, 1.0)
    assert theta[0] == pytest.approx(-0.1)
    assert state["gradient"][0] == 0


def test_lbfgs_stops_when_told():
    seen = []

    def after_iteration(theta, loss):
        seen.append(loss)
        return len(seen) == 2

    result = LBFGS().minimize(quadratic, np.array([1.0, -2.0, 3.0, -4.0]), 100, after_iteration)
    assert len(seen) == 2
    assert result.status != 0


def test_lbfgs_heeds_its_limit_on_evaluations():
    result = LBFGS(max_fun=2, tol=0).minimize(quadratic, np.array([1.0, -2.0, 3.0, -4.0]), 100, lambda *_: False)
    assert result.status == 1
    assert math.isfinite(result.fun)


def test_the_base_class_takes_no_step():
    assert Optimizer().initial_state(np.zeros(1)) == {}
    with pytest.raises(NotImplementedError):
        Optimizer().update(None, None, None, None, None)
