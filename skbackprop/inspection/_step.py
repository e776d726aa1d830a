"""What one training step of an estimator sees and does: a `Training`, opened instead of run."""

import copy

import numpy as np
from sklearn.utils import check_random_state

from .._engine.objective import QUIET
from .._estimators.base import BaseBackprop
from .._estimators.run import Run, run_minimizer
from .._estimators.threads import limit_threads
from .._estimators.training import Training


class Step:
    """One training step on all samples, in the order given; the estimator itself is never changed.

    Parameters
    ----------
    estimator : estimator
        Fitted: the step is at its weights and goes on from its optimizer's state where it kept one (`warm_start`,
        `partial_fit`). Else it is the first step of `fit`.
    X, y, sample_weight
        As for `fit`; of a fitted classifier `y` need not hold all classes.
    dtype : numpy.dtype, default=None
        What to compute in; by default what training computes in.

    Attributes
    ----------
    network, objective, optimizer
        As in training.
    X, Y, sample_weight
        The batch as the network sees it: standardised, encoded, of mean weight 1.
    standardized : bool
        Whether the inputs were standardised.
    input_names, output_names : list of str or None
        The columns of a dataframe; the classes that outputs stand for. None where there are none.
    """

    def __init__(self, estimator, X, y, sample_weight, dtype=None):
        if not isinstance(estimator, BaseBackprop):
            what = f"the class {estimator.__name__}" if isinstance(estimator, type) else type(estimator).__name__
            raise TypeError(
                f"Got {what} as the estimator: pass a network of this package; for a pipeline, pass its last step; for an "
                "outlier detector one of its estimators_, with the inputs that reach it."
            )
        draft = copy.copy(estimator)
        draft._validate_params()
        # A copy: looking at a step must not change the draws of the next `fit`.
        draft.random_state = copy.deepcopy(check_random_state(draft.random_state))
        resume = hasattr(draft, "coefs_")
        if resume and draft.early_stopping == "cv":
            # Several networks were folded into one.
            draft.hidden_layer_sizes = [len(intercept) for intercept in draft.intercepts_[:-1]]
        problem = draft._encode(X, y, sample_weight, resume=resume, incremental=resume)
        if dtype is not None:
            problem = problem._replace(samples=_cast(problem.samples, dtype))
        # All samples are one batch, as they stand, whatever an earlier run held out or how it shuffled.
        draft.batch_size = problem.samples.X.shape[0]
        draft.early_stopping = draft.shuffle = draft.verbose = False
        # Without warm_start, only `partial_fit` leaves the state of a loop; its training has no end in sight.
        saved = getattr(draft, "_training_state", None)
        incremental = resume and saved is not None and not draft.warm_start
        self._training = training = Training(draft, problem, resume=resume, incremental=incremental, in_order=True)
        self.network = training.network
        self.objective = training.objective
        self.optimizer = training.recipe.optimizer
        self.X, self.Y, self.sample_weight = batch = next(iter(training.batches.epoch()))
        # The same batch each time, noise on its inputs included.
        training.batches.epoch = lambda: [batch]
        self.standardized = draft._scaling is not None
        columns, classes = (getattr(draft, name, None) for name in ("feature_names_in_", "classes_"))
        self.input_names = None if columns is None else list(columns)
        # Of two classes the only output stands for the second.
        self.output_names = None if classes is None else [str(label) for label in classes[-self.Y.shape[1] :]]
        self._generator = training.state.generator if draft.dropout else None
        self._first_draws = None if self._generator is None else self._generator.bit_generator.state

    def loss(self):
        """Return the loss, penalty included, its gradient being in `objective.gradient`; dropout is the same each time."""
        self._rewind()
        return self.objective(self.X, self.Y, self.sample_weight)

    def skip_gradient(self):
        """Let `loss` leave out the way down from now on: the loss alone costs a third."""
        self._propagation().backward = lambda X: None

    def take(self):
        """Change the network's parameters as training would; return the learning rate, or None if there is none."""
        self._rewind()
        training = self._training
        if self.optimizer.minimizes:
            training.estimator.max_iter = 1
            run_minimizer(Run(training), training)
            return None
        next(training.epochs())
        return training.state.descent.learning_rate if self.optimizer.uses_learning_rate else None

    def _rewind(self):
        """Let dropout draw what it drew first."""
        if self._generator is not None:
            self._generator.bit_generator.state = self._first_draws

    def masks(self):
        """Return what dropout multiplied the activations of each hidden layer by, None without dropout."""
        return [layer.mask for layer in self._propagation().hidden]

    def _propagation(self):
        return self.objective.propagation(len(self.Y))


def _cast(samples, dtype):
    """Return samples with all that is a floating-point number in one dtype."""

    def cast(array):
        return array.astype(dtype) if array is not None and array.dtype.kind == "f" else array

    return samples._replace(X=cast(samples.X), Y=cast(samples.Y), sample_weight=cast(samples.sample_weight))


class RecordingActivation:
    """An activation that notes what passes through it.

    Parameters
    ----------
    activation : Activation
        Does the work.
    """

    def __init__(self, activation):
        self.activation, self.needs_cache = activation, activation.needs_cache

    def forward(self, A, cache):
        """Overwrite the raw scores in `A` with activations, both noted."""
        self.raw_scores = A.copy()
        self.activation.forward(A, cache)
        self.activations = A.copy()

    def backward(self, A, cache, delta):
        """Multiply `delta` by the derivative: what comes in, the derivative and what comes out are noted."""
        self.received, self.derivative = delta.copy(), np.ones_like(delta)
        self.activation.backward(A.copy(), None if cache is None else cache.copy(), self.derivative)
        self.activation.backward(A, cache, delta)
        self.delta = delta.copy()


class RecordingLoss:
    """A loss that notes the raw scores and its derivative.

    Parameters
    ----------
    loss : Loss
        Does the work.
    """

    def __init__(self, loss):
        self.loss = loss

    def loss_gradient(self, Y, Z, values, gradient, scratch):
        """Write each sample's loss and its gradient; see `Loss.loss_gradient`."""
        self.raw_scores = Z.copy()
        self.loss.loss_gradient(Y, Z, values, gradient, scratch)
        self.derivative = gradient.copy()
        # Not a copy: it is in this array that the objective multiplies by what each sample counts.
        self.delta = gradient


def record(step):
    """Run a step and return all that it computes.

    Returns
    -------
    layers : list of dict of str to ndarray
        From the inputs up; for the names see `skbackprop.inspection.LayerTrace`.
    loss : float
    learning_rate : float or None
    """
    network, objective = step.network, step.objective
    hidden = network.activations = tuple(RecordingActivation(activation) for activation in network.activations)
    output = objective.loss = RecordingLoss(objective.loss)
    with limit_threads(network, len(step.Y)), np.errstate(**QUIET):
        loss = step.loss()
        output.delta = output.delta.copy()
        output.activations = output.loss.predict(output.raw_scores.copy())
        output.received = np.full((len(step.Y), 1), 1.0 / len(step.Y), network.theta.dtype)
        if step.sample_weight is not None:
            output.received *= step.sample_weight
        names = ("raw_scores", "activations", "derivative", "received", "delta")
        layers = [{name: getattr(part, name) for name in names} for part in (*hidden, output)]
        inputs, shift = step.X.copy(), network.shift
        for layer, mask, penalty in zip(layers, [*step.masks(), None], objective.penalty.strengths, strict=True):
            layer.update(inputs=inputs, shift=shift, mask=None if mask is None else mask.copy())
            layer["penalty"] = penalty / len(step.Y)
            shift = None
            inputs = layer["activations"] if mask is None else layer["activations"] * mask
        before, gradient = network.theta.copy(), step.objective.gradient.copy()
        learning_rate = step.take()
    for suffix, vector in (("", before), ("_gradient", gradient), ("_update", network.theta - before)):
        for layer, weights, biases in zip(layers, *network.layer_views(vector), strict=True):
            layer["weights" + suffix], layer["biases" + suffix] = weights, biases if network.fit_intercept else None
    return layers, loss, learning_rate
