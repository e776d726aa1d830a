"""What users are told of what is refused: what they passed, what is allowed, and what they may have meant."""

import re
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse
from sklearn.datasets import load_iris, make_multilabel_classification
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from skbackprop import (
    SigmoidBackpropAutoencoder,
    SigmoidBackpropClassifier,
    SigmoidBackpropOutlierDetector,
    SigmoidBackpropRegressor,
    tabular_network,
)
from skbackprop._estimators.words import MOST, did_you_mean, listed, shown
from skbackprop.initializers import INITIALIZERS
from skbackprop.neural_network import MLPClassifier, MLPRegressor
from skbackprop.optimizers import OPTIMIZERS
from skbackprop.preprocessing import PiecewiseLinearEncoder
from skbackprop.schedules import SCHEDULES

X, y = load_iris(return_X_y=True)
ESTIMATORS = [
    SigmoidBackpropClassifier,
    SigmoidBackpropRegressor,
    SigmoidBackpropAutoencoder,
    SigmoidBackpropOutlierDetector,
    MLPClassifier,
    MLPRegressor,
]
by_estimator = pytest.mark.parametrize("estimator", ESTIMATORS)
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def refusal(estimator, *data, **parameters):
    """The words in which a fit is refused."""
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        estimator(**parameters).fit(*(data or (X, y)))
    return str(caught.value)


# Choices ---------------------------------------------------------------------------------------------------------------

# Each choice, a near miss of it, and what was meant.
NEAR_MISSES = [
    ("activation", "sigmod", "sigmoid"),
    ("activation", "ReLU", "relu"),
    ("activation", ["tahn"], "tanh"),
    ("solver", "adma", "adam"),
    ("solver", "L-BFGS", "lbfgs"),
    ("learning_rate", "invscale", "invscaling"),
    ("learning_rate", "one-cycle", "one_cycle"),
    ("loss", "logloss", "log_loss"),
    ("loss", "Squared_Error", "squared_error"),
    ("init", "Glorot", "glorot"),
    ("scoring", "acuracy", "accuracy"),
    ("scoring", "f1-macro", "f1_macro"),
    ("early_stopping", "CV", "cv"),
    ("class_weight", "balance", "balanced"),
    ("alpha", "atuo", "auto"),
    ("batch_size", "Auto", "auto"),
    ("standardize", "aut", "auto"),
    ("clip_norm", "autoo", "auto"),
]


@pytest.mark.parametrize(("name", "value", "meant"), NEAR_MISSES)
def test_a_near_miss_gets_what_was_meant(name, value, meant):
    message = refusal(SigmoidBackpropClassifier, **{name: value})
    assert name in message
    assert f"{value!r} " in message
    assert message.endswith(f"; did you mean {meant!r}?")


@by_estimator
@pytest.mark.parametrize(("value", "meant"), [("sgdd", "sgd"), ("Adam", "adam")])
def test_every_estimator_knows_what_was_meant(estimator, value, meant):
    assert refusal(estimator, solver=value).endswith(f"Got {value!r} instead; did you mean {meant!r}?")


@pytest.mark.parametrize(("name", "value"), [("activation", "step"), ("solver", "newton"), ("init", None), ("loss", 3.5)])
def test_what_resembles_nothing_gets_no_guess(name, value):
    assert refusal(SigmoidBackpropClassifier, **{name: value}).endswith(f"Got {value!r} instead.")


def test_a_near_miss_is_refused_also_where_scikit_learn_does_not_look():
    """It validates the parameters of a fitted estimator no more in `partial_fit`."""
    model = SigmoidBackpropClassifier().partial_fit(X, y, classes=[0, 1, 2])
    for name, value, meant in [("learning_rate", "constan", "constant"), ("init", "gloro", "glorot"),
                               ("activation", "tahn", "tanh"), ("loss", "log_los", "log_loss")]:  # fmt: skip
        model.set_params(**{name: value})
        with pytest.raises(ValueError, match=f"{value}.*did you mean '{meant}'"):
            model.partial_fit(X, y)
        model.set_params(**{name: SigmoidBackpropClassifier().get_params()[name]})
    with pytest.raises(ValueError, match="'acuracy' instead; did you mean 'accuracy'"):
        model.set_params(scoring="acuracy").partial_fit(X, y, X_val=X, y_val=y)


@pytest.mark.parametrize(("kind", "meant"), [("classifer", "classifier"), ("Regressor", "regressor")])
def test_a_near_miss_of_the_kind_of_a_pipeline(kind, meant):
    with pytest.raises(ValueError, match=f"Got kind='{kind}'.*did you mean '{meant}'"):
        tabular_network(kind)


@pytest.mark.parametrize(("name", "table"), [("solver", OPTIMIZERS), ("learning_rate", SCHEDULES), ("init", INITIALIZERS)])
def test_choices_are_listed_in_the_order_of_the_table(name, table):
    assert f"must be a str among {{{str(list(table))[1:-1]}}}" in refusal(SigmoidBackpropClassifier, **{name: "none"})


@pytest.mark.slow
def test_choices_are_listed_in_the_same_order_in_every_process(run_python):
    script = (
        "import skbackprop, skbackprop.neural_network as n\n"
        "from skbackprop._estimators.parameters import check_parameter\n"
        "for cls in [*map(skbackprop.__dict__.get, skbackprop.__all__), n.MLPClassifier, n.MLPRegressor]:\n"
        "    for name in getattr(cls, '_parameter_constraints', ()):\n"
        "        try:\n"
        "            check_parameter(cls().set_params(**{name: 'none of these'}), name)\n"
        "        except ValueError as error:\n"
        "            print(error)\n"
    )
    said = set()
    for seed in "12":
        said.add(run_python(script, "-W", "ignore", env={"PYTHONHASHSEED": seed}).stdout)
    assert len(said) == 1
    text = said.pop()
    assert text.count("\n") > 150
    assert "{'auto', 'constant', 'invscaling', 'adaptive', 'cosine', 'one_cycle'}" in text


NAMES = ("sigmoid", "logistic")


@pytest.mark.parametrize("kind", [SigmoidBackpropClassifier, SigmoidBackpropRegressor, MLPClassifier, MLPRegressor])
def test_sigmoid_is_logistic(kind):
    one, other = (kind(activation=name, max_iter=3, random_state=0).fit(X, y) for name in NAMES)
    for a, b in zip(one.coefs_ + one.intercepts_, other.coefs_ + other.intercepts_, strict=True):
        np.testing.assert_array_equal(a, b)


def test_sigmoid_is_logistic_in_a_list_too():
    one, other = (SigmoidBackpropClassifier((4, 3), [name, "tanh"], max_iter=3, random_state=0) for name in NAMES)
    np.testing.assert_array_equal(one.fit(X, y).predict_proba(X), other.fit(X, y).predict_proba(X))


@by_estimator
@pytest.mark.parametrize("rate", [0.01, 1, np.float32(0.5)])
def test_a_number_as_schedule_is_pointed_to_the_rate_itself(estimator, rate):
    assert refusal(estimator, learning_rate=rate).endswith(f"pass the rate itself as learning_rate_init={rate!r}.")


@pytest.mark.parametrize("estimator", [SigmoidBackpropRegressor, MLPRegressor])
@pytest.mark.parametrize("sizes", [(10,), 10, [20, 5], "100-50", ()])
def test_sizes_in_the_place_of_the_loss_are_pointed_to_their_own(estimator, sizes):
    with pytest.raises(ValueError, match="'loss' parameter") as caught:
        estimator(sizes).fit(X, y)
    assert str(caught.value).endswith(f"the first parameter is loss, so pass hidden_layer_sizes={sizes!r} by its name.")
    assert "first parameter" not in refusal(SigmoidBackpropClassifier, loss=sizes)
    with pytest.raises(ValueError, match="the first parameter is loss"):
        estimator(sizes, "relu").fit(X, y)


@by_estimator
@pytest.mark.parametrize(
    "sizes",
    ["100,50", "(100, 50)", "-5", "5-", 0, -1, 10.5, (5, 0), (5.5,), [[5]], None, {}, {5}, b"5", np.zeros(2), iter([5])],
)
def test_sizes_that_are_none_get_one_wording(estimator, sizes):
    assert refusal(estimator, hidden_layer_sizes=sizes) == (
        f"The 'hidden_layer_sizes' parameter of {estimator.__name__} must be a whole number of at least 1, a sequence of "
        f"such numbers, a string such as '100-50', or () for no hidden layer. Got {shown(sizes)} instead."
    )


@pytest.mark.parametrize("sizes", ["7-3", [7, 3], np.array([7, 3]), pd.Series([7, 3]), (np.int64(7), 3)])
def test_sizes_may_be_written_in_many_ways(sizes):
    coefs = SigmoidBackpropClassifier(sizes, max_iter=1).fit(X, y).coefs_
    assert [coef.shape for coef in coefs] == [(4, 7), (7, 3), (3, 3)]


# Ten values at most ----------------------------------------------------------------------------------------------------

MANY = list(range(1000, 2000))


@pytest.mark.parametrize(
    ("values", "text"),
    [
        (range(3), "0, 1, 2"),
        (range(10), "0, 1, 2, 3, 4, 5, 6, 7, 8, 9"),
        (range(13), "0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 3 more"),
        (["a", "b"], "'a', 'b'"),
    ],
)
def test_a_list_says_how_many_it_leaves_out(values, text):
    assert listed(values) == text


@pytest.mark.parametrize("kind", [list, tuple, set, frozenset, np.array, dict.fromkeys], ids=lambda kind: kind.__name__)
def test_a_value_is_shown_up_to_its_tenth_element(kind):
    assert len(re.findall(r"1\d\d\d", shown(kind(MANY)))) == MOST
    assert shown(kind([1, 2])) == repr(kind([1, 2]))


def classes_of_many(fit_again):
    """A second call, after one with a thousand classes, of three samples each."""
    rows, labels = np.zeros((3000, 1)), np.array(MANY * 3)
    model = SigmoidBackpropClassifier((), max_iter=1, warm_start=True, solver="sgd").fit(rows, labels)
    fit_again(model, rows, labels)


TOO_MANY = {
    "sizes": lambda: SigmoidBackpropClassifier([-value for value in MANY]).fit(X, y),
    "an array of sizes": lambda: SigmoidBackpropClassifier(np.array(MANY) * 0.1).fit(X, y),
    "activations": lambda: SigmoidBackpropClassifier(activation=["relu"] * 1000).fit(X, y),
    "a choice": lambda: SigmoidBackpropClassifier(solver=MANY).fit(X, y),
    "scorers": lambda: SigmoidBackpropClassifier(scoring="nothing like it").fit(X, y),
    "layers": lambda: SigmoidBackpropClassifier((1,) * 100, max_iter=1).fit(X, y).set_params(
        hidden_layer_sizes=(2,) * 100).partial_fit(X, y),
    "columns of text": lambda: SigmoidBackpropClassifier().fit(pd.DataFrame([["text"] * 1000] * 150), y),
    "dates": lambda: tabular_network("classifier").fit(pd.DataFrame([[pd.Timestamp(0)] * 1000] * 150), y),
    "weights of classes": lambda: classes_of_many(
        lambda model, rows, labels: model.set_params(class_weight=dict.fromkeys(labels + 500, 1.0)).fit(rows, labels)),
    "classes in partial_fit": lambda: classes_of_many(lambda model, rows, labels: model.partial_fit(rows, labels + 500)),
    "classes announced": lambda: classes_of_many(
        lambda model, rows, labels: model.partial_fit(rows, labels, classes=[*MANY, 0])),
    "classes in fit": lambda: classes_of_many(lambda model, rows, labels: model.fit(rows, labels + 500)),
    "classes in validation": lambda: classes_of_many(
        lambda model, rows, labels: model.fit(rows, labels, X_val=rows, y_val=labels + 500)),
}  # fmt: skip


@pytest.mark.parametrize("refused", TOO_MANY.values(), ids=TOO_MANY)
def test_no_message_lists_more_than_ten_values(refused):
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        refused()
    # Two lists, of pairs, at most: what was got and what is allowed.
    assert len(re.findall(r"\w[\w.]*", str(caught.value))) < 110
    assert re.search(r"\.\.\.| and \d+ more", str(caught.value))


# Data ------------------------------------------------------------------------------------------------------------------

TABLE = {"age": np.arange(30.0), "town": ["Rome", "Oslo", None] * 10, "sex": ["m", "f"] * 15}
TEXTS = {
    "pandas": (pd.DataFrame(TABLE), "columns 'town', 'sex'", "Rome"),
    "pandas' own strings": (
        pd.DataFrame(TABLE).astype({"town": "string", "sex": "category"}),
        "columns 'town', 'sex'",
        "Rome",
    ),
    "one column": (pd.DataFrame(TABLE)[["age", "sex"]], "column 'sex'", "m"),
    "no names": (pd.DataFrame(TABLE).to_numpy(), "columns 1, 2", "Rome"),
    "polars": (pl.DataFrame(TABLE), "columns 'town', 'sex'", "Rome"),
    "polars' categories": (
        pl.DataFrame(TABLE, schema_overrides={"sex": pl.Categorical})[["age", "sex"]],
        "column 'sex'",
        "m",
    ),
    "a list": ([[1.0, "a"], [2.0, "b"]] * 15, "column 1", "a"),
    "numbers as text beside words": (np.array([["1", "no"], ["2", "3"]] * 15), "column 1", "no"),
}


@pytest.mark.parametrize("estimator", [*ESTIMATORS, PiecewiseLinearEncoder])
@pytest.mark.parametrize(("table", "columns", "word"), TEXTS.values(), ids=TEXTS)
def test_columns_of_text_are_named_and_pointed_to_the_encoder(estimator, table, columns, word):
    message = refusal(estimator, table, np.arange(30) % 2)
    assert f"Got text in the {columns} of X, such as '{word}': " in message
    assert "OneHotEncoder" in message


def test_text_is_named_when_predicting_too():
    model = SigmoidBackpropClassifier(max_iter=1).fit(X, y)
    with pytest.raises(ValueError, match="Got text in the column 3 of X, such as 'wide'"):
        model.predict([[1, 2, 3, "wide"]])
    model = SigmoidBackpropClassifier(max_iter=1).fit(pd.DataFrame(X, columns=list("abcd")), y)
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict(pd.DataFrame(TABLE))


@pytest.mark.parametrize("table", [[["1.5", "2"], ["3", "4e1"]] * 15, np.array([[1, "2"], [3, "4"]] * 15, object)])
def test_numbers_that_are_written_out_are_numbers(table):
    SigmoidBackpropClassifier(max_iter=1).fit(table, [0, 1] * 15)


def test_other_errors_of_the_inputs_keep_their_words():
    assert "NaN" in refusal(SigmoidBackpropClassifier, np.full((4, 2), np.nan), [0, 1] * 2)
    assert "Complex data" in refusal(SigmoidBackpropClassifier, np.ones((4, 2), complex), [0, 1] * 2)
    assert "inconsistent" in refusal(SigmoidBackpropClassifier, sparse.csr_array(np.eye(4)), [0, 1])


@pytest.mark.parametrize("estimator", [SigmoidBackpropRegressor, MLPRegressor])
@pytest.mark.parametrize(
    "targets",
    [
        ["cat", "dog"] * 75,
        np.array(["cat", "dog"] * 75),
        np.array(["cat", "dog"] * 75, object),
        pd.Series(["cat", "dog"] * 75),
        pd.Series(["cat", "dog"] * 75, dtype="category"),
        pl.Series(["cat", "dog"] * 75),
        [["cat", "dog"]] * 150,
        ["1.5", "cat"] * 75,
    ],
)
def test_words_as_targets_of_a_regressor_are_pointed_to_a_classifier(estimator, targets):
    message = refusal(estimator, X, targets)
    assert message == "Got text in y, such as 'cat': pass numbers, or use a classifier if these are classes."


def test_words_as_validation_targets_too():
    with pytest.raises(ValueError, match="Got text in y, such as 'cat'"):
        SigmoidBackpropRegressor().fit(X, y, X_val=X, y_val=["cat"] * 150)


@pytest.mark.parametrize(
    ("estimator", "fraction", "rows", "left"),
    [
        (SigmoidBackpropClassifier, 0.99, 150, 1),
        (SigmoidBackpropClassifier, 0.95, 20, 1),
        (SigmoidBackpropRegressor, 0.95, 10, 0),
        (SigmoidBackpropAutoencoder, 0.999, 150, 0),
        (MLPClassifier, 0.98, 30, 0),
    ],
)
def test_a_share_that_leaves_nothing_to_train_on_says_so(estimator, fraction, rows, left):
    part = np.linspace(0, 149, rows).astype(int)
    message = refusal(estimator, X[part], y[part], early_stopping=True, validation_fraction=fraction)
    assert f"Got validation_fraction={fraction}, which holds out {rows - left} of {rows} samples" in message
    assert f"leaves {left} to train on" in message
    assert "lower validation_fraction" in message


# One-hot labels --------------------------------------------------------------------------------------------------------

ONE_HOT = np.eye(3, dtype=int)[y]


@pytest.mark.parametrize("estimator", [SigmoidBackpropClassifier, MLPClassifier])
@pytest.mark.parametrize("labels", [ONE_HOT, ONE_HOT.astype(bool), sparse.csr_array(ONE_HOT), ONE_HOT[50:, 1:]])
def test_one_hot_labels_are_warned_of_once(estimator, labels):
    with pytest.warns(UserWarning, match=r"exactly one 1 in each row.*y\.argmax\(axis=1\)") as caught:
        model = estimator(max_iter=1).fit(X[-labels.shape[0] :], labels)
    assert [w.category for w in caught].count(UserWarning) == 1
    assert model.predict(X[:5]).shape == (5, labels.shape[1])


def test_one_hot_labels_are_warned_of_in_the_first_of_many_calls():
    with pytest.warns(UserWarning, match="exactly one 1"):
        model = SigmoidBackpropClassifier(warm_start=True, max_iter=1).fit(X, ONE_HOT)
    model.fit(X, ONE_HOT)
    with pytest.warns(UserWarning, match="exactly one 1"):
        model = SigmoidBackpropClassifier().partial_fit(X, ONE_HOT, classes=range(3))
    model.partial_fit(X, ONE_HOT)
    with pytest.warns(UserWarning, match="exactly one 1") as caught:
        SigmoidBackpropClassifier(early_stopping="cv", n_folds=2, max_iter=1).fit(X, ONE_HOT)
    assert [w.category for w in caught].count(UserWarning) == 1


@pytest.mark.parametrize("change", [(0, [0, 0, 0]), (7, [1, 1, 0])])
def test_labels_that_do_not_exclude_each_other_are_not_warned_of(change):
    row, labels = change
    several = ONE_HOT.copy()
    several[row] = labels
    SigmoidBackpropClassifier(max_iter=1).fit(X, several)
    SigmoidBackpropClassifier(max_iter=1).fit(*make_multilabel_classification(random_state=0))
    SigmoidBackpropClassifier(max_iter=1).fit(X, y.reshape(-1, 1)[:, 0])


# Warnings --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("category", "silenced"),
    [({"module": "skbackprop"}, True), ({"message": "Got batch_size"}, True), ({"category": UserWarning}, True),
     ({"module": "sklearn"}, False), ({"module": "skbackprop.neural"}, False)],
)  # fmt: skip
def test_filters_find_warnings_by_module_category_and_words(category, silenced):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        warnings.filterwarnings("ignore", **category)
        SigmoidBackpropClassifier(max_iter=1, batch_size=1000).fit(X, y)
    found = [warning for warning in caught if "batch_size" in str(warning.message)]
    assert len(found) == (not silenced)
    # They point to the user's line all the same.
    assert all(warning.filename == __file__ for warning in found)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("option", "line"),
    [
        ("ignore::UserWarning:skbackprop", ""),
        # A category that the interpreter knows only once the script names it.
        ("default", "warnings.simplefilter('ignore', ConvergenceWarning)"),
    ],
)
def test_filters_of_the_command_line_and_of_scripts_find_them_in_a_fresh_process(option, line, run_python):
    def errors(option, line):
        script = (
            "import warnings\n"
            "from sklearn.exceptions import ConvergenceWarning\n"
            "from skbackprop import SigmoidBackpropClassifier\n"
            f"{line}\n"
            "SigmoidBackpropClassifier(max_iter=2, random_state=0).fit([[0.0], [1.0]] * 9, [0, 1] * 9)\n"
        )
        return run_python(script, "-W", option, env={}).stderr

    assert "ConvergenceWarning: Training stopped at max_iter=2" in errors("default", "")
    assert "ConvergenceWarning" not in errors(option, line)


def test_a_guess_is_made_for_names_alone():
    assert did_you_mean(3, ["three"]) == did_you_mean(None, ["none"]) == did_you_mean("x", []) == "."


# Names -----------------------------------------------------------------------------------------------------------------


@by_estimator
@pytest.mark.parametrize(("name", "meant"), [("alhpa", "alpha"), ("hidden_layers_sizes", "hidden_layer_sizes")])
def test_a_parameter_of_another_name_is_refused_in_few_words(estimator, name, meant):
    network = estimator()
    before = network.get_params()
    searched = GridSearchCV(network, {name: [1]}, error_score="raise", scoring=lambda *_: 0.0)
    nested = make_pipeline(network)
    words = f"^Invalid parameter '{name}' for .*: pass one of .* more; did you mean '{meant}'"
    for call in (
        lambda: network.set_params(max_iter=3, **{name: 1}),
        lambda: searched.fit(X, y),
        lambda: nested.set_params(**{f"{estimator.__name__.lower()}__{name}": 1}),
    ):
        with pytest.raises(ValueError, match=words) as caught:
            call()
        assert str(caught.value).count("'") == 2 * (MOST + 2)
    assert network.get_params() == before
    assert network.set_params(max_iter=3) is network
