"""Learning-rate schedules against their formulas."""

import pytest

from skbackprop.schedules import SCHEDULES, Adaptive, Constant, InverseScaling


def test_the_constant_rate_stays_and_stops_at_a_plateau():
    assert Constant().next_rate(0.1, 0.1, 1000, 0.5) == 0.1
    assert Constant().after_plateau(0.1) is None


def test_inverse_scaling_falls_with_the_samples_seen():
    assert InverseScaling(power_t=0.5).next_rate(0.1, 0.2, 99, 0.5) == pytest.approx(0.02)
    assert InverseScaling(power_t=1).next_rate(0.1, 0.2, 0, 0) == 0.2


def test_adaptive_divides_by_five_until_the_rate_is_tiny():
    rate, rates = 1e-4, []
    while rate is not None:
        rates.append(rate)
        rate = Adaptive().after_plateau(rate)
    assert rates == pytest.approx([1e-4, 2e-5, 4e-6, 8e-7])


@pytest.mark.parametrize("name", SCHEDULES)
def test_rates_are_positive_and_begin_at_the_initial_one(name):
    schedule = SCHEDULES[name]()
    assert schedule.next_rate(0.3, 0.3, 0, 0.0) == pytest.approx(0.3)
    assert schedule.next_rate(0.3, 0.3, 5000, 0.9) > 0
