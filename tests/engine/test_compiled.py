"""The compiled engine: its formulas against NumPy's, its epochs against the loop's, and whatever it may be given."""

import itertools
import re
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.datasets import load_iris

from skbackprop import SigmoidBackpropClassifier, SigmoidBackpropRegressor
from skbackprop._engine import compiled
from skbackprop._engine.batches import Batches
from skbackprop._engine.descent import DescentState, StepRule, gradient_descent
from skbackprop._engine.network import Network
from skbackprop._engine.objective import QUIET, Objective
from skbackprop._engine.penalty import Penalty
from skbackprop._engine.prediction import raw_scores
from skbackprop._estimators.scaling import Scaling
from skbackprop.activations import ACTIVATIONS, Tanh
from skbackprop.initializers import INITIALIZERS
from skbackprop.losses import CLASSIFICATION_LOSSES, REGRESSION_LOSSES, HuberLoss, Quantile
from skbackprop.losses._scikit_learn import AS_THERE
from skbackprop.optimizers import OPTIMIZERS, SGD, Rprop
from skbackprop.schedules import Constant, OneCycle, WarmUp

engine = compiled._compiled
if engine is None:
    pytest.skip("this installation has no compiled engine", allow_module_level=True)

TARGETS = engine.targets()
TYPES = [np.float32, np.float64]
FUNCTIONS = {"exp": np.exp, "expm1": np.expm1, "log1p": np.log1p, "tanh": np.tanh}
# Where they are asked for.
RANGES = {"exp": (-1000, 1000), "expm1": (-100, 49), "log1p": (0, 1), "tanh": (-50, 50)}
ROUNDED = list(AS_THERE.values())
LOSSES = [loss for row in CLASSIFICATION_LOSSES.values() for loss in row.values()] + list(REGRESSION_LOSSES.values())
LOSSES += ROUNDED
SPECIAL = [0.0, -0.0, np.inf, -np.inf, np.nan, 1e-30, -1e-30, 1e30, -1e30]


@contextmanager
def using(target):
    """Compute with the kernels for another processor."""
    engine.use(target)
    try:
        yield
    finally:
        engine.use(TARGETS[0])


def units_apart(found, expected):
    """Largest distance in units of the last place of what is expected, which may be of a finer type."""
    finite = np.isfinite(expected)
    np.testing.assert_array_equal(np.isnan(found), np.isnan(expected))
    np.testing.assert_array_equal(found[np.isinf(expected)], expected[np.isinf(expected)])
    unit = np.spacing(np.abs(expected[finite]).astype(found.dtype)).astype(expected.dtype)
    return float(np.max(np.abs(found[finite].astype(expected.dtype) - expected[finite]) / unit, initial=0))


def grid(low, high, dtype, special=True):
    """Numbers that lie dense, and those near zero and beyond."""
    numbers = np.concatenate([np.linspace(low, high, 20_001), np.geomspace(1e-30, 1, 1000), -np.geomspace(1e-30, 1, 1000)])
    return np.concatenate([numbers[(numbers >= low) & (numbers <= high)], SPECIAL if special else []]).astype(dtype)


# Formulas ---------------------------------------------------------------------------------------------------------------


def test_the_numbers_of_the_parts_are_those_of_the_header():
    header = (Path(compiled.__file__).parent / "plan.h").read_text()
    for last, classes in (("ACTIVATIONS", compiled.ACTIVATIONS), ("LOSSES", compiled.LOSSES)):
        (names,) = re.findall(rf"enum {{([^}}]*)N_{last}\s*}}", header)
        assert names.replace("_", "").lower().replace(",", " ").split() == [kind.__name__.lower() for kind in classes]
    assert "enum { SGD, ADAM, RPROP, N_OPTIMIZERS }" in header


def test_every_part_that_has_a_name_is_known():
    assert {type(activation) for activation in ACTIVATIONS.values()} == set(compiled.ACTIVATIONS)
    assert set(LOSSES) == set(compiled.LOSSES)
    assert {kind for kind in OPTIMIZERS.values() if not kind.minimizes} == set(compiled.OPTIMIZERS)


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize(
    ("name", "low", "high"), [("exp", -1000, 1000), ("expm1", -100, 49), ("log1p", 0, 1), ("tanh", -50, 50)]
)
def test_functions_are_exact_to_four_units(name, low, high, target, dtype):
    X = grid(low, high, dtype, special=name != "log1p")
    if name == "expm1":
        X = X[~(X > 49)]
    found = X.copy()
    with using(target), np.errstate(all="ignore"):
        engine.apply("function", list(FUNCTIONS).index(name), found)
        expected = FUNCTIONS[name](X.astype(np.longdouble if dtype is np.float64 else np.float64))
        # What the type itself cannot hold is infinite in it.
        expected[np.abs(expected) > np.finfo(dtype).max] *= np.inf
    assert units_apart(found, expected) < 4


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("activation", dict.fromkeys(ACTIVATIONS.values()), ids=repr)
def test_activations_are_numpys(activation, target, dtype):
    A = grid(-30, 30, dtype, special=False)
    cache, found, found_cache = np.empty_like(A), A.copy(), np.empty_like(A)
    number = compiled.ACTIVATIONS.index(type(activation))
    delta = np.random.RandomState(0).randn(A.size).astype(dtype)
    found_delta = delta.copy()
    with using(target), np.errstate(**QUIET):
        activation.forward(A, cache)
        engine.apply("forward", number, found, found_cache)
        tolerance = 8 * np.finfo(dtype).eps
        # Far out scipy's distribution function is less exact than that.
        np.testing.assert_allclose(found, A, rtol=tolerance, atol=tolerance * 1e-5)
        engine.apply("backward", number, A.copy(), cache.copy(), found_delta)
        activation.backward(A, cache, delta)
    np.testing.assert_allclose(found_delta, delta, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("name", ["identity", "logistic", "tanh", "relu", "silu", "elu"])
def test_what_is_not_finite_stays_so(name):
    """A network that diverges shows it under either engine."""
    activation, A = ACTIVATIONS[name], np.array([np.nan, np.inf, -np.inf, 1.0])
    found, cache = A.copy(), np.empty_like(A)
    with np.errstate(**QUIET):
        engine.apply("forward", compiled.ACTIVATIONS.index(type(activation)), found, cache.copy())
        activation.forward(A, cache)
    np.testing.assert_allclose(found, A)


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("n_outputs", [1, 3])
@pytest.mark.parametrize("kind", dict.fromkeys(LOSSES))
def test_losses_are_numpys(kind, n_outputs, target, dtype):
    rng = np.random.RandomState(0)
    loss, shape = kind(), (200, n_outputs)
    # A probability close to one is rounded, so that its complement is inexact; where it is one, all is exact again.
    Z = rng.uniform(-20, 20, shape)
    if kind in ROUNDED:
        Z = np.where(np.abs(Z) > 3, 200 * np.sign(Z), Z)
    Z = np.asfortranarray(Z, dtype)
    Y = np.asfortranarray(
        rng.uniform(0.1, 3, shape) if kind in REGRESSION_LOSSES.values() else rng.randint(2, size=shape), dtype
    )
    arrays = [np.zeros(200, dtype), np.zeros(shape, dtype, "F"), np.zeros(shape, dtype, "F")]
    found = [array.copy("F") for array in arrays]
    setting = getattr(loss, compiled.LOSSES[kind] or "", 0.0)
    with using(target), np.errstate(**QUIET):
        values, gradient, scratch = (array.T if array.ndim == 2 else array for array in found)
        engine.loss_gradient(list(compiled.LOSSES).index(kind), setting, 200, Y.T, Z.copy("F").T, values, gradient, scratch)
        loss.loss_gradient(Y, Z, *arrays)
    for one, other in zip(found[:2], arrays[:2], strict=True):
        # Large terms cancel in the losses.
        np.testing.assert_allclose(one, other, rtol=20 * np.finfo(dtype).eps, atol=100 * np.finfo(dtype).eps)


# Epochs -----------------------------------------------------------------------------------------------------------------


def descend(choice, *, dtype=np.float64, n_samples=23, sizes=(4, 5, 3), activation="tanh", loss=None, optimizer=None,
            schedule=None, rule=None, batch_size=5, shuffle=True, penalty=0.01, weighted=False, dropout=0.0, noise=0.0,
            scaled=False, mean=False, passes=1, fit_intercept=True, own_weight=False, scale=None, rows=None,
            with_loss=True, n_epochs=5, layout=np.asarray):  # fmt: skip
    """The losses of some epochs, the network and the state, by the engine of that name."""
    rng = np.random.RandomState(0)
    X = layout(rng.randn(n_samples, sizes[0]).astype(dtype))
    Y = rng.randint(2, size=(n_samples, sizes[-1])).astype(np.uint8)
    weight = rng.uniform(0, 2, n_samples) if weighted else None
    if loss is not None and type(loss) in REGRESSION_LOSSES.values():
        Y = Y + 0.5
    network = Network(sizes, [ACTIVATIONS[activation]] * (len(sizes) - 2), fit_intercept, np.dtype(dtype))
    network.initialize(INITIALIZERS["glorot"], np.random.RandomState(1))
    generator = np.random.default_rng(2)
    scaling = Scaling.of(X, None, True) if scaled else None
    batches = Batches(X, Y, weight, batch_size, shuffle, np.random.RandomState(3), rows, scaling, noise, generator, passes)
    objective = Objective(network, loss or Quantile(0.4), Penalty(network, penalty), dropout, generator, own_weight)
    state = DescentState(mean=network.theta.copy() if mean else None)
    rules = optimizer or SGD(), schedule or Constant(), rule or StepRule(0.05)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SKBACKPROP_ENGINE", choice)
        assert compiled.takes(objective, batches, rules[0]) is (choice == "c")
        epochs = gradient_descent(objective, batches, *rules, state, max_iter=10, scale=scale, with_loss=with_loss)
        with np.errstate(**QUIET):
            return list(itertools.islice(epochs, n_epochs)), network, state


def assert_same_descent(rtol=1e-10, **settings):
    """What both engines make of it agrees, to rounding."""
    losses, network, state = descend("c", **settings)
    expected, numpys, numpy_state = descend("numpy", **settings)
    np.testing.assert_allclose(losses, expected, rtol=rtol)
    np.testing.assert_allclose(network.theta, numpys.theta, rtol=rtol, atol=rtol)
    assert (state.steps, state.samples_seen, state.epochs) == (
        numpy_state.steps,
        numpy_state.samples_seen,
        numpy_state.epochs,
    )
    assert state.learning_rate == numpy_state.learning_rate
    assert state.memory.keys() == numpy_state.memory.keys()
    for name, value in numpy_state.memory.items():
        np.testing.assert_allclose(state.memory[name], value, rtol=rtol, atol=rtol)
    if state.mean is not None:
        np.testing.assert_allclose(state.mean, numpy_state.mean, rtol=rtol, atol=rtol)


STEP_WISE = [kind() for kind in OPTIMIZERS.values() if not kind.minimizes]
STEP_WISE += [SGD(momentum=0.0), SGD(nesterovs_momentum=False)]


@pytest.mark.parametrize("optimizer", STEP_WISE, ids=repr)
@pytest.mark.parametrize("kind", dict.fromkeys(LOSSES))
def test_epochs_are_numpys_with_every_loss_and_optimizer(kind, optimizer):
    full = {"batch_size": 23, "shuffle": False} if optimizer.full_batch else {}
    assert_same_descent(loss=kind(), optimizer=optimizer, **full)
    assert_same_descent(loss=kind(), optimizer=optimizer, weighted=True, mean=True, sizes=(4, 5, 6, 1), **full)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("sizes", [(4, 3), (1, 1, 1), (4, 5, 1), (4, 40, 30, 3), (30, 70, 10)])
def test_epochs_are_numpys_with_every_activation_and_shape(activation, sizes):
    for batch_size in (1, 5, 23):
        assert_same_descent(activation=activation, sizes=sizes, batch_size=batch_size)


OPTIONS = {
    "weights": {"weighted": True},
    "own weight": {"weighted": True, "own_weight": True},
    "clipped": {"rule": StepRule(0.05, clip_norm=0.1)},
    "decay": {"rule": StepRule(0.05, weight_decay=0.1)},
    "tied": {"rule": StepRule(0.05, tied=True), "sizes": (3, 2, 3)},
    "deep and tied": {"rule": StepRule(0.05, tied=True), "sizes": (5, 4, 2, 4, 5)},
    "dropout": {"dropout": 0.3, "sizes": (4, 6, 5, 2)},
    "noise": {"noise": 0.2},
    "scaled": {"scaled": True},
    "scaled noise in order": {"scaled": True, "noise": 0.2, "shuffle": False, "batch_size": 23},
    "mean": {"mean": True},
    "rows": {"rows": np.array([3, 1, 20, 7, 7, 11, 0])},
    "rows in order": {"rows": np.array([3, 1, 20, 7, 11, 0]), "shuffle": False},
    "passes": {"passes": 3},
    "passes over one batch": {"passes": 3, "batch_size": 23, "shuffle": False},
    "passes in order": {"passes": 3, "shuffle": False},
    "no biases": {"fit_intercept": False},
    "no penalty": {"penalty": 0.0},
    "a penalty a layer": {"penalty": [0.1, 0.0]},
    "a scale": {"scale": 0.5},
    "one cycle": {"schedule": OneCycle()},
    "warm-up": {"schedule": WarmUp(7)},
    "warm-up in passes": {"schedule": WarmUp(7), "passes": 3, "batch_size": 23, "shuffle": False},
    "no loss": {"with_loss": False},
    "settings": {"loss": HuberLoss(0.3), "optimizer": OPTIMIZERS["adam"](0.8, 0.99, 1e-3)},
    "more settings": {"optimizer": Rprop(0.1, 1.5, 0.4, 1e-3, 1.0), "batch_size": 23, "shuffle": False},
    "columns in reverse rows": {"layout": lambda X: X[::-1]},
    "every other row": {"layout": lambda X: np.repeat(X, 2, axis=0)[::2], "shuffle": False, "batch_size": 23},
    "some of the columns": {"layout": lambda X: np.repeat(X, 2, axis=1)[:, :4]},
}


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("name", OPTIONS)
def test_epochs_are_numpys_with_every_option(name, dtype):
    assert_same_descent(dtype=dtype, rtol=1e-10 if dtype is np.float64 else 2e-4, **OPTIONS[name])


@given(
    sizes=st.lists(st.integers(1, 12), min_size=2, max_size=5),
    n_samples=st.integers(1, 40),
    batch_size=st.integers(1, 40),
    activation=st.sampled_from(sorted(ACTIVATIONS)),
    shuffle=st.booleans(),
    weighted=st.booleans(),
    target=st.sampled_from(TARGETS),
)
def test_epochs_of_any_shape_are_numpys(sizes, n_samples, batch_size, activation, shuffle, weighted, target):
    shape = {"sizes": tuple(sizes), "n_samples": n_samples, "batch_size": min(batch_size, n_samples)}
    with using(target):
        assert_same_descent(**shape, activation=activation, shuffle=shuffle, weighted=weighted, n_epochs=2, rtol=1e-9)


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("batch_size", [2, 3, 4, 7, 8, 9, 31, 40])
@pytest.mark.parametrize(
    "sizes", [(1, 300, 1), (33, 15, 16, 17, 2), (7, 47, 48, 49), (70, 100, 3), (5, 31, 32, 33, 1), (64, 8, 9, 64)]
)
def test_products_of_any_width_are_numpys(sizes, batch_size, target, dtype, monkeypatch):
    """Tiles overlap where sizes are no multiples of theirs; with another way to multiply, the BLAS makes the products."""
    rtol = 1e-9 if dtype is np.float64 else 5e-3
    with using(target):
        assert_same_descent(sizes=sizes, n_samples=40, batch_size=batch_size, dtype=dtype, n_epochs=2, rtol=rtol)
        monkeypatch.setattr(
            compiled, "CROSSOVER", dict.fromkeys(compiled.CROSSOVER, dict.fromkeys(map(np.dtype, TYPES), 0))
        )
        assert_same_descent(sizes=sizes, n_samples=40, batch_size=batch_size, dtype=dtype, n_epochs=2, rtol=rtol)


def test_unaligned_memory_is_left_to_numpy():
    room = np.zeros(20 * 4 * 8 + 1, np.uint8)[1:].view(np.float64).reshape(20, 4)
    room[...] = np.random.RandomState(0).randn(20, 4)
    network = Network((4, 1), [], True, np.dtype(float))
    objective = Objective(network, Quantile())
    for X, known in ((room, False), (room.copy(), True)):
        assert compiled.takes(objective, Batches(X, np.zeros((20, 1)), None, 5, False, None), SGD()) is known


@pytest.mark.parametrize("name", ["dropout", "noise", "warm-up", "passes in order", "one cycle", "mean"])
def test_an_epoch_in_many_calls_is_the_same_to_the_last_bit(name, monkeypatch):
    """So it is however often an interrupt is looked for."""
    _, whole, _ = descend("c", **OPTIONS[name])
    monkeypatch.setattr(compiled, "SECONDS_A_CALL", 0.0)
    monkeypatch.setattr(compiled, "STEPS_A_CALL", 2)
    _, parts, _ = descend("c", **OPTIONS[name])
    np.testing.assert_array_equal(parts.theta, whole.theta)


def test_eight_threads_train_as_one_does():
    expected = descend("c", sizes=(4, 40, 3), n_epochs=50)[1].theta

    def train(_):
        return descend("c", sizes=(4, 40, 3), n_epochs=50)[1].theta

    # The variable that chooses the engine is that of the process; here it is "c" for all.
    with ThreadPoolExecutor(8) as executor:
        for theta in executor.map(train, range(16)):
            np.testing.assert_array_equal(theta, expected)


def test_a_trainer_trains_for_one_at_a_time():
    batches = Batches(np.zeros((400_000, 20)), np.zeros((400_000, 1)), None, 200, False, None)
    network = Network((20, 30, 1), [Tanh()], True, np.dtype(float))
    objective = Objective(network, Quantile())
    run = compiled.Epochs(objective, batches, SGD(0.0), StepRule(0.1), {}, None, None, True).train
    begun, refused = threading.Event(), []

    def second():
        begun.wait()
        for _ in range(10_000):
            try:
                run(0, 200, 0, 0.1, 0.0, 1.0, None)
            except RuntimeError as error:
                refused.append(str(error))
                return

    thread = threading.Thread(target=second)
    thread.start()
    begun.set()
    for _ in range(10):
        try:
            run(0, 400_000, 0, 0.1, 0.0, np.inf, None)
        except RuntimeError as error:
            refused.append(str(error))
        if refused:
            break
    thread.join()
    assert "one at a time" in refused[0]


# What it is given -------------------------------------------------------------------------------------------------------


def trainer(**other):
    """The arguments of a trainer that is right, but for some."""
    theta = np.zeros(4 * 3 + 3 * 2 + 5)
    right = {
        "theta": theta, "gradient": theta.copy(), "sizes": (4, 3, 2), "activations": (1,), "penalties": (0.0, 0.0),
        "fit_intercept": True, "loss": 3, "loss_setting": 0.0, "optimizer": 0, "optimizer_settings": (0.9, 1.0),
        "memory": (theta.copy(),), "X": np.zeros((10, 4)), "Y": np.zeros((10, 2)), "sample_weight": None, "order": None,
        "mean_of_X": None, "scale_of_X": None, "batch_size": 5, "scale": np.nan, "own_weight": False, "with_loss": True,
        "clip_norm": np.inf, "weight_decay": 0.0, "tied": False, "mean": None, "dropout": 0.0, "generator": None,
        "noise": 0.0, "own_products": True,
    }  # fmt: skip
    return engine.Trainer(**{**right, **other})


WRONG = {
    "short theta": {"theta": np.zeros(22)},
    "float32 gradient": {"gradient": np.zeros(23, np.float32)},
    "read-only theta": {"theta": np.frombuffer(bytes(8 * 23))},
    "no layers": {"sizes": (4,)},
    "an empty layer": {"sizes": (4, 0, 2)},
    "an unknown activation": {"activations": (99,)},
    "too few activations": {"activations": ()},
    "an unknown loss": {"loss": 99},
    "an unknown optimizer": {"optimizer": -1},
    "memory of another optimizer": {"optimizer": 1},
    "no memory": {"memory": (None,)},
    "dropout without a generator": {"dropout": 0.5},
    "too few columns": {"X": np.zeros((10, 3))},
    "no rows": {"X": np.zeros((0, 4)), "Y": np.zeros((0, 2))},
    "whole numbers": {"X": np.zeros((10, 4), int)},
    "a vector": {"X": np.zeros(40)},
    "objects": {"Y": np.zeros((10, 2), object)},
    "columns apart": {"X": np.zeros((10, 8))[:, ::2]},
    "fewer targets": {"Y": np.zeros((9, 2))},
    "fewer weights": {"sample_weight": np.zeros(9)},
    "rows that are not there": {"order": np.array([0, 10])},
    "negative rows": {"order": np.array([0, -1])},
    "no number of a row": {"order": np.array([0.0, 1.0])},
    "an empty order": {"order": np.zeros(0, np.intp)},
    "a mean alone": {"mean_of_X": np.zeros(4)},
    "an empty batch": {"batch_size": 0},
    "a batch of more than there are": {"batch_size": 11},
    "no generator": {"generator": object()},
    "no array": {"theta": [0.0] * 23},
    "tied layers that do not mirror": {"tied": True},
}


@pytest.mark.parametrize("name", WRONG)
def test_a_trainer_refuses_what_does_not_fit_together(name):
    trainer()
    with pytest.raises((ValueError, TypeError, BufferError)):
        trainer(**WRONG[name])


@pytest.mark.parametrize(
    "arguments",
    [
        (-1, 10, 0, 0.1, 0.0, 1.0, None),
        (5, 0, 0, 0.1, 0.0, 1.0, None),
        (0, 10, 0, np.array([0.1] * 1)[:0], 0.0, 1.0, None),
        (0, 30, 0, np.array([0.1] * 5), 0.0, 1.0, None),
        (0, 10, 0, np.array([1, 2]), 0.0, 1.0, None),
        (0, 10, 0, 0.1, 0.0, 1.0, np.zeros((9, 4))),
        (0, 10, 0, 0.1, 0.0, 1.0, np.zeros((10, 4), np.float32)),
        (0, 10, 0, 0.1, 0.0, 1.0),
        (0, 10, 0, "fast", 0.0, 1.0, None),
    ],
)
def test_a_run_refuses_what_does_not_fit_together(arguments):
    with pytest.raises((ValueError, TypeError, BufferError)):
        trainer(noise=0.1).run(*arguments) if arguments[-1] is not None else trainer().run(*arguments)


def test_arrays_are_held_as_long_as_the_trainer_lives():
    theta = np.ones(23)
    before = sys.getrefcount(theta)
    one = trainer(theta=theta)
    assert sys.getrefcount(theta) > before
    with pytest.raises(ValueError, match="resize"):
        theta.resize(2)
    del one
    assert sys.getrefcount(theta) == before


@pytest.mark.parametrize("target", TARGETS)
def test_what_is_within_bounds_is_so_to_numpy(target):
    rng = np.random.RandomState(0)
    arrays = [rng.randn(*shape).astype(dtype) for dtype in "fdg" for shape in ((0,), (1,), (7, 5), (100,))]
    arrays += [array[::-1] for array in arrays] + [np.asfortranarray(arrays[2])]
    arrays += [np.frombuffer(b"1234567", np.float32, 1, 3), np.arange(3), np.ones(3, bool)]
    with using(target):
        for array in arrays:
            assert compiled.all_finite(array)
            for bound in (0.0, 1.0, 3.0, 3e38, np.inf):
                assert compiled.all_within(array, bound) is bool((np.abs(array) <= bound).all())
            for position in (0, array.size - 1) if array.size and array.dtype.kind == "f" else ():
                for broken in (np.nan, np.inf, -np.inf):
                    copied = array.copy()
                    copied.flat[position] = broken
                    assert not compiled.all_finite(copied)
                    assert compiled.all_within(copied, np.inf) is not np.isnan(broken)
        for other in (np.array(["", ""]), None, "text", 1.0, np.array([None])):
            assert engine.all_within(other, 1.0) is None
        for wrong in ((arrays[0],), (arrays[0], "one"), ()):
            with pytest.raises(TypeError):
                engine.all_within(*wrong)


# Prediction -------------------------------------------------------------------------------------------------------------

iris = load_iris()


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("n_rows", [1, 2, 33, 200])
@pytest.mark.parametrize(("sizes", "link"), [((4, 3), "multi"), ((4, 6, 1), "two"), ((4, 50, 60, 5), "labels")])
def test_few_rows_are_predicted_as_many_are(sizes, link, n_rows, dtype):
    network = Network(sizes, [ACTIVATIONS["silu"], ACTIVATIONS["elu"]][: len(sizes) - 2], True, np.dtype(dtype))
    network.theta[:] = np.random.RandomState(0).randn(network.theta.size)
    X = np.random.RandomState(1).randn(n_rows, 4).astype(dtype)
    predict = compiled.predictor_of(network.coefs, network.intercepts, network.activations)
    Z = raw_scores(network.coefs, network.intercepts, network.activations, X)
    exact = {"rtol": 100 * np.finfo(dtype).eps, "atol": 100 * np.finfo(dtype).eps}
    np.testing.assert_allclose(predict(network.coefs, network.intercepts, X, compiled.RAW_SCORES), Z, **exact)
    with np.errstate(**QUIET):
        probabilities = np.column_stack([1 / (1 + np.exp(Z)), 1 / (1 + np.exp(-Z))])
    if link == "multi":
        expected, number = np.exp(Z) / np.exp(Z).sum(axis=1, keepdims=True), compiled.CLASSES
    elif link == "two":
        expected, number = probabilities, compiled.TWO_CLASSES
    else:
        expected, number = probabilities[:, sizes[-1] :], compiled.LABELS
    np.testing.assert_allclose(predict(network.coefs, network.intercepts, X, number), expected, **exact)


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("n_features", [1, 2, 3, 7, 20, 65])
def test_raw_scores_of_any_width_are_sums_of_products(n_features, target, dtype):
    """Vectors overlap where there are no multiples of theirs, and reach into the next row of weights where it is narrow."""
    rng = np.random.RandomState(n_features)
    for n_outputs in range(1, 140):
        # (What is read beyond the last weight, a sanitizer finds.)
        coef = rng.randn(n_features, n_outputs).astype(dtype)
        intercept, X = rng.randn(n_outputs).astype(dtype), rng.randn(140, n_features).astype(dtype)
        network = [coef], [intercept]
        predict = compiled.predictor_of(*network, ())
        exact = {"rtol": 0, "atol": 2 * n_features * np.abs(X).max() * np.finfo(dtype).eps * np.abs(coef).max()}
        for n_rows in (1, 3, 9, 140):
            with using(target):
                Z = predict(*network, X[:n_rows], compiled.RAW_SCORES)
            if target == "baseline" and n_rows >= 2**18 // coef.size:
                assert Z is None
                continue
            np.testing.assert_allclose(Z, X[:n_rows].astype(float) @ coef.astype(float) + intercept, **exact)


def test_other_inputs_and_other_weights_are_no_case_for_it():
    network = Network((4, 3), [], True, np.dtype(float))
    coefs, intercepts = network.coefs, network.intercepts
    predict = compiled.predictor_of(coefs, intercepts, ())
    X = np.ones((2, 4))
    assert predict(coefs, intercepts, X, 0) is not None
    rest = [X[0], X[:, :3], X.astype(np.float32), X.astype(int), X[:, ::-1], X.tolist(), None, "X"]
    rest += [np.full((2, 4), value) for value in (np.nan, np.inf, -np.inf)] + [X[:0], np.ma.array(X), X.view(np.recarray)]
    for other in rest:
        assert predict(coefs, intercepts, other, 0) is None
    assert predict(list(coefs), intercepts, X, 0) is None
    assert predict(coefs, intercepts, X, compiled.TWO_CLASSES) is None
    coefs[0] = coefs[0].copy()
    assert predict(coefs, intercepts, X, 0) is None
    for wrong in ((coefs, intercepts, X), (coefs, intercepts, X, 9), (tuple(coefs), intercepts, X, 0)):
        with pytest.raises((ValueError, TypeError)):
            predict(*wrong)
    assert compiled.predictor_of([np.ones((2, 3)), np.ones((4, 1))], [np.ones(3), np.ones(1)], (Tanh(),)) is None
    assert compiled.predictor_of([[[1.0]]], [[1.0]], ()) is None


@pytest.mark.parametrize("target", TARGETS)
def test_what_takes_long_is_no_case_for_it(target):
    wide = [np.ones((1, 2**22), np.float32)], [np.zeros(2**22, np.float32)]
    square = [np.ones((512, 512))], [np.zeros(512)]
    with using(target):
        assert compiled.predictor_of(*wide, ())(*wide, np.ones((150, 1), np.float32), 0) is None
        predict = compiled.predictor_of(*square, ())
        assert predict(*square, np.ones((1, 512)), 0) is not None
        # Nor are products that threads of a BLAS may share, where ours are slower.
        assert (predict(*square, np.ones((2, 512)), 0) is None) is (target != "avx512")


def test_an_estimator_predicts_by_its_latest_weights():
    classifier = SigmoidBackpropClassifier(max_iter=5, tol=1.0, random_state=0).fit(iris.data, iris.target)
    before = classifier.predict_proba(iris.data[:3])
    classifier.coefs_[-1] *= 2
    changed = classifier.predict_proba(iris.data[:3])
    assert np.abs(changed - before).max() > 1e-3
    np.testing.assert_allclose(changed, classifier.predict_proba(iris.data)[:3], rtol=1e-12)
    classifier.coefs_ = [coef / 2 for coef in classifier.coefs_]
    np.testing.assert_allclose(classifier.predict_proba(iris.data[:3]), classifier.predict_proba(iris.data)[:3], rtol=1e-12)
    classifier.fit(iris.data[:, :2], iris.target)
    np.testing.assert_allclose(
        classifier.predict_proba(iris.data[:3, :2]), classifier.predict_proba(iris.data[:, :2])[:3], rtol=1e-12
    )
    with pytest.raises(ValueError, match="4 features"):
        classifier.predict_proba(iris.data[:3])
    with pytest.raises(ValueError, match="NaN"):
        classifier.predict_proba(np.full((1, 2), np.nan))


# The choice -------------------------------------------------------------------------------------------------------------


def test_the_environment_chooses(monkeypatch):
    monkeypatch.setenv("SKBACKPROP_ENGINE", "numpy")
    assert compiled.chosen() is None
    monkeypatch.setenv("SKBACKPROP_ENGINE", "fast")
    with pytest.raises(ValueError, match=r"SKBACKPROP_ENGINE='fast'.*'auto', 'numpy' or 'c'"):
        SigmoidBackpropRegressor().fit(iris.data, iris.target)
    monkeypatch.setenv("SKBACKPROP_ENGINE", "c")
    assert compiled.chosen() is engine
    monkeypatch.setattr(compiled, "_compiled", None)
    with pytest.raises(ImportError, match="no compiled engine"):
        SigmoidBackpropRegressor().fit(iris.data, iris.target)
    monkeypatch.delenv("SKBACKPROP_ENGINE")
    assert compiled.chosen() is None


def test_parts_of_ones_own_take_numpys_loop(monkeypatch):
    class Own(Tanh):
        pass

    def never(*arguments):
        raise AssertionError

    monkeypatch.setattr(compiled, "Epochs", never)
    SigmoidBackpropRegressor(activation=Own(), max_iter=2, tol=1e3).fit(iris.data, iris.target)
    with pytest.raises(AssertionError):
        SigmoidBackpropRegressor(activation=Tanh(), max_iter=2, tol=1e3).fit(iris.data, iris.target)
