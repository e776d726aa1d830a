"""At no instant is an estimator less than whole: an interrupt at any line leaves the earlier fit, or the new one."""

import sys
from functools import partial
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone

import skbackprop
from skbackprop import (
    SigmoidBackpropAutoencoder,
    SigmoidBackpropClassifier,
    SigmoidBackpropOutlierDetector,
    SigmoidBackpropRegressor,
)
from skbackprop._estimators.advice import warn_user
from skbackprop._estimators.state import become, draft_of
from skbackprop._estimators.threads import SharedLimit
from skbackprop.neural_network import MLPClassifier, MLPRegressor
from skbackprop.optimizers import Optimizer

PACKAGE = str(Path(skbackprop.__file__).parent)
X = np.random.RandomState(0).randn(12, 2)
Y = np.arange(12) % 3
SETTINGS = {"hidden_layer_sizes": (2,), "batch_size": 6, "max_iter": 2, "random_state": 0}
OURS = {
    "classifier": SigmoidBackpropClassifier(**SETTINGS),
    "warm classifier": SigmoidBackpropClassifier(**SETTINGS, warm_start=True, early_stopping=True),
    "folded classifier": SigmoidBackpropClassifier(**SETTINGS, early_stopping="cv", n_folds=2),
    "regressor": SigmoidBackpropRegressor(**SETTINGS, solver="lbfgs"),
    "autoencoder": SigmoidBackpropAutoencoder(**SETTINGS),
    "detector": SigmoidBackpropOutlierDetector(**SETTINGS, n_estimators=2),
    "MLPClassifier": MLPClassifier(**SETTINGS),
    "MLPRegressor": MLPRegressor(**SETTINGS, warm_start=True),
}
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


class Interrupter:
    """Counts the events in some frames as Python traces them, and raises at one of them; 0 is none.

    Parameters
    ----------
    number : int
    watched : callable
        Takes the code of a frame, returns whether its events count.
    opcodes : bool
        Whether each instruction is an event, or else each line.
    """

    def __init__(self, number, watched, opcodes=False):
        self.number, self.watched, self.opcodes, self.count = number, watched, opcodes, 0

    def __call__(self, frame, event, argument):
        if not self.watched(frame.f_code):
            return None
        frame.f_trace_opcodes = self.opcodes
        self.count += 1
        if self.count == self.number:
            raise KeyboardInterrupt
        return self

    def run(self, function):
        """Call the function, perhaps to be interrupted; return whether it returned."""
        before = sys.gettrace()
        sys.settrace(self)
        try:
            function()
        except KeyboardInterrupt:
            return False
        finally:
            sys.settrace(before)
        return True


def in_package(code):
    """Whether an interrupt may come here.

    Not where a lock is held: Python itself interrupts after a call, and never, as a trace can, between the last line of a
    `with` and the release of its lock.
    """
    return code.co_filename.startswith(PACKAGE) and code not in {SharedLimit.begin.__code__, SharedLimit.end.__code__}


def advises(code):
    """Whether an interrupt comes amid the keeping or the telling of warnings."""
    return code.co_filename == warn_user.__code__.co_filename


def learnt_by(estimator):
    """What a fit has set."""
    return {name: value for name, value in vars(estimator).items() if name not in estimator.get_params()}


def answers(estimator):
    """What it says of samples."""
    return [getattr(estimator, name)(X) for name in ("predict", "predict_proba", "transform") if hasattr(estimator, name)]


def outcome_of(estimator, before, after, grown=()):
    """Whether an estimator is as it was, the very same objects, or new: then it has all that a fit sets, and answers.

    What has `grown` in place is the same object in both.
    """
    learnt = learnt_by(estimator)
    if learnt.keys() == before.keys() and all(learnt[name] is value for name, value in before.items()):
        return "as before"
    assert learnt.keys() == after.keys()
    for name in {"coefs_", "estimators_", "loss_curve_"} & before.keys() - {*grown}:
        assert learnt[name] is not before[name]
    for answer in answers(estimator):
        assert np.isfinite(answer).all()
    if hasattr(estimator, "coefs_"):
        assert len(estimator.coefs_) == len(estimator.intercepts_) == estimator.n_layers_ - 1
        assert all(one.shape[1] == other.shape[0] for one, other in pairwise(estimator.coefs_))
    return "new"


@pytest.mark.parametrize("estimator", OURS.values(), ids=OURS)
def test_an_interrupt_at_any_instruction_of_the_change(estimator):
    earlier, later = clone(estimator).fit(X, Y), clone(estimator).fit(-X, Y)
    before, after = learnt_by(earlier), learnt_by(later)
    # Python 3.12 traces instructions from the second time on.
    for _ in range(2):
        whole = Interrupter(0, become.__code__.__eq__, opcodes=True)
        whole.run(partial(become, draft_of(earlier), later, None))
    outcomes = []
    for number in range(1, whole.count + 1):
        copy = draft_of(earlier)
        Interrupter(number, become.__code__.__eq__, opcodes=True).run(partial(become, copy, later, None))
        outcomes.append(outcome_of(copy, before, after))
    changed = outcomes.index("new")
    assert outcomes == ["as before"] * changed + ["new"] * (len(outcomes) - changed)
    assert changed > 10


@pytest.mark.slow
@pytest.mark.parametrize(("name", "again"), [*((name, True) for name in OURS), ("classifier", False), ("detector", False)])
def test_an_interrupt_at_any_line_of_a_fit(name, again):
    fitted = clone(OURS[name]).fit(X, Y)
    earlier = fitted if again else clone(OURS[name])
    before, after, told = learnt_by(earlier), learnt_by(fitted), answers(fitted)
    whole = Interrupter(0, in_package)
    whole.run(partial(draft_of(earlier).fit, X, Y))
    assert whole.count > 300

    @given(st.integers(1, whole.count))
    def holds(number):
        interrupted = draft_of(earlier)
        Interrupter(number, in_package).run(partial(interrupted.fit, X, Y))
        if outcome_of(interrupted, before, after) == "as before" and again:
            for one, other in zip(told, answers(interrupted), strict=True):
                np.testing.assert_array_equal(one, other)

    holds()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["classifier", "autoencoder", "MLPRegressor"])
def test_an_interrupt_at_any_line_of_partial_fit(name):
    """Whatever one call leaves for the next: after an interrupt it goes on as if nothing had been."""
    arguments = (X,) if name == "autoencoder" else (X, Y)

    def begun():
        network = clone(OURS[name]).partial_fit(*arguments, **classes)
        for _ in range(3):
            network.partial_fit(*arguments)
        return network

    classes = {"classes": [0, 1, 2]} if name == "classifier" else {}
    whole, after = Interrupter(0, in_package), begun()
    whole.run(partial(after.partial_fit, *arguments))

    @given(st.integers(1, whole.count))
    def holds(number):
        interrupted = begun()
        before = learnt_by(interrupted)
        Interrupter(number, in_package).run(partial(interrupted.partial_fit, *arguments))
        if outcome_of(interrupted, before, learnt_by(after), ["loss_curve_"]) == "as before":
            interrupted.partial_fit(*arguments)
            for one, other in zip(interrupted.coefs_, after.coefs_, strict=True):
                np.testing.assert_array_equal(one, other)

    holds()


def test_another_thread_never_finds_less_than_a_whole_estimator():
    """Between any two instructions of a refit the estimator predicts, as another thread would make it."""
    classifier = SigmoidBackpropClassifier(**SETTINGS).fit(X, Y)
    found = []

    def trace(frame, event, argument):
        if not in_package(frame.f_code):
            return None
        if frame.f_code is become.__code__:
            frame.f_trace_opcodes = True
            sys.settrace(None)
            found.append(classifier.predict_proba(X))
            sys.settrace(trace)
        return trace

    before, expected = sys.gettrace(), [classifier.predict_proba(X)]
    sys.settrace(trace)
    try:
        classifier.set_params(max_iter=4).fit(X, Y)
    finally:
        sys.settrace(before)
    expected.append(classifier.predict_proba(X))
    assert not np.array_equal(*expected)
    matches = [[np.array_equal(one, other) for other in expected] for one in found]
    assert sorted(matches, reverse=True) == matches
    assert all(map(any, matches))
    assert len(found) > 10


class Halved(Optimizer):
    """Takes a step with the first half of the weights only, and is then interrupted; remembers a half, too."""

    def __init__(self, at):
        self.at = at

    def initial_state(self, theta):
        return {"sum": np.zeros_like(theta), "steps": 0}

    def update(self, theta, gradient, state, learning_rate, loss):
        state["steps"] += 1
        half = slice(len(theta) // 3) if state["steps"] == self.at else slice(None)
        state["sum"][half] += gradient[half]
        theta[half] -= learning_rate * state["sum"][half]
        if state["steps"] == self.at:
            raise KeyboardInterrupt


@pytest.mark.parametrize("learning_rate", ["constant", "auto"])
@pytest.mark.parametrize("sizes", [(2,), (4, 2, 4)])
@pytest.mark.parametrize("at", [1, 3])
def test_an_interrupt_amid_a_step_leaves_tied_weights_tied(at, sizes, learning_rate):
    settings = {**SETTINGS, "hidden_layer_sizes": sizes, "learning_rate": learning_rate}
    autoencoder = SigmoidBackpropAutoencoder(**settings, tied=True, standardize=False, warm_start=True, solver=Halved(at))
    autoencoder.fit(X)

    def assert_tied():
        for encoder, decoder in zip(autoencoder.coefs_, reversed(autoencoder.coefs_), strict=True):
            np.testing.assert_array_equal(encoder, decoder.T)

    assert_tied()
    # And so they stay: what was remembered of a half is forgotten.
    before = autoencoder.coefs_[0].copy()
    autoencoder.set_params(solver=Halved(None)).fit(X)
    assert_tied()
    assert not np.array_equal(before, autoencoder.coefs_[0])


@pytest.mark.slow
@pytest.mark.parametrize("name", ["folded classifier", "detector"])
def test_the_next_fit_warns_wherever_the_last_was_interrupted(name):
    """Of several networks the warnings are kept, to be told once."""
    whole = Interrupter(0, advises)
    whole.run(partial(clone(OURS[name]).fit, X, Y))
    for number in range(1, whole.count + 1):
        assert not Interrupter(number, advises).run(partial(clone(OURS[name]).fit, X, Y))
        with pytest.warns(UserWarning, match="interrupted"):
            warn_user("interrupted")
