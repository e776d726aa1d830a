"""The gradient loop, without scikit-learn: gradients against finite differences, patience, schedules."""

from itertools import islice, product

import numpy as np
import pytest
from scipy.optimize import check_grad

from skbackprop._engine.batches import Batches
from skbackprop._engine.descent import Objective, Patience, base_rate_loss, gradient_descent, mean_loss
from skbackprop._engine.network import Network
from skbackprop.activations import ACTIVATIONS
from skbackprop.initializers import INITIALIZERS
from skbackprop.losses import (
    REGRESSION_LOSSES,
    BinaryLogLoss,
    CategoricalLogLoss,
    HuberLoss,
    SigmoidSquaredError,
    SquaredError,
)
from skbackprop.optimizers import SGD
from skbackprop.schedules import Constant, InverseScaling, Schedule

rng = np.random.RandomState(0)
X = rng.randn(12, 4)
Y = np.eye(3)[rng.randint(3, size=12)]
weight = rng.uniform(0.5, 2, (12, 1))
# Targets that every regression loss takes.
positive = rng.uniform(0.2, 1.5, (12, 3))


def make(hidden=(5,), activation="tanh", fit_intercept=True):
    """A network for X and Y."""
    network = Network((4, *hidden, 3), [ACTIVATIONS[activation]] * len(hidden), fit_intercept, np.dtype(float))
    network.initialize(INITIALIZERS["auto"], np.random.RandomState(1))
    network.theta += 0.1 * np.random.RandomState(2).randn(network.theta.size)
    return network


@pytest.mark.parametrize(
    ("loss", "activation", "hidden", "weights", "fit_intercept"),
    list(
        product(
            [
                BinaryLogLoss(),
                CategoricalLogLoss(),
                SigmoidSquaredError(),
                *(kind() for kind in REGRESSION_LOSSES.values()),
            ],
            ACTIVATIONS,
            [(), (5,), (5, 4, 3)],
            [None, weight],
            [True, False],
        )
    ),
)
def test_the_gradient_is_that_of_the_loss_reported(loss, activation, hidden, weights, fit_intercept):
    objective = Objective(make(hidden, activation, fit_intercept), loss, alpha=0.3)
    theta, targets = objective.network.theta.copy(), positive if hasattr(loss, "log_link") else Y

    def value(x):
        objective.network.theta[:] = x
        return objective(X, targets, weights)

    def gradient(x):
        value(x)
        return objective.gradient.copy()

    assert check_grad(value, gradient, theta) < 1e-6


def test_dropouts_gradient_is_that_of_the_thinned_network():
    network = make((6, 5))

    def objective():
        return Objective(network, CategoricalLogLoss(), dropout=0.4, generator=np.random.default_rng(3))

    theta = network.theta.copy()

    def value(x):
        network.theta[:] = x
        return objective()(X, Y)

    def gradient(x):
        network.theta[:] = x
        thinned = objective()
        thinned(X, Y)
        return thinned.gradient

    assert check_grad(value, gradient, theta) < 1e-6


def descend(n_epochs, schedule=None, state=None, optimizer=None, **settings):
    """Losses of some epochs."""
    network = make()
    batches = Batches(X, Y, None, 5, False, None)
    state = {} if state is None else state
    epochs = gradient_descent(
        Objective(network, CategoricalLogLoss()), batches, optimizer or SGD(), schedule or Constant(), state, **settings
    )
    return list(islice(epochs, n_epochs)), network, state


def test_an_epoch_at_each_next():
    losses, _, state = descend(4, learning_rate_init=0.1)
    assert losses == sorted(losses, reverse=True)
    assert state["samples_seen"] == 4 * 12


def test_the_schedule_is_asked_once_an_epoch_or_at_every_step():
    rates = [descend(n, InverseScaling(power_t=1), learning_rate_init=1.0)[2]["learning_rate"] for n in (1, 2, 3)]
    assert rates == pytest.approx([1, 1 / 13, 1 / 25])

    class Recorder(Schedule):
        every_step = True
        seen = ()

        def next_rate(self, rate, initial, samples_seen, epoch, progress):
            self.seen = (*self.seen, (samples_seen, round(epoch, 3), round(progress, 3)))
            return initial

    recorder = Recorder()
    descend(1, recorder, learning_rate_init=0.1, max_iter=2)
    assert recorder.seen[1:] == ((0, 0.0, 0.0), (5, 0.417, 0.208), (10, 0.833, 0.417))


def test_a_long_gradient_is_clipped_to_the_norm():
    _, before, _ = descend(0, learning_rate_init=1.0)
    _, after, _ = descend(1, learning_rate_init=1.0, clip_norm=1e-3, optimizer=SGD(momentum=0))
    # Three batches an epoch, each a step of the clipped length at most.
    assert 0 < np.linalg.norm(after.theta - before.theta) <= 3e-3 * (1 + 1e-9)
    _, unclipped, _ = descend(1, learning_rate_init=1.0, clip_norm=1e9)
    np.testing.assert_array_equal(unclipped.theta, descend(1, learning_rate_init=1.0)[1].theta)


def test_weight_decay_is_decoupled_and_spares_biases():
    _, plain, _ = descend(0, learning_rate_init=0.1)
    _, decayed, _ = descend(1, learning_rate_init=1e-300, weight_decay=1e299)
    np.testing.assert_allclose(decayed.weights, plain.weights * 0.9**3)
    np.testing.assert_array_equal(decayed.intercepts[0], plain.intercepts[0])


def test_the_deadline_holds_within_an_epoch():
    _, _, state = descend(1, learning_rate_init=0.1, deadline=0.0)
    assert state["samples_seen"] == 5


def test_mean_loss_is_weighted_and_without_penalty():
    network = make()
    objective = Objective(network, CategoricalLogLoss())
    mean = weight / weight.mean()
    assert mean_loss(CategoricalLogLoss(), network, X, Y, weight[:, 0]) == pytest.approx(objective(X, Y, mean))


def test_the_base_rate_is_the_entropy_of_the_classes():
    many = np.repeat(np.eye(3, dtype=np.uint8), [20_000, 10_000, 10_000], axis=0)
    share = np.array([0.5, 0.25, 0.25])
    assert base_rate_loss(CategoricalLogLoss(), many) == pytest.approx(-(share * np.log(share)).sum())
    assert base_rate_loss(CategoricalLogLoss(), np.eye(3), np.array([2.0, 1, 1])) == pytest.approx(1.5 * np.log(2))


def test_the_base_rate_of_regression_is_the_loss_of_its_statistic():
    many = np.random.RandomState(0).randn(25_000, 2).astype(np.float32)
    assert base_rate_loss(SquaredError(), many) == pytest.approx(many.var(axis=0, dtype=float).sum() / 2, rel=1e-6)
    assert base_rate_loss(SquaredError(), np.full((9, 2), 4.0)) == 0
    weight = np.array([1.0, 2.0, 0.0])
    repeated = np.array([[1.0], [4.0], [4.0]])
    for kind in REGRESSION_LOSSES.values():
        expected = base_rate_loss(kind(), repeated)
        assert base_rate_loss(kind(), np.array([[1.0], [4.0], [9.0]]), weight) == pytest.approx(expected, rel=1e-6)
    assert base_rate_loss(HuberLoss(delta=1e9), repeated) == pytest.approx(1)


def test_patience_counts_epochs_without_improvement_by_tol():
    patience = Patience(tol=0.1, n_iter_no_change=2)
    verdicts = [patience.plateau(score) for score in (0.0, 0.2, 0.25, 0.1, np.nan)]
    assert verdicts == [False, False, False, False, True]
    assert patience.best_score == 0.25


def test_patience_keeps_a_copy_of_the_best_weights():
    patience, theta = Patience(0.0, 10), np.array([1.0])
    for score, value in [(0.5, 1.0), (0.9, 2.0), (0.1, 3.0)]:
        theta[0] = value
        patience.plateau(score, theta)
    assert patience.best_theta[0] == 2.0


def test_of_equal_scores_patience_keeps_the_latest_weights():
    patience, theta = Patience(0.0, 10), np.array([1.0])
    for score, value in [(0.5, 1.0), (0.5, 2.0), (0.4, 3.0)]:
        theta[0] = value
        patience.plateau(score, theta)
    assert patience.best_theta[0] == 2.0


def test_equal_scores_are_an_improvement_as_long_as_the_loss_falls():
    patience, counts = Patience(tol=0.01, n_iter_no_change=9), []
    for score, loss in [(1, 1.0), (1, 0.98), (1 - 1e-7, 0.975), (1, 0.97), (1, 0.969), (0.9, 0.1), (1, 0.96)]:
        patience.plateau(score, None, loss)
        counts.append(patience.count)
    # The loss counts from one improvement to the next, not from one epoch to the next.
    assert counts == [0, 0, 1, 0, 1, 2, 0]
    first = Patience(tol=0.01, n_iter_no_change=9, best_score=1.0, best_loss=1.0, latest=False)
    first.plateau(1.0, None, 0.5)
    assert first.count == 1


def test_the_mean_of_weights_lags_by_a_sixth_of_the_epochs_and_nine_at_most():
    patience, epochs = Patience(0.0, 10, averages=True), np.arange(1.0, 300.0)
    # Weights that grow by 1 an epoch, and some that do not.
    means = np.array([patience.mean_with(np.array([epoch, 7.0])) for epoch in epochs])
    np.testing.assert_allclose((epochs - means[:, 0])[:46], (epochs[:46] - 1) / 6)
    assert (epochs - means[:, 0])[-1] == pytest.approx(9)
    np.testing.assert_allclose(means[:, 1], 7)
