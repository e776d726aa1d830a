"""What every estimator shares: fit and partial_fit, going on from where training stopped, raw scores."""

import copy
import math
import numbers
from abc import ABCMeta, abstractmethod
from time import perf_counter
from typing import NamedTuple
from zlib import crc32

import numpy as np
from sklearn.metrics import check_scoring
from sklearn.model_selection import train_test_split
from sklearn.utils import check_array, check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from .._engine.batches import Batches
from .._engine.descent import Objective, Patience, base_rate_loss, mean_loss, sample_losses
from .._engine.network import Network, raw_scores
from .callback_bridge import CallbackBridge, CallbackSupportMixin, epochs_a_task, with_callbacks
from .parameters import ParametersMixin
from .run import Report, Run, run_epochs, run_minimizer, warn_of, warn_user
from .scaling import Scaling
from .state import StateMixin, become, draft_of
from .threads import limit_threads

FLOATS = (np.float64, np.float32)
# Up to this many values, a check of the whole array in one sum costs less than scikit-learn's validation.
PLAIN_SIZE = 10_000


class Samples(NamedTuple):
    """Samples as a child hands them to the base: in numbers.

    `y` are the targets as the user gave them, for scorers; `Y`, of shape (n_samples, n_outputs), those the network learns.
    """

    X: object
    y: np.ndarray
    Y: np.ndarray
    sample_weight: np.ndarray | None

    def take(self, rows):
        """Return the samples of some rows."""
        weight = None if self.sample_weight is None else self.sample_weight[rows]
        return Samples(self.X[rows], self.y[rows], self.Y[rows], weight)


def checked_weights(sample_weight, X, any_sign):
    """Return sample weights as an array of shape (n_samples,) and of the dtype of `X`, or raise.

    Negative and all-zero weights are for `partial_fit` alone: `any_sign`.
    """
    n_samples = X.shape[0]
    if isinstance(sample_weight, numbers.Number):
        sample_weight = np.full(n_samples, sample_weight)
    weight = check_array(sample_weight, ensure_2d=False, dtype=X.dtype, input_name="sample_weight")
    if weight.shape != (n_samples,):
        raise ValueError(f"Got sample_weight of shape {weight.shape} for {n_samples} samples: pass one weight a sample.")
    if not any_sign and np.any(weight < 0):
        raise ValueError(
            f"Got negative values in sample_weight, down to {weight.min()}: weights must be 0 or larger (partial_fit takes "
            "any)."
        )
    if not any_sign and not np.any(weight):
        raise ValueError("Got sample_weight that is all zero: at least one weight must be positive.")
    with np.errstate(over="ignore"):
        if not np.isfinite(np.abs(weight).sum()):
            raise ValueError(f"Got sample_weight whose sum overflows in {X.dtype}, the type of X: pass smaller weights.")
    return weight


class BaseBackprop(CallbackSupportMixin, StateMixin, ParametersMixin, metaclass=ABCMeta):
    """Base of all estimators; children encode targets and name a loss.

    `noise` is the standard deviation of noise on the inputs of training, a parameter of children that remove it;
    `_accept_sparse` is what they take besides dense inputs.
    """

    noise = 0.0
    _accept_sparse = "csr"

    @abstractmethod
    def _encode(self, X, y, sample_weight, *, resume, incremental):
        """Return validated `Samples`, having set what the targets define unless `resume`."""

    @abstractmethod
    def _encode_validation(self, X, y, sample_weight, dtype):
        """Return `Samples` of the kind that the training samples defined, with inputs of their dtype."""

    @abstractmethod
    def _make_loss(self):
        """Return the `Loss` instance."""

    @abstractmethod
    def _strata(self, samples):
        """Return labels that a split for early stopping keeps in proportion, or None."""

    # Training --------------------------------------------------------------------------------------------------------

    @with_callbacks
    def _fit(self, X, y, sample_weight, validation, incremental=False, **labels):
        """Fit a draft, so that an error leaves the estimator as it was, and then become the draft."""
        draft = draft_of(self)
        unfinished = bool((getattr(self, "_training_state", None) or {}).get("unfinished"))
        resume = hasattr(self, "coefs_") and (incremental or self.warm_start or unfinished)
        samples = draft._encode(X, y, sample_weight, resume=resume, incremental=incremental, **labels)
        held_out = None
        if any(part is not None for part in validation):
            if validation[0] is None or validation[1] is None:
                names = ("X_val", "y_val", "sample_weight_val")
                given = " and ".join(name for name, part in zip(names, validation, strict=True) if part is not None)
                raise ValueError(f"Got {given} alone: validation needs both X_val and y_val; pass both, or neither.")
            held_out = draft._encode_validation(*validation, samples.X.dtype)
        tasks = self.max_iter, epochs_a_task(self.max_iter)
        bridge = None if incremental else CallbackBridge.of(self, X, y, sample_weight, *tasks)
        draft._train(samples, held_out, incremental, resume, bridge)
        return become(self, draft, bridge)

    def _train(self, samples, held_out, incremental, resume, bridge=None):
        """Train on the samples and set the fitted attributes."""
        optimizer, schedule, self._loss = self._make_optimizer(), self._make_schedule(), self._make_loss()
        state = self._saved_state() if resume else {}
        state.setdefault("random_state", check_random_state(self.random_state))
        samples, held_out = self._scale(samples, held_out, resume)
        network = self._make_network(samples, state, resume)
        if self.early_stopping and held_out is None and not incremental:
            held_out = self._hold_out(samples, state)
            weight = samples.sample_weight
            if weight is not None and not all(weight[state[part]].any() for part in ("rows", "held_out")):
                raise ValueError(
                    "Got sample_weight that is all zero on the samples held out for early_stopping=True, or on the others: "
                    "pass more samples of positive weight, or X_val and y_val."
                )
        elif state.pop("held_out", None) is not None:
            state["rows"] = None
        batches = self._make_batches(samples, optimizer, state)
        objective = self._make_objective(network, batches, state)
        self._publish(network, resume)
        max_iter = None if incremental else self.max_iter
        run = self._make_run(network, batches, held_out, state, max_iter)
        if bridge is not None:
            run.bridge, run.snapshot = bridge, lambda: self._snapshot(run, network, batches, state)
        with limit_threads(network, batches.batch_size):
            if hasattr(optimizer, "minimize"):
                run_minimizer(run, objective, batches, optimizer, max_iter=self.max_iter)
            else:
                loop = state.setdefault("loop", {"samples_seen": self.t_})
                settings = self._make_step_settings(optimizer)
                run_epochs(run, objective, batches, optimizer, schedule, loop, max_iter=max_iter, **settings)
        self._note(run, batches)
        keep = self.warm_start or incremental
        latest = network.theta.copy() if keep else None
        if run.early_stopping and run.patience.best_theta is not None:
            np.copyto(network.theta, run.patience.best_theta)
        if not incremental:
            Y, weight = samples.Y, samples.sample_weight
            judge = self._make_judge(network, samples.X, Y, weight)
            warn_of(run, self, lambda: base_rate_loss(self._loss, Y, weight), judge)
        self._fold(network)
        published = self.__dict__.pop("_published").theta
        self._training_state = self._state_to_save(state, run, batches, latest, crc32(published)) if keep else None

    def _scale(self, samples, held_out, resume):
        """Decide on the scaling, which stays as long as training goes on from it; return samples with scaled targets."""
        if not resume:
            wanted = self._is_wanted(self.standardize)
            self._scaling = Scaling.of(samples.X, samples.sample_weight, self.fit_intercept) if wanted else None
            self._target_scaling = self._make_target_scaling(samples)
        elif not hasattr(self, "_scaling"):
            self._scaling = self._target_scaling = None
        if self._target_scaling is None:
            return samples, held_out
        return tuple(part and part._replace(Y=self._target_scaling.apply(part.Y)) for part in (samples, held_out))

    def _make_target_scaling(self, samples):
        """Return the scaling of the targets, here none."""

    def _fold(self, network, targets=True):
        """Bring the published parameters up to date with the network's, in the units of the raw inputs and targets."""
        if self._published is network:
            return
        np.copyto(self._published.theta, network.theta)
        if self._scaling is not None:
            self._scaling.fold(self._published)
        if targets and self._target_scaling is not None:
            self._target_scaling.fold(self._published)

    def _make_network(self, samples, state, resume):
        """Return the network with its first weights, or with those that training stopped at."""
        hidden = self._make_hidden_sizes()
        self._activations = self._make_activations(len(hidden))
        sizes = (samples.X.shape[1], *hidden, samples.Y.shape[1])
        network = Network(sizes, self._activations, self.fit_intercept, samples.X.dtype)
        if not resume:
            network.initialize(self._make_initializer(), state["random_state"])
            return network
        fitted, planned = [np.shape(coef) for coef in self.coefs_], [coef.shape for coef in network.coefs]
        if fitted != planned:
            raise ValueError(
                f"Training cannot go on with hidden_layer_sizes={self.hidden_layer_sizes!r}, since the fitted weights have "
                f"the shapes {fitted} and these sizes ask for {planned}: keep the sizes, or fit anew with warm_start=False."
            )
        saved, biases = state.get("theta"), any(np.any(intercept) for intercept in self.intercepts_)
        if (saved is not None and saved.shape != network.theta.shape) or (biases and not self.fit_intercept):
            raise ValueError(
                f"Training cannot go on with fit_intercept={self.fit_intercept} where an earlier call had the opposite: "
                "keep it, or fit anew with warm_start=False."
            )
        for own, value in zip(network.coefs + network.intercepts, [*self.coefs_, *self.intercepts_], strict=True):
            np.copyto(own, value, casting="same_kind")
        if state.get("checksum") == crc32(network.theta):
            # What was published may be the best weights so far, or scaled and so rounded: training goes on from its own.
            np.copyto(network.theta, state["theta"])
            return network
        # The user has set other weights: the best before them and their mean say nothing of these.
        state["patience"] = {}
        for scaling in (self._target_scaling, self._scaling):
            if scaling is not None:
                scaling.unfold(network)
        return network

    def _hold_out(self, samples, state):
        """Set part of the samples aside: leave the rows to train on in `state`, return the others."""
        n_samples = samples.X.shape[0]
        if state.get("held_out") is not None and state["n_samples"] == n_samples:
            return samples.take(state["held_out"])
        if not self.validation_fraction:
            raise ValueError(
                "Got validation_fraction=0 with early_stopping=True: pass a fraction above 0, or X_val and y_val."
            )
        strata, rows = self._strata(samples), np.arange(n_samples)
        alone = rows[:0]
        if strata is not None:
            # The only sample of a class cannot be in both parts: it is trained on.
            _, position, counts = np.unique(strata, return_inverse=True, return_counts=True)
            alone, rows = rows[counts[position] == 1], rows[counts[position] > 1]
            strata = strata[rows]
        n_strata = 1 if strata is None else len(np.unique(strata))
        # Two numbers at least, since R^2 is not defined for one.
        n_held_out = max(math.ceil(self.validation_fraction * n_samples), 2 if strata is None else n_strata)
        if len(rows) - n_held_out < n_strata:
            raise ValueError(
                f"Got n_samples={n_samples}, too few for early_stopping=True with validation_fraction="
                f"{self.validation_fraction}: The validation set is too small; pass more samples, or X_val and y_val."
            )
        trained_on, state["held_out"] = train_test_split(
            rows, test_size=n_held_out, stratify=strata, random_state=state["random_state"]
        )
        state["rows"], state["n_samples"] = np.concatenate([trained_on, alone]), n_samples
        return samples.take(state["held_out"])

    def _make_batches(self, samples, optimizer, state):
        """Return the batches, in the order in which the last epoch left them."""
        full_batch, n_samples = getattr(optimizer, "full_batch", False), samples.X.shape[0]
        rows = state.get("rows") if state.get("n_samples", n_samples) == n_samples else None
        n_rows = n_samples if rows is None else len(rows)
        batch_size = self._make_batch_size(n_rows)
        if batch_size > n_rows and not full_batch:
            warn_user(
                f"Got batch_size={batch_size} for {n_rows} training samples, so each batch holds them all: pass a "
                "batch_size no larger than the data, or 'auto'."
            )
        batch_size, shuffle = (n_rows, False) if full_batch else (min(batch_size, n_rows), self.shuffle)
        X, left_to_do = (samples.X, None) if self._scaling is None else self._scaling.apply(samples.X)
        weight, random_state = samples.sample_weight, state["random_state"]
        noise = self.noise, self._generator(state) if self.noise else None
        return Batches(X, samples.Y, weight, batch_size, shuffle, random_state, rows, left_to_do, *noise)

    def _generator(self, state):
        """Return the source of what is drawn at each step, which training goes on with."""
        if state.get("generator") is None:
            seed = state["random_state"].randint(np.iinfo(np.int32).max)
            state["generator"] = np.random.default_rng(seed)
        return state["generator"]

    def _make_objective(self, network, batches, state):
        """Return the loss to descend, with the source of dropout's draws."""
        return Objective(
            network,
            self._loss,
            self._make_alpha(batches),
            batches.mean_weight,
            self.dropout,
            self._generator(state) if self.dropout else None,
            self._base_rate(batches, state),
            state.get("loop", {}).get("noise", 1.0),
        )

    def _base_rate(self, batches, state):
        """Return the loss of the best constant prediction if the penalty goes by the noise in the targets, else None."""

    def _make_run(self, network, batches, held_out, state, max_iter):
        """Return the record of the run, which decides when to stop; `max_iter` is None where there is no telling."""
        early_stopping = self.early_stopping and held_out is not None
        judged_by = str(self.scoring) if early_stopping else "training loss"
        if state.get("judged_by") != judged_by:
            state.update(judged_by=judged_by, patience={})
        recipe = self._is_auto()
        averages = recipe and early_stopping and batches.n_batches > 1
        patience = Patience(self.tol, self.n_iter_no_change, **state["patience"], latest=recipe, averages=averages)
        score = None if held_out is None else self._make_score(network, held_out)
        deadline = math.inf if self.max_time is None else perf_counter() + self.max_time
        unfinished = state.pop("unfinished", False)
        done, reason = (self.n_iter_, state["reason"]) if unfinished else (0, "max_iter")
        report = Report(max_iter, done) if self.verbose else None
        return Run(network, patience, score, early_stopping, deadline, report, done, reason)

    def _make_judge(self, network, X, Y, sample_weight):
        """Return a function of no arguments that returns the mean loss of the current weights, without penalty.

        It is in the units of the training loss, so that the two compare: the targets `Y` are scaled ones.
        """

        def loss():
            self._fold(network, targets=False)
            return mean_loss(self._loss, self._published, X, Y, sample_weight)

        return loss

    def _make_score(self, network, held_out):
        """Return a function of no arguments that scores the current weights on validation samples; larger is better."""
        X, y, Y, sample_weight = held_out
        if self.scoring == "loss":
            judge = self._make_judge(network, X, Y, sample_weight)
            return lambda: -judge()
        judge = copy.copy(self)
        # The validated samples carry no column names, and the scorer should not warn about that.
        judge.__dict__.pop("feature_names_in_", None)
        scorer = check_scoring(judge, scoring=self.scoring)
        weights = {} if sample_weight is None else {"sample_weight": sample_weight}

        def score():
            self._fold(network)
            return scorer(judge, X, y, **weights)

        return score

    # Prediction ------------------------------------------------------------------------------------------------------

    def _raw_scores(self, X):
        """Return the raw scores for `X`, of shape (n_samples, n_outputs), having validated `X`."""
        X = self._checked(X)
        return raw_scores(self.coefs_, self.intercepts_, self._activations, X)

    def _checked(self, X):
        """Return inputs to predict for as an array or CSR of floats, or raise."""
        if not self._is_plain(X):
            check_is_fitted(self)
            X = validate_data(self, X, accept_sparse=self._accept_sparse, dtype=FLOATS, reset=False)
        return X

    def _sample_losses(self, X, Y):
        """Return the loss of each sample of validated data, in the units of the training loss."""
        Z, scaling = raw_scores(self.coefs_, self.intercepts_, self._activations, X), self._target_scaling
        if scaling is not None:
            Y, Z = scaling.apply(Y), (Z - scaling.score_shift) / scaling.score_scale
        return sample_losses(self._loss, Y, Z)

    def _validation_loss(self, X, y, sample_weight=None):
        """Return the mean loss of samples as `fit` takes them, in the units of the training loss, without penalty."""
        samples = self._encode_validation(X, y, sample_weight, self.coefs_[0].dtype)
        losses = self._sample_losses(samples.X, samples.Y)
        return float(np.average(losses, weights=samples.sample_weight))

    def _is_plain(self, X):
        """Return whether `X` is a small clean array, for which scikit-learn's validation would have no objection."""
        fitted = self.__dict__
        return (
            type(X) is np.ndarray
            and X.dtype.char in "fd"
            and X.ndim == 2
            and 0 < X.size <= PLAIN_SIZE
            and "coefs_" in fitted
            and X.shape[1] == fitted.get("n_features_in_")
            and "feature_names_in_" not in fitted
            and bool(np.isfinite(X).all())
        )

    def __sklearn_tags__(self):
        """Sparse input is welcome to most."""
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = bool(self._accept_sparse)
        return tags
