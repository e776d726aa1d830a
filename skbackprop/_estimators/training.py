"""One prepared run of training: all its parts, made once and in one order. `fit` runs it, inspection looks into it."""

import copy
import math
import numbers
from contextlib import nullcontext
from dataclasses import replace
from functools import cached_property, partial
from zlib import crc32

import numpy as np
from scipy.sparse import issparse

from .._engine import compiled
from .._engine.descent import gradient_descent, remembered, tie
from .._engine.network import Network
from .._engine.objective import QUIET
from .._engine.penalty import Penalty
from .advice import warn_of, warn_user
from .by_hand import refuse_weights
from .parts import Parts, leave_parts
from .recipe import Recipe, one_batch, variances
from .run import Run, run_epochs, run_minimizer
from .samples import Problem
from .scoring import Score
from .state import TrainingState, checksum_of, draft_of
from .threads import limit_threads, shares_nothing
from .words import shown

# A prior on the weights is spread over all samples, or over so many if they are fewer.
FEW_SAMPLES = 256


class Training:
    """A prepared run.

    Parameters
    ----------
    estimator : estimator
        A draft, whose fitted attributes the constructor sets, as views on the parameters.
    problem : Problem
    held_out : Samples, default=None
        Validation samples of the user's own.
    resume : bool, default=False
        Whether to go on from the estimator's weights and from the state that it kept.
    incremental : bool, default=False
        Whether this is an epoch of `partial_fit`, which has no end in sight and holds nothing out.
    in_order : bool, default=False
        Whether to take the samples as they stand, whatever an earlier run made of their order.

    Attributes
    ----------
    recipe : Recipe
    state : TrainingState
    network : Network
        The one that is trained, between standardised inputs and scaled targets.
    kept : ndarray of shape (n_parameters,)
        The parameters that are scored and published: the latest or, where the recipe says so, their running mean.
    published : Network
        With these parameters, in the user's units, as of the last `fold`.
    problem, held_out : Problem and Samples or None
        Samples to train on and to validate on, their targets scaled.
    batches : Batches
    objective : Objective
    broken_by : ComputeLostError or None
        What broke the run off, if what it computes with was lost.
    """

    def __init__(self, estimator, problem, held_out=None, *, resume=False, incremental=False, in_order=False):
        self.estimator = estimator
        self.incremental = incremental
        # Asked for here, since a change of type, or of rows, copies both.
        self._reconstructs = problem.samples.y is problem.samples.X
        # Parts that the last call of `partial_fit` left. (Of the first call's random state the user may have a hold.)
        self._leaves_parts = incremental and resume and not in_order and vars(estimator).get("_training_state") is not None
        self.parts = Parts.taken_from(estimator, problem) if self._leaves_parts else None
        self.state = TrainingState.of(estimator, resume, self.parts)
        self._source = self.parts.source_for(self.state) if self.parts else self.state.random_state
        splits = estimator.early_stopping and problem.splits and held_out is None and not incremental
        if not (splits or incremental or in_order) and one_batch(estimator, problem.samples.X.shape[0]):
            problem = problem._replace(samples=problem.samples.distinct())
        n_samples = problem.samples.X.shape[0]
        self.state.match(n_samples, splits, in_order)
        hold_out = None
        if splits and self.state.held_out is None:
            hold_out = problem.samples.hold_out(problem.strata, estimator.validation_fraction)
        n_rows = n_samples if self.state.rows is None else len(self.state.rows)
        n_rows = hold_out.n_rows if hold_out else n_rows
        if self.parts:
            self.recipe = self.parts.recipe
            self.recipe.divide(estimator, n_rows, incremental)
        else:
            self.recipe = Recipe(estimator, problem, n_rows, incremental)
        self._dtype = problem.samples.X.dtype
        if not resume or not hasattr(estimator, "_scaling"):
            self._decide_scaling(problem, resume)
        self.problem = Problem(self._scaled(problem.samples), *problem[1:])
        self.held_out = self._scaled(held_out)
        self._given = {"": self.problem.samples, "_val": self.held_out}
        if self.state.unfinished:
            self.state.refuse_other_run(self.fingerprint)
        self.network = self._starting_network(resume)
        descent = self.state.descent
        if not self.parts:
            descent.memory = remembered(self.recipe.optimizer, self.network.theta, descent.memory)
        if self.recipe.averages and descent.mean is None:
            descent.mean, descent.steps = self.network.theta.copy(), 0
        self.kept = descent.mean if self.recipe.averages else self.network.theta
        # Of a single epoch nothing is said that asks for it.
        self.first_norm = None if incremental else self.weight_norm()
        if splits:
            self.held_out = self._split(hold_out)
        self.batches = self._make_batches()
        self.objective = self._make_objective(problem)
        self._publish(resume)

    # The parts, in the order in which they are made ------------------------------------------------------------------

    def _decide_scaling(self, problem, resume):
        """Decide on the scaling, which then stays as long as training goes on from it, and on what to compute in."""
        estimator, recipe, samples = self.estimator, self.recipe, problem.samples
        center = estimator.fit_intercept
        estimator._scaling = estimator._target_scaling = None
        # Weights that were set by hand are those of raw inputs and targets.
        if recipe.standardize and not resume:
            estimator._scaling = samples.scaling(center)
            self._dtype = estimator._scaling.mean.dtype
        if recipe.scale_targets and not resume:
            estimator._target_scaling = samples.target_scaling(problem.loss, center, self._dtype)
            self._dtype = estimator._target_scaling.mean.dtype

    def _scaled(self, samples):
        """Return samples in the dtype of training, with scaled targets; inputs are standardised by `_make_batches`."""
        estimator = self.estimator
        return None if samples is None else samples.scaled(self._dtype, estimator._scaling, estimator._target_scaling)

    def _starting_network(self, resume):
        """Return the network with its initial weights, or with those that training stopped at."""
        recipe, state = self.recipe, self.state
        network = self.parts.network if self.parts else self._make_network()
        if resume:
            self._load(network)
        else:
            network.initialize(recipe.initializer, state.random_state)
        if recipe.step.tied:
            free = network.theta.copy()
            tie(network.coefs)
            if not np.array_equal(network.theta, free):
                # What training remembers of other weights, such as their momentum, would untie these.
                state.forget_weights()
        return network

    def _make_network(self):
        """Return the network, its weights zero."""
        recipe, X, Y = self.recipe, self.problem.samples.X, self.problem.samples.Y
        sizes = (X.shape[1], *recipe.hidden_sizes, Y.shape[1])
        network = Network(sizes, recipe.activations, self.estimator.fit_intercept, X.dtype)
        if scaling := self.estimator._scaling:
            recipe.initializer = recipe.initializer.for_inputs(scaling.n_features)
            network.shift = scaling.shift if issparse(X) and network.fit_intercept else None
        if recipe.prior is not None:
            recipe.variances = variances(recipe.initializer, network)
        return network

    def _load(self, network):
        """Give the network the estimator's weights, or the state's own if these are what was published of them."""
        estimator, state = self.estimator, self.state
        if self.parts and self.parts.hold_weights_of(estimator, state):
            np.copyto(network.theta, state.theta)
            return
        refuse_weights(estimator)
        fitted = [np.shape(coef) for coef in estimator.coefs_]
        planned = [coef.shape for coef in network.coefs]
        if fitted != planned:
            raise ValueError(
                f"Training cannot go on with hidden_layer_sizes={shown(estimator.hidden_layer_sizes)}, since the fitted "
                f"weights have the shapes {shown(fitted)} and these sizes ask for {shown(planned)}: keep the sizes, or fit "
                "anew with warm_start=False."
            )
        has_biases = any(np.any(intercept) for intercept in estimator.intercepts_)
        resized = state.theta is not None and state.theta.shape != network.theta.shape
        if resized or (has_biases and not network.fit_intercept):
            raise ValueError(
                f"Training cannot go on with fit_intercept={network.fit_intercept} where an earlier call had the opposite: "
                "keep it, or fit anew with warm_start=False."
            )
        fitted = [*estimator.coefs_, *estimator.intercepts_]
        for own, value in zip(network.coefs + network.intercepts, fitted, strict=True):
            np.copyto(own, value, casting="same_kind")
        if state.published(network.theta):
            # What was published may be the best weights so far, or scaled and so rounded: training goes on from its own.
            np.copyto(network.theta, state.theta)
            return
        # The user has set other weights: the best before them and their mean say nothing of these.
        state.forget_scores()
        for scaling in (estimator._target_scaling, estimator._scaling):
            if scaling:
                scaling.unfold(network)

    def _split(self, hold_out):
        """Return the validation samples that early stopping sets aside, in a new split unless an earlier one holds."""
        state, samples = self.state, self.problem.samples
        if hold_out:
            state.rows, state.held_out = hold_out.draw(state.random_state)
        return samples.split(state.rows, state.held_out)

    def _make_batches(self):
        """Return the batches, in the order in which the last epoch left them."""
        estimator, state, samples = self.estimator, self.state, self.problem.samples
        n_rows = samples.X.shape[0] if state.rows is None else len(state.rows)
        batch_size = self.recipe.batch_size
        if batch_size > n_rows:
            warn_user(
                f"Got batch_size={batch_size} for {n_rows} training samples, so each batch holds them all: pass a "
                "batch_size no larger than the data, or 'auto'."
            )
        batch_size = min(batch_size, n_rows)
        # The order within a single batch changes rounding alone. (scikit-learn, whose weights other rules give, draws one.)
        alone = self.recipe.latest and batch_size == n_rows
        shuffle = estimator.shuffle and not (self.recipe.optimizer.full_batch or alone)
        order = shuffle, self._source, state.rows
        noise = estimator.noise, state.steps_generator() if estimator.noise else None
        state.rows_seen = state.rows_seen + n_rows if self.incremental else n_rows
        return samples.batches(estimator._scaling, batch_size, *order, *noise, self.recipe.passes, self.incremental)

    def _make_penalty(self):
        """Return the penalty on the weights."""
        recipe, network, batches = self.recipe, self.network, self.batches
        if recipe.prior is None:
            return Penalty(network, recipe.alpha / batches.mean_weight)
        # Divided by the samples of a batch, as every penalty, this is the prior over all samples, whatever the batches.
        factor = recipe.prior * batches.batch_size / max(self.state.rows_seen, FEW_SAMPLES)
        strengths = [factor / variance for variance in recipe.variances]
        strengths[-1] *= recipe.output_prior
        # Between hidden layers a prior would let the signal of deep networks die.
        strengths[1:-1] = [0.0] * len(strengths[1:-1])
        return Penalty(network, strengths)

    def _make_objective(self, problem):
        """Return the objective."""
        penalty, dropout = self._make_penalty(), self.estimator.dropout
        if self.parts:
            self.parts.objective.renew(problem.loss, penalty)
            return self.parts.objective
        generator = self.state.steps_generator() if dropout else None
        samples = self.problem.samples
        return samples.objective(self.network, problem.loss, penalty, dropout, generator, problem.own_weight)

    # What the estimator shows of it ----------------------------------------------------------------------------------

    def _publish(self, resume):
        """Set the attributes that prediction needs, as views on the parameters."""
        estimator, network, loss = self.estimator, self.network, self.problem.loss
        self.published = network.twin()
        # Not one by one: an estimator looks at weights that are set as attributes.
        fitted = {"coefs_": self.published.coefs, "intercepts_": self.published.intercepts}
        fitted |= {"n_layers_": len(network.layer_sizes), "n_outputs_": network.layer_sizes[-1]}
        fitted |= {"out_activation_": loss.output_activation, "_activations": network.activations, "_loss": loss}
        vars(estimator).update(fitted)
        for name, first in (("t_", 0), ("loss_curve_", []), ("validation_scores_", None)):
            if not resume or not hasattr(estimator, name):
                setattr(estimator, name, first)

    def fold(self, targets=True):
        """Bring the published parameters up to date with `kept`, in the units of the raw inputs and targets."""
        np.copyto(self.published.theta, self.kept)
        self._unscale(targets)

    def fold_base_rate(self):
        """Publish the best constant prediction, for the time being."""
        samples, published = self.problem.samples, self.published
        published.theta[...] = 0
        if published.fit_intercept:
            published.intercepts[-1][...] = samples.constant_scores(self.problem.loss)
        self._unscale()

    def _unscale(self, targets=True):
        """Change the published parameters to the units of the raw inputs and, if so wished, targets."""
        for scaling in (self.estimator._scaling, targets and self.estimator._target_scaling):
            if scaling:
                scaling.fold(self.published)

    @cached_property
    def fingerprint(self):
        """Checksums of the samples that the user passed, and of the parameters that are plain values, by name."""
        plain = (str, numbers.Number, type(None))
        parameters = self.estimator.get_params(deep=False).items()
        settings = [f"{name}={value}" for name, value in parameters if isinstance(value, plain)]
        found = {"parameters": crc32("\n".join(settings).encode())}
        for suffix, samples in self._given.items():
            if samples is not None:
                parts = samples.fingerprints()
                if self._reconstructs:
                    del parts["y"]
                found |= {f"{name}{suffix}": part for name, part in parts.items()}
        return found

    def _state_after(self, run):
        """Return the state to go on from, having published what is published."""
        # A run that ended on a plateau starts with fresh patience, should the user want to go on all the same.
        patience = replace(run.patience, count=0) if run.reason == "plateau" else run.patience
        state = draft_of(self.state)
        state.random_state, state.shuffled = self._source, ()
        state.patience = patience
        state.rows = self.batches.order
        state.theta, state.checksum = self.network.theta, checksum_of(self.published.theta)
        state.reason = run.reason
        state.unfinished, state.fingerprint = False, None
        return state

    def snapshot(self, run):
        """Return the attributes of the estimator as it is after an epoch, sharing no array that training goes on to change.

        Training can go on from them exactly: they hold the whole state.
        """
        self.fold()
        view = copy.copy(self.estimator)
        run.note(view)
        vars(view).update(zip(("coefs_", "intercepts_"), copy.deepcopy((view.coefs_, view.intercepts_)), strict=True))
        view._training_state = copy.deepcopy(self._state_after(run))
        view._training_state.fingerprint = lambda: self.fingerprint
        return dict(vars(view))

    # The run ---------------------------------------------------------------------------------------------------------

    @property
    def max_iter(self):
        """Most epochs; None if there is no telling."""
        return None if self.incremental else self.estimator.max_iter

    def epochs(self, **limits):
        """Return the generator of epochs, for a solver that has any; `limits` as in `gradient_descent`."""
        rules = self.recipe.optimizer, self.recipe.schedule, self.recipe.step, self.state.descent
        return gradient_descent(self.objective, self.batches, *rules, max_iter=self.max_iter, **limits)

    def run(self, bridge=None):
        """Train, and leave the estimator fitted; tell the bridge, if there is one, of each epoch."""
        estimator = self.estimator
        # Overflow is looked for where it matters.
        with np.errstate(**QUIET):
            run = Run(self, bridge)
            # Small products have one thread in any case; to ask for it would take longer than a step of `partial_fit`.
            alone = self.parts and shares_nothing(self.network, self.batches.batch_size)
            compiles = not alone and compiled.takes(self.objective, self.batches, self.recipe.optimizer)
            with nullcontext() if alone else limit_threads(self.network, self.batches.batch_size, compiles):
                (run_minimizer if self.recipe.optimizer.minimizes else run_epochs)(run, self)
            if run.early_stopping and run.patience.best_theta is not None:
                self.kept = run.patience.best_theta
            self.broken_by = run.broken_by
            # Of a single epoch there is nothing to say, unless it was broken off.
            if self.broken_by is None and (not self.incremental or run.reason in {"diverged", "interrupted"}):
                samples, loss = self.problem.samples, self.problem.loss
                self.problem = self.problem._replace(samples=samples.to_look_at())
                warn_of(run, self, partial(samples.base_rate_loss, loss), partial(self.mean_loss, samples))
            self.fold()
            if not compiled.all_finite(self.published.theta):
                raise ValueError(
                    f"Got features or targets whose units make weights that overflow in {self._dtype}: pass X in float64, "
                    "or values of another size."
                )
            state = self._state_after(run) if estimator.warm_start or self.incremental else None
            if self._leaves_parts and run.reason not in {"diverged", "interrupted"}:
                leave_parts(self, state)
            vars(estimator)["_training_state"] = state
            run.note(estimator)

    def mean_loss(self, samples):
        """Return the mean loss of the current weights on samples, without penalty.

        It is in the units of the training loss, so that the two compare: the targets of the samples are scaled ones.
        """
        self.fold(targets=False)
        return samples.mean_loss(self.problem.loss, self.published, self.kept)

    def weight_norm(self):
        """Return the Euclidean norm of the current weights, biases apart."""
        weights = self.kept[: self.network.n_weights]
        return math.sqrt(np.vdot(weights, weights))

    @property
    def penalty_strength(self):
        """The factor on half the squared norm of the weights that `alpha` adds to the loss of a batch."""
        return self.recipe.alpha / (self.batches.mean_weight * self.batches.batch_size)

    def weights_have_shrunk(self, base_rate):
        """Return whether the penalty has more than halved the weights, or kept them too small for scores of variance one.

        It has if, besides, such weights would cost more than half of what there is to be learnt.
        """
        needed = max(self.first_norm, math.sqrt(self.network.layer_sizes[-1]))
        strength = self.penalty_strength + self.estimator.weight_decay
        return self.weight_norm() < needed / 2 and 0.5 * strength * needed**2 > base_rate / 2

    def scorer(self):
        """Return a function of no arguments that scores the current weights on validation samples; larger is better."""
        if self.estimator.scoring == "loss":
            return lambda: -self.mean_loss(self.held_out)
        return Score(self)
