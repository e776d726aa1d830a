"""The partitions on the workers of a Dask cluster, seen from the client, which holds nothing that grows with the data."""

import math
from concurrent.futures import CancelledError
from time import monotonic
from typing import Any, NamedTuple

import numpy as np

from .._estimators.run import ComputeLostError
from ._partition import Holder, add_exactly, load

# Seconds between two looks at whether there are workers left.
LOOK = 0.5


def client_of(estimator):
    """Return the client that an estimator was given, or the latest one that was made."""
    from distributed import Client, default_client  # noqa: PLC0415 (optional)

    client = estimator.client
    if client is None:
        try:
            return default_client()
        except ValueError:
            raise ValueError(
                f"Got {type(estimator).__name__}(client=None) where there is no Dask client: make one, such as "
                "distributed.Client(), or pass it."
            ) from None
    if not isinstance(client, Client):
        raise TypeError(
            f"Got client of type {type(client).__name__}: pass a distributed.Client, or None for the latest one."
        )
    return client


class Held(NamedTuple):
    """An actor and the numbers of its partitions."""

    actor: Any
    numbers: list


class Partitions:
    """The partitions of a collection, each held by an actor on the worker where it was computed.

    Of a lost worker the partitions are computed anew, on workers that are left, and go through the same calls as before:
    what is computed afterwards is the same.

    Parameters
    ----------
    client : distributed.Client
    kind : type
        A child of `Partition`.
    shell : estimator
        A plain one with the parameters.
    blocks : list of (X, y, sample_weight)
        Each a `dask.delayed.Delayed`, or None.
    """

    def __init__(self, client, kind, shell, blocks):
        from dask import delayed  # noqa: PLC0415 (optional)

        self.client = client
        loader = delayed(load, pure=False)
        self.tasks = [loader(kind, number, shell, *block) for number, block in enumerate(blocks)]
        self.calls = []
        self.held = self._hold(range(len(self.tasks)))

    def __len__(self):
        return len(self.tasks)

    def map(self, name, *arguments):
        """Call a method of each partition; return the results in their order, without those of empty ones."""
        results = {}
        for found in self._ask("call", name, arguments):
            results |= found
        return [results[number] for number in sorted(results)]

    def change(self, name, *arguments):
        """Call a method that changes each partition: one that is computed anew later will go through it, too."""
        results = self.map(name, *arguments)
        self.calls.append(("call", name, arguments))
        return results

    def prepare(self, *arguments):
        """Prepare all for training; see `Partition.prepare`."""
        for _ in self._ask("prepare", *arguments):
            pass
        self.calls.append(("prepare", *arguments))

    def sums(self, theta, *step):
        """Return the sum of the losses of a step and its gradient, in float64; see `Holder.sums`."""
        losses, high, low = {}, None, []
        for found, part, rest in self._ask("sums", theta, *step):
            losses |= found
            if part is not None:
                high, rounded = add_exactly(high, 0.0, part) if high is not None else (part, 0.0)
                low += [rest, rounded]
        values = [losses[number] for number in sorted(losses)]
        gradient = np.zeros(theta.size) if high is None else high + sum(low)
        return math.fsum(values) if all(map(math.isfinite, values)) else math.nan, gradient

    # Workers come and go ---------------------------------------------------------------------------------------------

    def _ask(self, method, *arguments):
        """Yield the results of all actors; those of lost workers are replaced, and asked then."""
        asked = self.held
        while asked:
            calls = [(held, _begin(held, method, arguments)) for held in asked]
            lost = []
            for held, call in calls:
                try:
                    yield _end(call)
                except OSError:
                    lost.append(held)
            asked = self._replace(lost)

    def _replace(self, lost):
        """Hold the partitions of lost workers elsewhere; return what holds them."""
        if not lost:
            return []
        self.held = [held for held in self.held if held not in lost]
        fresh = self._hold(sorted(number for held in lost for number in held.numbers))
        self.held = [*self.held, *fresh]
        return fresh

    def _hold(self, numbers):
        """Compute partitions, make the actors that hold them, and let them go through all earlier calls."""
        placed, numbers = [], list(numbers)
        while numbers:
            failed = []
            for address, group in self._compute(numbers).items():
                try:
                    held = self._actor(address, group)
                    for method, *arguments in self.calls:
                        _end(_begin(held, method, arguments))
                    placed.append(held)
                except OSError:
                    failed += group
            numbers = sorted(failed)
        return placed

    def _compute(self, numbers):
        """Compute partitions where their data are; return them, by number, by the address of the worker that has them."""
        futures = self.client.compute([self.tasks[number] for number in numbers])
        self._wait(futures)
        for number, future in zip(numbers, futures, strict=True):
            self._refuse(number, future)
        places = self.client.who_has(futures)
        groups = {}
        for number, future in zip(numbers, futures, strict=True):
            # One that has been lost since is left for the next round, as one on a worker of no address.
            address = (*places.get(future.key, ()), None)[0]
            groups.setdefault(address, {})[number] = future
        return groups

    def _actor(self, address, group):
        """Return an actor that holds partitions which are on that worker."""
        from distributed import TimeoutError, wait  # noqa: PLC0415 (optional)

        if address is None:
            raise OSError
        # With a priority of its own, since nothing else can begin before.
        how = {"actor": True, "workers": [address], "allow_other_workers": False, "pure": False, "priority": 1}
        future = self.client.submit(Holder, list(group), *group.values(), **how)
        while not future.done():
            if address not in self.client.scheduler_info(n_workers=-1)["workers"]:
                raise OSError
            try:
                wait(future, timeout=LOOK)
            except TimeoutError:
                continue
        if future.status != "finished":
            raise OSError
        return Held(future.result(), list(group))

    def _wait(self, futures):
        """Wait for futures as long as there are workers, or may come some."""
        from dask import config  # noqa: PLC0415 (optional)
        from dask.utils import parse_timedelta  # noqa: PLC0415
        from distributed import TimeoutError, wait  # noqa: PLC0415

        patience = parse_timedelta(config.get("distributed.comm.timeouts.connect"))
        seen = monotonic()
        while any(not future.done() for future in futures):
            try:
                wait(futures, timeout=LOOK)
            except CancelledError:
                # Each is asked for its error later.
                return
            except TimeoutError:
                if self._has_workers():
                    seen = monotonic()
                if monotonic() - seen > patience:
                    raise ComputeLostError(
                        "All Dask workers are gone, and no other came within the time that Dask's setting "
                        f"distributed.comm.timeouts.connect allows, {patience:g} s: start workers, and fit again."
                    ) from None

    def _has_workers(self):
        return self.client.status == "running" and bool(self.client.scheduler_info(n_workers=-1)["workers"])

    def _refuse(self, number, future):
        """Raise what went wrong with a partition."""
        if future.status == "finished":
            return
        error = None if future.cancelled() else future.exception()
        if isinstance(error, TypeError | ValueError):
            raise error from None
        words = "Dask has lost it" if error is None else f"{type(error).__name__}: {error}"
        raise ComputeLostError(
            f"Partition {number} cannot be computed ({words}): pass a collection that Dask can compute anew, "
            "from its source, not one whose only copy was on a worker that is gone."
        ) from error


def _begin(held, method, arguments):
    """Begin a call of an actor, and return its future, or None if its worker is known to be lost."""
    try:
        return getattr(held.actor, method)(*arguments)
    except RuntimeError:
        return None


def _end(call):
    """Return the result of a call, or raise; OSError if the worker is lost."""
    if call is None:
        raise OSError
    return call.result()
