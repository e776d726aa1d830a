"""Ordinary uses: text, columns of zeros, weights of samples, boosting, learning in parts."""

import warnings

import numpy as np
from figures import line, scores, timed
from joblib import delayed
from sklearn.datasets import load_breast_cancer, make_classification
from sklearn.ensemble import AdaBoostClassifier
from sklearn.feature_extraction.text import HashingVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

from skbackprop import SigmoidBackpropClassifier, SigmoidBackpropRegressor


def documents(n_documents, n_topics, seed, contrast, n_words=60_000):
    """Return texts of 20 to 200 made-up words, and their topics.

    How often a word comes follows Zipf's law, and differs a little from topic to topic.
    """
    rng = np.random.RandomState(seed)
    syllables = [consonant + vowel for consonant in "bdfghklmnprstvwz" for vowel in "aeiou"]
    indices = np.arange(n_words)
    words = np.array(
        [
            syllables[a] + syllables[b] + syllables[c]
            for a, b, c in zip(indices % 80, indices // 80 % 80, indices // 6400, strict=True)
        ]
    )
    shares = 1 / (10 + np.arange(n_words)) * np.exp(contrast * rng.standard_normal((n_topics, n_words)))
    shares /= shares.sum(axis=1, keepdims=True)
    topics = np.arange(n_documents) % n_topics
    texts = [" ".join(words[rng.choice(n_words, rng.randint(20, 201), p=shares[topic])]) for topic in topics]
    return np.array(texts), topics


def text(run, options):
    """Print held-out accuracies on sparse columns of words."""
    # scikit-learn's network takes its time with so many columns.
    few = min(options.seeds, 2)
    kinds = [
        ("tf-idf", (options.seeds, 2, 0.38, TfidfVectorizer(max_features=3_000, dtype=np.float32))),
        ("tf-idf", (options.seeds, 2, 0.38, TfidfVectorizer(max_features=20_000, dtype=np.float32))),
        ("tf-idf, 4 topics", (few, 4, 0.6, TfidfVectorizer(max_features=20_000, dtype=np.float32))),
        ("hashing", (few, 2, 0.38, HashingVectorizer(n_features=2**16, dtype=np.float32))),
    ]
    models = {
        "ours": lambda seed: SigmoidBackpropClassifier(random_state=seed),
        "MLP": lambda seed: MLPClassifier(random_state=seed),
        "logistic regression": lambda seed: LogisticRegression(),
    }
    for what, (n_seeds, n_topics, contrast, vectorizer) in kinds:
        problems = []
        for seed in range(n_seeds):
            texts, topics = documents(1000, n_topics, seed, contrast)
            train, test, y_train, y_test = train_test_split(texts, topics, stratify=topics, random_state=seed)
            X_train = vectorizer.fit_transform(train)
            problems.append(((X_train, y_train), (vectorizer.transform(test), y_test)))
        means = {name: values[:, 0].mean() for name, values in scores(run, models, problems).items()}
        ours = means.pop("ours")
        columns = problems[0][0][0].shape[1]
        line(f"{what}, {columns:,} columns", ours, means, "within 0.03 of the better", ours >= max(means.values()) - 0.03)


def loss_with_zeros(n_zeros, seed):
    """Return the held-out log-loss on breast cancer beside so many columns of zeros."""
    X, y = load_breast_cancer(return_X_y=True)
    X = np.hstack([X, np.zeros((len(X), n_zeros))])
    X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=seed)
    model = SigmoidBackpropClassifier(random_state=seed)
    timed(model, X_train, y_train)
    return log_loss(y_test, model.predict_proba(X_test))


def zeros(run, options):
    """Print what columns of zeros do to the log-loss."""
    counts = (0, 100, 1_000, 3_000)
    jobs = [delayed(loss_with_zeros)(count, seed) for count in counts for seed in range(options.seeds)]
    without, *others = np.reshape(run(jobs), (len(counts), options.seeds)).mean(axis=1)
    for count, loss in zip(counts[1:], others, strict=True):
        ratio = loss / without
        line(f"breast cancer + {count:,} zeros, log-loss", loss, {"without": without}, f"ratio {ratio:.3f}: at most 1.02",
             ratio <= 1.02)  # fmt: skip


def noisy_classes(n_train, n_test, seed, n_columns=20, n_clusters=2):
    """Return training and test rows of two classes that overlap; eight columns are of use."""
    X, y = make_classification(
        n_train + n_test, n_columns, n_informative=8, n_clusters_per_class=n_clusters, flip_y=0.1, random_state=seed
    )
    return (X[:n_train], y[:n_train]), (X[n_train:], y[n_train:])


FACTORS = {"2^-20": 2.0**-20, "2^-7": 2.0**-7, "2^20": 2.0**20, "1 / n": None, "3": 3.0, "1e-3": 1e-3}


def changes_by_factors(kind, drawn, seed):
    """Return, for each factor on all weights, whether weights differ at all, and how much predictions do."""
    train, (X_test, _) = noisy_classes(600, 500, seed)
    weights = np.random.RandomState(seed).uniform(0.2, 2, 600) if drawn else np.ones(600)
    fitted = []
    for factor in (1.0, *FACTORS.values()):
        model = kind(random_state=seed)
        timed(model, *train, sample_weight=weights * (1 / 600 if factor is None else factor))
        predictions = model.predict_proba(X_test) if hasattr(model, "predict_proba") else model.predict(X_test)
        fitted.append((np.concatenate([coef.ravel() for coef in model.coefs_]), predictions))
    (same, predicted), *others = fitted
    return [[not np.array_equal(coefs, same), np.abs(values - predicted).max()] for coefs, values in others]


def weights(run, options):
    """Print what a factor on all weights changes; boosting; and learning in parts."""
    for kind in (SigmoidBackpropClassifier, SigmoidBackpropRegressor):
        name = kind.__name__.removeprefix("SigmoidBackprop").lower()
        for drawn in (False, True):
            found = run([delayed(changes_by_factors)(kind, drawn, seed) for seed in range(options.seeds)])
            differs, changes = np.array(found, dtype=float).max(axis=0).T
            for factor, different, change in zip(FACTORS, differs, changes, strict=True):
                what = f"{name}, {'drawn' if drawn else 'equal'} weights x {factor}"
                if "^" in factor:
                    line(what, change, {}, "the same weights bit for bit", not different, ".1e")
                else:
                    line(what, change, {}, "predictions within 1e-3", change <= 1e-3, ".1e")
    boosting(run, options)
    parts(run, options)


def boosting(run, options):
    """Print accuracies of ten boosted networks, and of one."""
    models = {
        "ours": lambda seed: AdaBoostClassifier(SigmoidBackpropClassifier(), n_estimators=10, random_state=seed),
        "MLP": lambda seed: AdaBoostClassifier(MLPClassifier(), n_estimators=10, random_state=seed),
        "ours, one": lambda seed: SigmoidBackpropClassifier(random_state=seed),
        "MLP, one": lambda seed: MLPClassifier(random_state=seed),
    }
    for n_columns, n_clusters in ((20, 2), (100, 4)):
        problems = [noisy_classes(750, 2000, seed, n_columns, n_clusters) for seed in range(options.seeds)]
        means = {name: values[:, 0].mean() for name, values in scores(run, models, problems).items()}
        ours = means.pop("ours")
        line(f"AdaBoost of 10, {n_columns} columns", ours, means, "at least MLP - 0.02", ours >= means["MLP"] - 0.02)


def score_of_parts(model, train, test, passes):
    """Return the accuracy after `partial_fit` on parts of 50 rows."""
    X, y = train
    for start in [*range(0, len(X), 50)] * passes:
        model.partial_fit(X[start : start + 50], y[start : start + 50], classes=[0, 1])
    return model.score(*test)


def parts(run, options):
    """Print accuracies of learning 4,000 rows in parts of 50."""
    for passes in (1, 3):
        jobs = []
        for seed in range(options.seeds):
            problem = noisy_classes(4000, 2000, seed)
            models = SigmoidBackpropClassifier(random_state=seed), MLPClassifier(random_state=seed)
            jobs += [delayed(score_of_parts)(model, *problem, passes) for model in models]
        ours, mlp = np.reshape(run(jobs), (-1, 2)).mean(axis=0)
        line(f"partial_fit in parts of 50, {passes} pass(es)", ours, {"MLP": mlp}, "within 0.03", ours >= mlp - 0.03)


def difference(model, other):
    """Return the largest difference of the weights."""
    return max(np.abs(one - two).max() for one, two in zip(model.coefs_, other.coefs_, strict=True))


def continued(run, options):
    """Print whether ten epochs equal five and five again, and ten calls of `partial_fit` with a number for `alpha`."""
    (X, y), _ = noisy_classes(600, 100, 0)
    for kind, labels in ((SigmoidBackpropClassifier, {"classes": [0, 1]}), (SigmoidBackpropRegressor, {})):
        for what, parameters in (("fit(5) twice", {}), ("10 x partial_fit, alpha=1e-3", {"alpha": 1e-3})):
            ten = kind(max_iter=10, random_state=0, **parameters)
            other = kind(max_iter=5, warm_start=True, random_state=0, **parameters)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                ten.fit(X, y)
                for _ in range(10 if parameters else 2):
                    other.partial_fit(X, y, **labels) if parameters else other.fit(X, y)
            change = difference(ten, other)
            name = kind.__name__.removeprefix("SigmoidBackprop").lower()
            line(f"{name}: fit(10) - {what}", change, {}, "bit for bit", change == 0, ".1e")
