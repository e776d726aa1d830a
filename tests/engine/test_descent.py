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
from skbackprop.optimizers import SGD, Optimizer
from skbackprop.schedules import Constant, InverseScaling, Schedule, WarmUp

rng = np.random.RandomState(0)
X = rng.randn(12, 4)
Y = np.eye(3)[rng.randint(3, size=12)]


def make():
    """A network for X and Y."""
    network = Network((4, 5, 3), [ACTIVATIONS["tanh"]], True, np.dtype(float))
    network.initialize(INITIALIZERS["auto"], np.random.RandomState(1))
    network.theta += 0.1 * np.random.RandomState(2).randn(network.theta.size)
    return network


def descend(n_epochs, rule, schedule=None, optimizer=None, passes=1, averages=False, **limits):
    """Losses of some epochs, the network, and where it stopped."""
    network = make()
    state = DescentState(mean=network.theta.copy() if averages else None)
    batches = Batches(X, Y, None, 5, False, None, passes=passes)
    objective = Objective(network, CategoricalLogLoss())
    rules = optimizer or SGD(), schedule or Constant(), rule
    epochs = gradient_descent(objective, batches, *rules, state, **limits)
    return list(islice(epochs, n_epochs)), network, state


def test_an_epoch_at_each_next():
    losses, _, state = descend(4, StepRule(0.1))
    assert losses == sorted(losses, reverse=True)
    assert state.samples_seen == 4 * 12


def test_the_schedule_is_asked_once_an_epoch_or_at_every_step():
    rates = [descend(n, StepRule(1.0), InverseScaling(power_t=1))[2].learning_rate for n in (1, 2, 3)]
    assert rates == pytest.approx([1, 1 / 13, 1 / 25])

    class Recorder(Schedule):
        every_step = True
        seen = ()

        def next_rate(self, rate, initial, samples_seen, epoch, progress, steps):
            self.seen = (*self.seen, (samples_seen, round(epoch, 3), round(progress, 3), steps))
            return initial

    recorder = Recorder()
    descend(1, StepRule(0.1), recorder, max_iter=2)
    assert recorder.seen[1:] == ((0, 0.0, 0.0, 0), (5, 0.417, 0.208, 1), (10, 0.833, 0.417, 2))


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
    _, _, state = descend(1, StepRule(0.1), deadline=0.0)
    assert state.samples_seen == 5


def test_the_rate_rises_from_step_to_step_and_across_epochs():
    class Moves(Optimizer):
        def update(self, theta, gradient, state, learning_rate, loss):
            theta += learning_rate

    _, before, _ = descend(0, StepRule(1.0))
    _, after, state = descend(2, StepRule(1.0), WarmUp(n_steps=5), Moves())
    # Six steps: fifths of the rate, and then all of it.
    np.testing.assert_allclose(after.theta - before.theta, 0.2 + 0.4 + 0.6 + 0.8 + 1 + 1)
    assert state.steps == 6


def test_an_epoch_of_several_passes_is_as_many_epochs_of_one():
    losses, twice, state = descend(2, StepRule(0.1), passes=2)
    single, four, other = descend(4, StepRule(0.1))
    np.testing.assert_array_equal(twice.theta, four.theta)
    assert losses == pytest.approx([np.mean(single[:2]), np.mean(single[2:])])
    assert (state.steps, state.samples_seen, state.epochs) == (12, 48, 2.0)
    assert (other.steps, other.samples_seen, other.epochs) == (12, 48, 4.0)


@pytest.mark.usefixtures("numpy_engine")
def test_the_running_mean_follows_its_recursion_and_leaves_training_as_it_is():
    class Recorder(SGD):
        def __init__(self):
            super().__init__()
            self.path = []

        def update(self, theta, gradient, state, learning_rate, loss):
            super().update(theta, gradient, state, learning_rate, loss)
            self.path.append(theta.copy())

    recorder = Recorder()
    _, network, state = descend(3, StepRule(0.1), optimizer=recorder, averages=True)
    mean = np.full_like(network.theta, np.nan)
    for t, theta in enumerate(recorder.path, start=1):
        mean = theta if t == 1 else mean + 6 / (t + 5) * (theta - mean)
    assert len(recorder.path) == state.steps == 9
    np.testing.assert_allclose(state.mean, mean, rtol=1e-12)
    _, plain, without = descend(3, StepRule(0.1))
    np.testing.assert_array_equal(network.theta, plain.theta)
    assert without.mean is None


def test_the_mean_of_weights_that_grow_evenly_lags_by_a_seventh_of_the_steps():
    class Grows(Optimizer):
        def update(self, theta, gradient, state, learning_rate, loss):
            theta += 1.0

    _, network, state = descend(30, StepRule(1.0), optimizer=Grows(), averages=True)
    # Weights of 1, 2, ..., t have the mean (6 t + 1) / 7.
    np.testing.assert_allclose(network.theta - state.mean, (90 - 1) / 7)


def test_a_step_may_take_a_weight_to_zero_and_not_beyond():
    # At a rate of 0.5.
    _, network, _ = descend(1, StepRule(0.5, weight_decay=2.0))
    assert not network.weights.any()
    with pytest.raises(ValueError, match=r"Got weight_decay=2.01 with a learning rate of 0.5: .* must be at most 1"):
        descend(1, StepRule(0.5, weight_decay=2.01))


@pytest.mark.parametrize("each_step", [False, True], ids=["each epoch", "each step"])
@pytest.mark.parametrize("base", [Schedule, WarmUp])
def test_a_schedule_of_ones_own_that_rises_too_far_is_refused_when_it_does(base, each_step):
    class Doubling(base):
        every_step = each_step

        def next_rate(self, rate, initial, samples_seen, epoch, progress, steps):
            return initial * 2.0**epoch

    rule = StepRule(0.5, weight_decay=1.0)
    # By steps the rate rises within the second epoch.
    descend(1 if each_step else 2, rule, Doubling())
    with pytest.raises(ValueError, match=r"with a learning rate of (2|1\.\d+):"):
        descend(2 if each_step else 3, rule, Doubling())
