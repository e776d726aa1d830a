"""Learning-rate schedules against their formulas."""

import math

import pytest

from skbackprop.schedules import SCHEDULES, Adaptive, Auto, Constant, Cosine, InverseScaling, OneCycle


def rate(schedule, samples_seen=0, epoch=0.0, progress=0.0, initial=0.1):
    """The rate, having been `initial` before."""
    return schedule.next_rate(initial, initial, samples_seen, epoch, progress)


def half_cosine(start, end, share):
    return end + (start - end) * math.cos(math.pi / 2 * share) ** 2


def one_cycle(share):
    return half_cosine(0.004, 0.1, share / 0.3) if share < 0.3 else half_cosine(0.1, 0, (share - 0.3) / 0.7)


# For each schedule of the table its rate from a highest one of 0.1, by samples seen, epoch and progress.
FORMULAS = {
    "auto": lambda samples, epoch, progress: max(one_cycle(min(epoch / 100, 1)), 0.001),
    "constant": lambda samples, epoch, progress: 0.1,
    "invscaling": lambda samples, epoch, progress: 0.1 / math.sqrt(samples + 1),
    "adaptive": lambda samples, epoch, progress: 0.1,
    "cosine": lambda samples, epoch, progress: half_cosine(0.1, 0, progress),
    "one_cycle": lambda samples, epoch, progress: one_cycle(progress),
}


def test_every_schedule_has_its_formula_here():
    assert FORMULAS.keys() == SCHEDULES.keys()


@pytest.mark.parametrize("name", SCHEDULES)
def test_rates_are_those_of_the_formula(name):
    for epoch in range(161):
        seen = {"samples_seen": 50 * epoch, "epoch": float(epoch), "progress": epoch / 160}
        assert rate(SCHEDULES[name](), **seen) == pytest.approx(FORMULAS[name](*seen.values()), abs=1e-15)


@pytest.mark.parametrize("name", SCHEDULES)
def test_only_schedules_with_an_end_come_to_it(name):
    assert SCHEDULES[name]().is_complete(100, 1.0) == (name in {"auto", "cosine", "one_cycle"})
    assert not SCHEDULES[name]().is_complete(99, 0.99)


def test_the_constant_rate_stays_and_stops_at_a_plateau():
    assert rate(Constant(), 1000, 10, 0.5) == 0.1
    assert Constant().after_plateau(0.1) is None
    assert not Constant().is_complete(1000, 1.0)


def test_inverse_scaling_falls_with_the_samples_seen():
    assert rate(InverseScaling(power_t=0.5), 99) == pytest.approx(0.01)
    assert rate(InverseScaling(power_t=1), 0) == 0.1


def test_adaptive_divides_by_five_until_the_rate_is_tiny():
    current, rates = 1e-4, []
    while current is not None:
        rates.append(current)
        current = Adaptive().after_plateau(current)
    assert rates == pytest.approx([1e-4, 2e-5, 4e-6, 8e-7])


def test_cosine_falls_by_half_a_cosine_to_zero():
    assert [rate(Cosine(), progress=p) for p in (0, 1 / 3, 0.5, 1)] == pytest.approx([0.1, 0.075, 0.05, 0])
    assert Cosine().is_complete(3, 1.0)
    assert not Cosine().is_complete(3, 0.99)


@pytest.mark.parametrize("n_epochs", [None, 50])
def test_one_cycle_rises_then_falls(n_epochs):
    cycle = OneCycle(rise=0.2, n_epochs=n_epochs)
    shares = [0, 0.1, 0.2, 0.6, 1]
    expected = [0.004, 0.052, 0.1, 0.05, 0]
    actual = [rate(cycle, epoch=50 * s, progress=0.3 if n_epochs else s) for s in shares]
    assert actual == pytest.approx(expected)
    assert cycle.is_complete(50, 1.0)


def test_the_default_depends_on_the_epochs_alone_and_has_a_floor():
    auto = Auto()
    assert rate(auto, epoch=30, progress=0.1) == rate(auto, epoch=30, progress=0.9) == pytest.approx(0.1)
    assert rate(auto, epoch=500) == pytest.approx(0.001)
    assert auto.is_complete(100, 1.0)
    assert not auto.is_complete(99, 1.0)


def test_cycles_stay_at_their_top_where_no_end_is_in_sight():
    assert rate(Auto(), epoch=5000, progress=None) == pytest.approx(0.1)
    assert rate(Auto(), epoch=5, progress=None) == rate(Auto(), epoch=5, progress=0.5)
    assert rate(OneCycle(), epoch=5, progress=None) == rate(Cosine(), epoch=5, progress=None) == pytest.approx(0.1)
