"""Learning-rate schedules against their formulas."""

import math

import pytest

from skbackprop.schedules import SCHEDULES, Adaptive, Constant, Cosine, InverseScaling, OneCycle, WarmUp


def rate(schedule, samples_seen=0, epoch=0.0, progress=0.0, steps=0, initial=0.1):
    """The rate, having been `initial` before."""
    return schedule.next_rate(initial, initial, samples_seen, epoch, progress, steps)


def half_cosine(start, end, share):
    return end + (start - end) * math.cos(math.pi / 2 * share) ** 2


def one_cycle(share):
    return half_cosine(0.004, 0.1, share / 0.3) if share < 0.3 else half_cosine(0.1, 0, (share - 0.3) / 0.7)


# For each schedule of the table its rate from a highest one of 0.1, by samples seen, epoch, progress and steps.
FORMULAS = {
    "auto": lambda samples, epoch, progress, steps: 0.001 * (steps + 1) if steps < 99 else 0.1,
    "constant": lambda samples, epoch, progress, steps: 0.1,
    "invscaling": lambda samples, epoch, progress, steps: 0.1 / math.sqrt(samples + 1),
    "adaptive": lambda samples, epoch, progress, steps: 0.1,
    "cosine": lambda samples, epoch, progress, steps: half_cosine(0.1, 0, progress),
    "one_cycle": lambda samples, epoch, progress, steps: one_cycle(progress),
}


def test_every_schedule_has_its_formula_here():
    assert FORMULAS.keys() == SCHEDULES.keys()


@pytest.mark.parametrize("name", SCHEDULES)
def test_rates_are_those_of_the_formula(name):
    for epoch in range(161):
        seen = {"samples_seen": 50 * epoch, "epoch": float(epoch), "progress": epoch / 160, "steps": 3 * epoch}
        assert rate(SCHEDULES[name](), **seen) == pytest.approx(FORMULAS[name](*seen.values()), abs=1e-15)


@pytest.mark.parametrize("name", SCHEDULES)
def test_only_two_schedules_rise_the_one_for_steps_the_other_for_a_share_of_the_epochs(name):
    moments = [(0.1, 0), (0.1, 99), (0.1, 100), (0.29, 100), (0.3, 99), (0.3, 100), (1.0, 5000)]
    said = [SCHEDULES[name]().rises(progress, steps) for progress, steps in moments]
    assert said == {
        "auto": [True, True, False, False, True, False, False],
        "one_cycle": [True, True, True, True, False, False, False],
    }.get(name, [False] * 7)


def test_a_rise_with_no_end_in_sight_is_that_of_steps_alone():
    assert WarmUp().rises(None, 99)
    assert not WarmUp().rises(None, 100)
    assert not OneCycle().rises(None, 0)


def test_the_constant_rate_stays_and_stops_at_a_plateau():
    assert rate(Constant(), 1000, 10, 0.5) == 0.1
    assert Constant().after_plateau(0.1) is None


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


def test_one_cycle_rises_then_falls():
    cycle = OneCycle(rise=0.2)
    actual = [rate(cycle, progress=share) for share in (0, 0.1, 0.2, 0.6, 1)]
    assert actual == pytest.approx([0.004, 0.052, 0.1, 0.05, 0])


def test_the_default_depends_on_the_steps_alone():
    warm_up = WarmUp(n_steps=4)
    assert [rate(warm_up, steps=steps) for steps in range(6)] == pytest.approx([0.025, 0.05, 0.075, 0.1, 0.1, 0.1])
    elsewhere = rate(warm_up, samples_seen=900, epoch=70.0, progress=None, steps=1)
    assert elsewhere == rate(warm_up, steps=1) == pytest.approx(0.05)


def test_only_the_default_publishes_a_mean_of_the_weights():
    assert [name for name, schedule in SCHEDULES.items() if schedule().averages] == ["auto"]


def test_cycles_stay_at_their_top_where_no_end_is_in_sight():
    assert rate(OneCycle(), epoch=5, progress=None) == rate(Cosine(), epoch=5, progress=None) == pytest.approx(0.1)
