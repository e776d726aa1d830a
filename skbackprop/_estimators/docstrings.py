"""What every estimator's docstring says of the parameters and attributes that all of them have, written once."""

import inspect
import re
from textwrap import indent

PARAMETERS = """\
hidden_layer_sizes : int, sequence of int or str, default={hidden_layer_sizes}
    Units in each hidden layer; also as a string, "100-50". With () the inputs feed the outputs directly.
activation : {{"identity", "logistic", "tanh", "relu", "silu"}}, Activation or list of these, default={activation}
    Activation of the hidden units, or one for each hidden layer; see `skbackprop.activations`. (scikit-learn: "relu".)
solver : {{"sgd", "adam", "rprop", "lbfgs"}} or Optimizer, default={solver}
    How the weights are updated; see `skbackprop.optimizers`. "rprop" and "lbfgs" use all samples at each step.
alpha : float or "auto", default={alpha}
    Factor of the penalty on squared weights, which is divided by the total weight of the batch. "auto" makes it a normal
    prior on the weights, whose strength does not depend on the batch, but on the number of features, on that of classes
    and, where the targets are numbers, on their noise (see docs/mathematics.md); with "lbfgs", or another `init`, it is
    0.0001. (scikit-learn: 0.0001.)
batch_size : int, "auto" or None, default={batch_size}
    Samples in a step of "sgd" and "adam"; "auto" is min(200, n_samples); None is all of up to 64 samples, else a 64th
    of them, but at least 20 and at most 256. (scikit-learn: "auto".)
learning_rate : {{"auto", "constant", "invscaling", "adaptive", "cosine", "one_cycle"}} or Schedule, default={learning_rate}
    How the learning rate of "sgd" and "adam" changes; see `skbackprop.schedules`. "auto" rises, then falls, over 100
    epochs. As in scikit-learn, "invscaling" and "adaptive" are for "sgd"; an instance is for "adam", too.
    (scikit-learn: "constant".)
learning_rate_init : float, default={learning_rate_init}
    The learning rate to begin with, or the highest of a schedule that rises. Used by "sgd" and "adam".
    (scikit-learn: 0.001.)
power_t : float, default={power_t}
    Exponent of "invscaling".
max_iter : int, default={max_iter}
    Most epochs, or iterations of "lbfgs". (scikit-learn: 200.)
shuffle : bool, default={shuffle}
    Whether each epoch has a new order of samples. Used by "sgd" and "adam".
random_state : int, RandomState instance or None, default={random_state}
    Source of first weights, held-out samples, order and dropout; an int gives the same weights at every fit.
tol : float, default={tol}
    Least improvement of the loss, or of the validation score, that counts; for "lbfgs" the gradient at which to stop.
verbose : bool, default={verbose}
    Whether to print a line an epoch.
warm_start : bool, default={warm_start}
    Whether `fit` goes on exactly where training stopped, optimizer, learning rate and order of samples included. (The
    curvature memory of "lbfgs" begins anew.)
momentum, nesterovs_momentum : float and bool, default={momentum} and {nesterovs_momentum}
    Share of the last step that "sgd" keeps, in [0, 1], and whether it does so in Nesterov's form.
early_stopping : bool, default={early_stopping}
    Whether to watch the score of validation samples, stop when it no longer improves, and keep the weights that had
    the best; with every solver. With `init="auto"` and several batches an epoch, the weights scored and kept are a running
    mean over the last ten epochs or so (Polyak and Juditsky, 1992).
validation_fraction : float, default={validation_fraction}
    Share of the samples held out for that, in [0, 1); of labelled samples at least one of each class.
beta_1, beta_2, epsilon : float, default={beta_1}, {beta_2} and {epsilon}
    Decay of the moments of "adam", in [0, 1), and what is added to its denominator.
n_iter_no_change : int or numpy.inf, default={n_iter_no_change}
    Epochs without improvement by `tol` after which training stops. (scikit-learn: 10.)
max_fun : int, default={max_fun}
    Most evaluations of the loss by "lbfgs".
init : {{"auto", "glorot", "uniform"}} or Initializer, default={init}
    Rule for the first weights; "glorot" is scikit-learn's, "uniform" is U(-1, 1). See `skbackprop.initializers`.
fit_intercept : bool, default={fit_intercept}
    Whether the layers have biases.
weight_decay : float, default={weight_decay}
    Share of each weight that a step takes off, times the learning rate; unlike `alpha` independent of the batch size
    and of the gradient's scale (Loshchilov and Hutter, 2019). For "sgd" and "adam".
dropout : float, default={dropout}
    Probability that a hidden unit is silent in a step, in [0, 1) (Srivastava et al., 2014). For "sgd" and "adam".
standardize : bool or "auto", default={standardize}
    Whether to train on standardised features; `coefs_` and predictions are in the units of `X` all the same. Sparse
    features, and those of networks without biases, are scaled but not centred. The scaling is that of the first call
    of `fit` or `partial_fit`. "auto" is to do so with `init="auto"`, whose weights are made for it.
clip_norm : float, "auto" or None, default={clip_norm}
    Largest Euclidean norm of a gradient; longer ones are scaled down (Pascanu et al., 2013), so that one batch does not
    undo what many have done. "auto" is 1 with `init="auto"`, else None: no limit. For "sgd" and "adam".
max_time : float or None, default={max_time}
    Seconds after which training stops.
"""

ATTRIBUTES = """\
coefs_, intercepts_ : list of ndarray
    Weights and biases of each layer, of shapes (fan_in, fan_out) and (fan_out,).
loss_ : float
    Loss of the last epoch, penalty included: the very loss that is descended, in nats a sample if it is a likelihood's.
loss_curve_ : list of float
    Loss of each epoch, or iteration, with every solver.
best_loss_ : float or None
    Smallest value of `loss_curve_`; None with early stopping.
validation_scores_ : list of float or None
    Score of the validation samples after each epoch, larger being better (for "loss" its negative); None without any.
best_validation_score_ : float or None
    Largest of them.
n_iter_ : int
    Epochs, or iterations, of the last call.
t_ : int
    Training samples seen so far.
n_layers_, n_outputs_ : int
    Number of layers, inputs and outputs counted, and of output units (one for two classes).
out_activation_ : str
    Link from raw scores to predictions.
n_features_in_, feature_names_in_ : int and ndarray of shape (n_features_in_,)
    Number of features, and their names if they have any.
"""


def share_documentation(cls):
    """Fill the gaps {PARAMETERS} and {ATTRIBUTES} in a class's docstring, with its own parameters and their defaults."""
    defaults = {
        name: f'"{parameter.default}"' if isinstance(parameter.default, str) else parameter.default
        for name, parameter in inspect.signature(cls).parameters.items()
    }
    entries = [entry for entry in re.split(r"(?m)^(?=\w)", PARAMETERS) if entry and re.match(r"\w+", entry)[0] in defaults]
    # Run with -OO there are no docstrings.
    text = cls.__doc__ or ""
    for gap, shared in {"PARAMETERS": "".join(entries).format(**defaults), "ATTRIBUTES": ATTRIBUTES}.items():
        text = text.replace(f"    {{{gap}}}\n", indent(shared, "    "))
    cls.__doc__ = text
    return cls
