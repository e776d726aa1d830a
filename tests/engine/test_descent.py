"""The gradient loop, without scikit-learn: epochs, schedules, what happens at a step."""

from itertools import islice

import numpy as np
import pytest

from skbackprop._engine.batches import Batches
from skbackprop._engine.descent import DescentState, StepRule, gradient_descent
from skbackprop._engine.network import Network
from skbackprop._engine.objective import Objective
from skbackprop.activations import ACTIVATIONS
from skbackprop.initializers import INITIALIZERS
from skbackprop.losses import CategoricalLogLoss
from skbackprop.optimizers import SGD
from skbackprop.schedules import Constant, InverseScaling, Schedule

rng = np.random.RandomState(0)
X = rng.randn(12, 4)
Y = np.eye(3)[rng.randint(3, size=12)]


def make():
    """A network for X and Y."""
    network = Network((4, 5, 3), [ACTIVATIONS["tanh"]], True, np.dtype(float))
    network.initialize(INITIALIZERS["auto"], np.random.RandomState(1))
    network.theta += 0.1 * np.random.RandomState(2).randn(network.theta.size)
    return network


def descend(n_epochs, step, schedule=None, optimizer=None, **limits):
    """Losses of some epochs, the network, and where it stopped."""
    network, progress = make(), DescentState()
    batches = Batches(X, Y, None, 5, False, None)
    objective = Objective(network, CategoricalLogLoss())
    rules = optimizer or SGD(), schedule or Constant(), step
    epochs = gradient_descent(objective, batches, *rules, progress, **limits)
    return list(islice(epochs, n_epochs)), network, progress


def test_an_epoch_at_each_next():
    losses, _, progress = descend(4, StepRule(0.1))
    assert losses == sorted(losses, reverse=True)
    assert progress.samples_seen == 4 * 12


def test_the_schedule_is_asked_once_an_epoch_or_at_every_step():
    rates = [descend(n, StepRule(1.0), InverseScaling(power_t=1))[2].learning_rate for n in (1, 2, 3)]
    assert rates == pytest.approx([1, 1 / 13, 1 / 25])

    class Recorder(Schedule):
        every_step = True
        seen = ()

        def next_rate(self, rate, initial, samples_seen, epoch, progress):
            self.seen = (*self.seen, (samples_seen, round(epoch, 3), round(progress, 3)))
            return initial

    recorder = Recorder()
    descend(1, StepRule(0.1), recorder, max_iter=2)
    assert recorder.seen[1:] == ((0, 0.0, 0.0), (5, 0.417, 0.208), (10, 0.833, 0.417))


def test_a_long_gradient_is_clipped_to_the_norm():
    _, before, _ = descend(0, StepRule(1.0))
    _, after, _ = descend(1, StepRule(1.0, clip_norm=1e-3), optimizer=SGD(momentum=0))
    # Three batches an epoch, each a step of the clipped length at most.
    assert 0 < np.linalg.norm(after.theta - before.theta) <= 3e-3 * (1 + 1e-9)
    _, unclipped, _ = descend(1, StepRule(1.0, clip_norm=1e9))
    np.testing.assert_array_equal(unclipped.theta, descend(1, StepRule(1.0))[1].theta)


def test_weight_decay_is_decoupled_and_spares_biases():
    _, plain, _ = descend(0, StepRule(0.1))
    _, decayed, _ = descend(1, StepRule(1e-300, weight_decay=1e299))
    np.testing.assert_allclose(decayed.weights, plain.weights * 0.9**3)
    np.testing.assert_array_equal(decayed.intercepts[0], plain.intercepts[0])


def test_the_deadline_holds_within_an_epoch():
    _, _, progress = descend(1, StepRule(0.1), deadline=0.0)
    assert progress.samples_seen == 5
