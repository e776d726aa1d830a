"""What a page is told of recorded fits: the samples, and each film with all that its training goes on from."""

import numpy as np

from ..activations import ACTIVATIONS
from ..losses import CLASSIFICATION_LOSSES, REGRESSION_LOSSES
from ..losses._scikit_learn import AS_THERE
from ..optimizers import SGD, Adam, AdamW
from ..schedules import Adaptive, Constant, Cosine, InverseScaling, OneCycle, WarmUp
from ._packing import CHARACTERS, packed, rounded

# A page with more weights than these is larger than a megabyte even with two frames.
MOST_PARAMETERS = 50_000
# Characters that the weights of all films, and the samples, may take on a page.
FOR_WEIGHTS = 480_000
FOR_MEMORIES = 100_000
FOR_SAMPLES = 200_000
MOST_SAMPLES = 2_000
FEWEST_SAMPLES = 100
# From so many features on, a square number of them is an image.
SMALLEST_IMAGE = 25
LONGEST_LABEL = 80
KNOWN_ACTIVATIONS = {type(activation) for activation in ACTIVATIONS.values()}
KNOWN_LOSSES = {*REGRESSION_LOSSES.values(), *(loss for kinds in CLASSIFICATION_LOSSES.values() for loss in kinds.values())}
# What the scripts know them by; where they have no formula, they take the rate that an epoch began with.
SCHEDULES = {
    WarmUp: "warm_up", Cosine: "cosine", OneCycle: "one_cycle", InverseScaling: "inverse_scaling", Adaptive: "noted",
    Constant: "noted",
}  # fmt: skip


def refuse_what_no_page_shows(training):
    """Raise if the page's scripts have no formula for an activation or the loss, or the network is too large."""
    for activation in training.network.activations:
        if type(activation) not in KNOWN_ACTIVATIONS:
            raise ValueError(f"Got activation={activation!r}, which a page has no formula for: pass one that has a name.")
    loss = _plain(training.problem.loss)
    if type(loss) not in KNOWN_LOSSES:
        raise ValueError(f"Got loss={loss!r}, which a page has no formula for: pass one that has a name.")
    n_parameters = training.network.theta.size
    if n_parameters > MOST_PARAMETERS:
        raise ValueError(
            f"Got a network of {n_parameters} weights and biases: a page takes {MOST_PARAMETERS} at most; pass smaller "
            "hidden_layer_sizes, or fewer features."
        )


def _plain(loss):
    """Return a loss that is valued exactly, where another values it as scikit-learn does."""
    return next((exact() for exact, valued in AS_THERE.items() if type(loss) is valued), loss)


def labels_of(recordings):
    """Return a short name for each film: its class, with the parameters that the other one has different."""
    names = []
    for recording, other in zip(recordings, reversed(recordings), strict=True):
        own, theirs = (each.estimator.get_params(deep=False) for each in (recording, other))
        different = [f"{name}={own[name]!r}" for name in own if name in theirs and repr(own[name]) != repr(theirs[name])]
        names.append((", ".join(different) or type(recording.estimator).__name__)[:LONGEST_LABEL])
    return names


def data_of(recordings, feature_names, class_names, image_shape):
    """Return what the page is told of the samples, and the rows of those that it shows."""
    recording = recordings[0]
    estimator, samples = recording.estimator, recording.samples
    n_samples, n_features = samples.X.shape
    columns = getattr(estimator, "feature_names_in_", None)
    is_image = image_shape is None and feature_names is None and columns is None and n_features >= SMALLEST_IMAGE
    side = round(n_features**0.5)
    if is_image and side * side == n_features:
        image_shape = (side, side)
    if image_shape is not None and (len(image_shape) != 2 or np.prod(image_shape) != n_features):
        raise ValueError(f"Got image_shape={image_shape!r} for {n_features} features: pass a height and a width, or None.")
    if columns is None:
        columns = [f"x{feature + 1}" for feature in range(n_features)]
    classes = getattr(estimator, "classes_", None)
    n_outputs = samples.Y.shape[1]
    if classes is None:
        classes = ["y"] if n_outputs == 1 else [f"y{output + 1}" for output in range(n_outputs)]
    chosen = _chosen_rows(samples)
    kind = "regression" if not hasattr(estimator, "classes_") else estimator._labels.target_type.partition("-")[0]
    data = {
        "kind": kind,
        "features": _names("feature_names", feature_names, columns, "feature"),
        "classes": _names("class_names", class_names, classes, "class"),
        "imageShape": image_shape and [int(size) for size in image_shape],
        "X": packed(samples.X[chosen]),
        "Y": packed(samples.Y[chosen]),
        "samples": n_samples,
        "numbers": [] if len(chosen) == n_samples else chosen.tolist(),
    }
    return data, chosen


def _names(parameter, names, default, thing):
    """Return names as text, those of the user if there are as many as there should be."""
    if names is not None and len(names) != len(default):
        raise ValueError(f"Got {len(names)} {parameter}: pass {len(default)}, one a {thing}, or None.")
    return [str(name) for name in (default if names is None else names)]


def _chosen_rows(samples):
    """Return the rows that the page shows: all, or as many as it has room for, drawn at random."""
    n_samples = len(samples.X)
    some = slice(None, None, max(1, n_samples // FEWEST_SAMPLES))
    characters = sum(len(packed(part[some])["data"]) / len(part[some]) for part in (samples.X, samples.Y))
    most = min(MOST_SAMPLES, max(FEWEST_SAMPLES, int(FOR_SAMPLES / characters)))
    if n_samples <= most:
        return np.arange(n_samples)
    return np.sort(np.random.RandomState(0).choice(n_samples, most, replace=False))


def film_of(recording, label, chosen, n_films):
    """Return a film: the network, the rule that it is trained by, and its weights over time."""
    training, estimator = recording.training, recording.estimator
    network, recipe, loss = training.network, training.recipe, _plain(training.problem.loss)
    whole = len(chosen) == len(recording.samples.X)
    frames = _frames(recording, n_films)
    scaling, target_scaling = estimator._scaling, estimator._target_scaling
    return {
        "label": label,
        "estimator": repr(estimator),
        "sizes": list(network.layer_sizes),
        "activations": [type(activation).__name__ for activation in network.activations],
        "hasBiases": bool(network.fit_intercept),
        "loss": {"name": type(loss).__name__, "unit": loss.unit, **_settings(loss)},
        "inputs": None if scaling is None else {"mean": _exact(scaling.mean), "scale": _exact(scaling.scale)},
        "targets": None if target_scaling is None else {
            name: _exact(getattr(target_scaling, name)) for name in ("mean", "scale", "score_scale", "score_shift")
        },
        "rule": _rule(recording, whole),
        "rows": _positions(recording.rows, chosen),
        "heldOut": _positions(recording.held_out, chosen),
        "epochs": frames,
        "nEpochs": len(recording.latest) - 1,
        "keptEpoch": recording.kept_epoch,
        "latest": packed(_stacked(recording.latest, frames), precise=False),
        "kept": packed(_stacked(recording.kept, frames), precise=False) if recipe.averages else None,
        "losses": rounded(estimator.loss_curve_),
        "scores": None if estimator.validation_scores_ is None else rounded(estimator.validation_scores_),
        "scoring": "loss" if estimator.scoring == "loss" else str(estimator.scoring or "score"),
    }  # fmt: skip


def _settings(part):
    """Return the settings of an optimizer, a schedule or a loss as plain values."""
    return {name: value if isinstance(value, bool) else float(value) for name, value in vars(part).items()}


def _exact(array):
    """Return numbers as a list that loses nothing."""
    return np.asarray(array, np.float64).tolist()


def _stacked(vectors, frames):
    """Return the vectors of some epochs as rows."""
    return np.stack([vectors[frame] for frame in frames])


def _frames(recording, n_films):
    """Return the epochs that the page shows: all, or as many as it has room for, and those that training goes on from."""
    n_frames = len(recording.latest)
    size = recording.latest[0].size * CHARACTERS * (2 if recording.training.recipe.averages else 1)
    most = max(2, int(FOR_WEIGHTS / n_films / size))
    if n_frames <= most:
        return list(range(n_frames))
    # The first epochs change most.
    spaced = np.linspace(0, 1, most) ** 1.5 * (n_frames - 1)
    return sorted({*np.round(spaced).astype(int).tolist(), recording.kept_epoch, *_memory_epochs(recording)})


def _positions(rows, chosen):
    """Return where rows are among those that the page shows, in their order; others are left out."""
    position = {row: place for place, row in enumerate(chosen.tolist())}
    return [position[row] for row in rows.tolist() if row in position]


def _rule(recording, whole):
    """Return how a step is taken, and what training can go on from in the browser."""
    training = recording.training
    recipe, batches, penalty = training.recipe, training.batches, training.objective.penalty
    optimizer, schedule = recipe.optimizer, recipe.schedule
    n_rows = batches.n_samples
    name = {Adam: "adam", AdamW: "adam", SGD: "sgd"}.get(type(optimizer))
    # The prior is one over all samples, whatever the batches; a penalty is divided by the samples of each of them.
    whole_factor = 1.0 if recipe.prior is None else n_rows / batches.batch_size
    own = recording.shuffler is None and batches.shuffle
    random = own or batches.noise or training.objective.dropout[0]
    exact = bool(name and whole and type(schedule) in SCHEDULES and not random)
    return {
        "name": name,
        "given": repr(optimizer),
        **(_settings(optimizer) if name else {}),
        "schedule": {"name": SCHEDULES.get(type(schedule)), **_settings(schedule)},
        "rates": rounded(recording.rates, digits=17),
        "maxIter": int(training.max_iter),
        "clipNorm": None if recipe.step.clip_norm is None else float(recipe.step.clip_norm),
        "weightDecay": float(recipe.step.weight_decay),
        "averages": bool(recipe.averages),
        "penalty": [float(strength) for strength in penalty.strengths],
        "penaltyOfAll": [float(strength) * whole_factor for strength in penalty.strengths],
        "batchSize": int(batches.batch_size),
        "passes": int(batches.passes),
        "shuffles": bool(batches.shuffle),
        "ownWeight": bool(training.objective.own_weight),
        "weight": None if batches.sample_weight is None or not whole else packed(_weight_of(recording)),
        "exact": exact,
        "shuffler": _twister(recording.shuffler) if exact and batches.shuffle else None,
        "memories": _memories(recording) if exact else {},
    }


def _weight_of(recording):
    """Return what each of the samples counts in training."""
    weight = np.asarray(recording.training.batches.sample_weight, np.float64)
    if len(recording.held_out):
        return weight
    placed = np.zeros(len(recording.samples.X))
    placed[recording.rows] = weight
    return placed


def _twister(state):
    """Return the state of the Mersenne Twister."""
    return {"key": state["key"].tolist(), "position": int(state["pos"])}


def _memory_epochs(recording):
    """Return the epochs for which there is room for what the optimizer remembered."""
    memories = {epoch: memory for epoch, memory in recording.memories.items() if memory}
    if not memories:
        return []
    size = CHARACTERS * sum(np.size(value) for value in next(iter(memories.values())).values())
    most = int(FOR_MEMORIES / size)
    every = -(-len(memories) // most) if most else len(memories) + 1
    return list(memories)[every - 1 :: every]


def _memories(recording):
    """Return what the optimizer remembered, by epoch."""
    return {
        epoch: {
            name: packed(value, precise=False) if np.ndim(value) else value
            for name, value in recording.memories[epoch].items()
        }
        for epoch in _memory_epochs(recording)
    }
