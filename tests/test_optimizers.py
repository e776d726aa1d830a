"""One table of tests for all update rules, and each against its published formula."""

import copy
import math

import numpy as np
import pytest
from scipy.optimize import fmin_l_bfgs_b
from sklearn.neural_network._stochastic_optimizers import AdamOptimizer, SGDOptimizer

from skbackprop._engine.batches import Batches
from skbackprop._engine.descent import DescentState, StepRule, gradient_descent
from skbackprop._engine.network import Network
from skbackprop._engine.objective import Objective
from skbackprop.initializers import Uniform
from skbackprop.losses import SquaredError
from skbackprop.optimizers import LBFGS, OPTIMIZERS, SGD, Adam, AdamW, Minimizer, Optimizer, Rprop
from skbackprop.schedules import Constant

TABLE = [kind() for kind in OPTIMIZERS.values()]
STEPWISE = [SGD(momentum=0.0), SGD(nesterovs_momentum=False), *(kind for kind in TABLE if not kind.minimizes)]
START = np.array([1.0, -2.0, 3.0, -4.0])
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
    straight, _ = descend(optimizer, START, 10)
    half, state = descend(optimizer, START, 5)
    resumed, _ = descend(copy.deepcopy(optimizer), half, 5, copy.deepcopy(state))
    np.testing.assert_array_equal(resumed, straight)


def by_scikit_learn(kind, **settings):
    """Where an optimizer of scikit-learn's leads in so many steps."""

    def end(n_steps):
        theta = [START.copy()]
        optimizer = kind(theta, 0.05, **settings)
        for _ in range(n_steps):
            optimizer.update_params(theta, [quadratic(theta[0])[1]])
        return theta[0]

    return end


def by_igel_and_huesken(n_steps):
    """Where iRprop+ leads, written out for one parameter after another as in the paper."""
    theta, step, last, change, last_loss = START.copy(), [0.0125] * 4, [0.0] * 4, [0.0] * 4, math.inf
    for _ in range(n_steps):
        loss, gradient = quadratic(theta)
        for i, slope in enumerate(gradient):
            if slope * last[i] < 0:
                step[i] = max(0.5 * step[i], 1e-6)
                change[i] = -change[i] if loss > last_loss else 0.0
                last[i] = 0.0
            else:
                step[i] = min(1.2 * step[i], 50.0) if slope * last[i] > 0 else step[i]
                change[i] = -math.copysign(step[i], slope)
                last[i] = slope
            theta[i] += change[i]
        last_loss = loss
    return theta


# An oracle outside the package for each row of the table; of "adamw" without its decay, which the training loop does.
ORACLES = {
    "sgd": by_scikit_learn(SGDOptimizer),
    "adam": by_scikit_learn(AdamOptimizer),
    "adamw": by_scikit_learn(AdamOptimizer),
    "rprop": by_igel_and_huesken,
    "lbfgs": lambda n_steps: fmin_l_bfgs_b(quadratic, START, pgtol=1e-4, maxiter=n_steps)[0],
}


def test_every_optimizer_has_an_oracle_here():
    assert ORACLES.keys() == OPTIMIZERS.keys()


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("n_steps", [1, 3, 30])
def test_it_goes_where_its_oracle_goes(name, n_steps):
    optimizer = OPTIMIZERS[name]()
    if optimizer.minimizes:
        theta = optimizer.minimize(quadratic, START, n_steps, lambda *_: False).x
    else:
        theta, _ = descend(optimizer, START, n_steps)
    np.testing.assert_allclose(theta, ORACLES[name](n_steps), rtol=1e-12)


@pytest.mark.parametrize(
    ("ours", "expected"),
    [
        (SGD(momentum=0.5, nesterovs_momentum=False), by_scikit_learn(SGDOptimizer, momentum=0.5, nesterov=False)),
        (Adam(0.8, 0.99, 1e-4), by_scikit_learn(AdamOptimizer, beta_1=0.8, beta_2=0.99, epsilon=1e-4)),
    ],
    ids=["SGD with momentum", "Adam"],
)
def test_its_settings_are_scikit_learns(ours, expected):
    np.testing.assert_allclose(descend(ours, START, 30)[0], expected(30), rtol=1e-12)


def test_adamw_in_the_training_loop_takes_the_steps_of_adam_and_then_shrinks_weights_but_not_biases():
    rng, optimizer, rate = np.random.RandomState(0), AdamW(beta_2=0.99, weight_decay=0.3), 0.1
    X, Y = rng.randn(20, 3), rng.randn(20, 1)
    network = Network([3, 1], [], True, np.dtype(float))
    network.initialize(Uniform(), rng)
    theta = network.theta.copy()
    objective = Objective(network, SquaredError())
    step = StepRule(rate, weight_decay=optimizer.decoupled_decay)
    batches = Batches(X, Y, None, 20, False, rng)
    epochs = gradient_descent(objective, batches, optimizer, Constant(), step, DescentState())
    first = second = np.zeros(4)
    for number in range(1, 11):
        next(epochs)
        error = X @ theta[:3] + theta[3] - Y[:, 0]
        gradient = np.append(X.T @ error, error.sum()) / 20
        first = 0.9 * first + 0.1 * gradient
        second = 0.99 * second + 0.01 * gradient**2
        theta -= rate * math.sqrt(1 - 0.99**number) / (1 - 0.9**number) * first / (np.sqrt(second) + 1e-8)
        theta[:3] *= 1 - rate * 0.3
        np.testing.assert_allclose(network.theta, theta, rtol=1e-9)


def test_decay_is_an_optimizers_own_and_zero_but_for_adamw():
    assert {name: kind().decoupled_decay for name, kind in OPTIMIZERS.items() if kind().decoupled_decay} == {"adamw": 0.01}


def test_minimisers_say_so():
    for optimizer in TABLE:
        assert optimizer.minimizes == isinstance(optimizer, Minimizer) == hasattr(optimizer, "minimize")
        assert optimizer.full_batch >= optimizer.minimizes
    with pytest.raises(NotImplementedError):
        Minimizer().minimize(quadratic, START, 1, None)


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

    result = LBFGS().minimize(quadratic, START, 100, after_iteration)
    assert len(seen) == 2
    assert result.status != 0


def test_lbfgs_heeds_its_limit_on_evaluations():
    result = LBFGS(max_fun=2, tol=0).minimize(quadratic, START, 100, lambda *_: False)
    assert result.status == 1
    assert math.isfinite(result.fun)


def test_the_base_class_takes_no_step():
    assert Optimizer().initial_state(np.zeros(1)) == {}
    with pytest.raises(NotImplementedError):
        Optimizer().update(None, None, None, None, None)
