"""A cluster of processes that the tests of this folder share."""

import pytest


@pytest.fixture(scope="session")
def client():
    """A client of two workers, a process each."""
    distributed = pytest.importorskip("distributed")
    options = {"n_workers": 2, "threads_per_worker": 1, "processes": True, "dashboard_address": ":0"}
    with distributed.LocalCluster(**options) as cluster, distributed.Client(cluster) as client:
        yield client
