"""Workers that are lost during training, and data that cannot be trained on."""

import logging
import os
import signal

import numpy as np
import pytest
from dask_helpers import KINDS, assert_same_weights, collections, data

from skbackprop.dask._cluster import Partitions
from skbackprop.optimizers import LBFGS, Adam

dask = pytest.importorskip("dask")
da = pytest.importorskip("dask.array")
distributed = pytest.importorskip("distributed")

OPTIONS = {"threads_per_worker": 1, "processes": True, "dashboard_address": ":0", "silence_logs": logging.CRITICAL}


@pytest.fixture
def three_workers():
    with distributed.LocalCluster(n_workers=3, **OPTIONS) as cluster, distributed.Client(cluster) as client:
        yield client


def kill(client, which=slice(0, 1)):
    """Kill workers, with no chance to say goodbye."""
    pids = client.run(os.getpid)
    for address in sorted(pids)[which]:
        os.kill(pids[address], signal.SIGKILL)


class KillingAdam(Adam):
    """Adam that kills a worker before some steps."""

    def __init__(self, kill=None, steps=()):
        super().__init__()
        self.kill, self.at, self.taken = kill, steps, 0

    def update(self, *arguments):
        self.taken += 1
        if self.taken in self.at:
            self.kill()
        super().update(*arguments)


class KillingLBFGS(LBFGS):
    """L-BFGS that kills a worker before some evaluations."""

    def __init__(self, kill=None, steps=()):
        super().__init__(tol=0)
        self.kill, self.at, self.taken = kill, steps, 0

    def minimize(self, function, *arguments):
        def killing(theta):
            self.taken += 1
            if self.taken in self.at:
                self.kill()
            return function(theta)

        return super().minimize(killing, *arguments)


@pytest.mark.parametrize("which", range(3))
@pytest.mark.parametrize("solver", [KillingAdam, KillingLBFGS])
@pytest.mark.parametrize("persisted", [False, True], ids=["lazy", "persisted"])
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_worker_is_killed_in_mid_training(which, solver, persisted, three_workers, monkeypatch):
    """Twelve times in all."""
    _, remote = KINDS["classifier"]
    X, y = collections(7, *data("classifier"))
    if persisted:
        X, y = three_workers.persist([X, y])
        distributed.wait([X, y])
    settings = {"max_iter": 12, "random_state": 0, "client": three_workers}
    expected = remote(solver=solver(), **settings).fit(X, y)
    replaced = []
    hold = Partitions._hold
    monkeypatch.setattr(Partitions, "_hold", lambda self, numbers: replaced.append(list(numbers)) or hold(self, numbers))
    lethal = solver(lambda: kill(three_workers, slice(which, which + 1)), {7})
    found = remote(solver=lethal, **settings).fit(X, y)
    assert len(replaced) > 1
    assert_same_weights(found, expected, 0)
    assert found.loss_curve_ == expected.loss_curve_


@pytest.mark.parametrize("solver", [KillingAdam, KillingLBFGS])
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_all_workers_are_lost(solver):
    """The weights are those of the last update, as after an interrupt."""
    _, remote = KINDS["classifier"]
    X, y = collections(7, *data("classifier"))

    def kill_all():
        # Or the nannies would start others.
        for nanny in cluster.workers.values():
            nanny.close_gracefully()
        for pid in client.run(os.getpid).values():
            os.kill(pid, signal.SIGKILL)

    timeouts = dask.config.set({"distributed.comm.timeouts.connect": "1s"})
    with timeouts, distributed.LocalCluster(n_workers=2, **OPTIONS) as cluster, distributed.Client(cluster) as client:
        settings = {"random_state": 0, "client": client, "batch_size": 420, "learning_rate": "constant"}
        lethal = remote(solver=solver(kill_all, {6}), max_iter=12, **settings)
        with pytest.raises(RuntimeError, match="All Dask workers are gone"):
            lethal.fit(X, y)
    assert 0 < lethal.n_iter_ < 12
    assert len(lethal.loss_curve_) == lethal.n_iter_
    plain, _ = KINDS["classifier"]
    settings.pop("client")
    expected = plain(solver=solver(), max_iter=lethal.n_iter_, **settings).fit(*data("classifier"))
    assert_same_weights(lethal, expected)


@pytest.mark.slow
def test_the_only_copy_is_lost(three_workers):
    X, y = data("classifier")
    address = sorted(three_workers.run(os.getpid))[0]
    futures = [three_workers.scatter(part, workers=[address]) for part in (X, y)]
    X, y = (
        da.from_delayed(dask.delayed(future), shape, float)
        for future, shape in zip(futures, (X.shape, y.shape), strict=True)
    )
    lethal = KillingAdam(lambda: kill(three_workers, slice(0, 1)), {7})
    with pytest.raises(RuntimeError, match="Partition 0 cannot be computed"):
        KINDS["classifier"][1](solver=lethal, random_state=0, client=three_workers).fit(X, y)


# Data ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("what", ["X", "y", "sample_weight"])
def test_a_partition_with_nan_is_named(kind, what, client):
    X, y = data(kind)
    parts = {"X": X, "y": y.astype(float), "sample_weight": np.ones(len(y))}
    parts[what][-1] = np.nan
    parts = dict(zip(parts, collections(3, *parts.values()), strict=True))
    estimator = KINDS[kind][1]()
    with pytest.raises(ValueError, match=r"In partition 2: .*NaN"):
        estimator.fit(**parts)
    assert not hasattr(estimator, "coefs_")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_empty_partitions_and_partitions_without_a_class(kind, client):
    plain, remote = KINDS[kind]
    X, y = data(kind)
    order = np.argsort(y, kind="stable")
    X, y = X[order], y[order]
    settings = {"solver": "lbfgs", "max_iter": 20, "tol": 0, "random_state": 0}
    chunks = (0, 150, 0, 1, 200, 69, 0)
    parts = da.from_array(X, chunks=(chunks, 6)), da.from_array(y, chunks=(chunks,))
    found = remote(**settings).fit(*parts)
    assert_same_weights(found, plain(**settings).fit(X, y))
    np.testing.assert_allclose(found.predict(parts[0]).compute(), found.to_local().predict(X))
    early = remote(early_stopping=True, max_iter=3, random_state=0).fit(*parts)
    assert len(early.validation_scores_) == 3


@pytest.mark.parametrize(("settings", "fit", "message"), [
    ({"early_stopping": "cv"}, {}, "early_stopping='cv' in DaskSigmoidBackpropClassifier"),
    ({"early_stopping": True, "scoring": "accuracy"}, {}, "scoring='accuracy' with validation samples on the workers"),
    ({"early_stopping": True, "validation_fraction": 0}, {}, "validation_fraction=0"),
    ({"class_weight": {0: 1, 1: 0, 2: 0}}, {}, "zero for all classes, or all but one"),
    ({"max_iter": 0}, {}, "max_iter"),
    ({"solver": "rprop", "dropout": 0.5}, {}, "dropout=0.5"),
    ({}, {"sample_weight": -1.0}, "negative values in sample_weight"),
    ({}, {"sample_weight": 0.0}, "sample_weight that is all zero"),
])  # fmt: skip
def test_what_is_refused_at_the_start(settings, fit, message, client):
    X, y = collections(3, *data("classifier"))
    fit = {name: da.full(420, value, chunks=X.chunks[0]) for name, value in fit.items()}
    with pytest.raises(ValueError, match=message):
        KINDS["classifier"][1](**settings).fit(X, y, **fit)


@pytest.mark.parametrize("kind", KINDS)
def test_data_in_memory_are_for_the_plain_class(kind, client):
    plain, remote = KINDS[kind]
    X, y = data(kind)
    for parts in ((X, y), (collections(2, X)[0], y), (X, collections(2, y)[0])):
        with pytest.raises(TypeError, match=f"ndarray in {remote.__name__}.*use {plain.__name__}"):
            remote().fit(*parts)
    assert not hasattr(remote(), "partial_fit")


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_partitions_that_do_not_fit_together(client):
    X, y = data("classifier")
    remote = KINDS["classifier"][1](solver="lbfgs", max_iter=3)
    # Known chunks are cut anew, so that these fit.
    remote.fit(*collections(3, X), *collections(2, y))
    with pytest.raises(ValueError, match="420 samples and another part of 400"):
        remote.fit(*collections(3, X), *collections(2, y[:400]))
    unknown = da.from_array(y, chunks=100)
    unknown = unknown[unknown > -1]
    with pytest.raises(ValueError, match="3 of X, 5 of y"):
        remote.fit(*collections(3, X), unknown)
    with pytest.raises(ValueError, match=r"In partition 0: got \d+ rows of X, 100 rows of y"):
        remote.fit(*collections(5, X), unknown)


def test_labels_of_different_kinds(client):
    X, y = collections(2, *data("classifier"))
    mixed = y.map_blocks(lambda block: block if len(block) < 200 else block.astype(str).astype(object), dtype=object)
    with pytest.raises(ValueError, match="labels of different kinds"):
        KINDS["classifier"][1]().fit(X, mixed)


def test_no_client(monkeypatch):
    def none():
        raise ValueError("No clients found")

    monkeypatch.setattr(distributed, "default_client", none)
    with pytest.raises(ValueError, match="there is no Dask client"):
        KINDS["classifier"][1]().fit(*collections(2, *data("classifier")))
    with pytest.raises(ValueError, match="client"):
        KINDS["classifier"][1](client="tcp://").fit(*collections(2, *data("classifier")))
