import math

import pytest

from benchmarks.growth import Measured, exponents


def taken(rows: int, seconds: float) -> Measured:
    return Measured(rows, {"session": [2.0, 4.0], "job": [seconds, 2 * seconds], "read": [1.0, 1.0]}, {})


def test_seconds_are_those_of_session_and_job():
    assert (taken(1, 3.0).wall, taken(1, 3.0).cpu) == (5.0, 10.0)


@pytest.mark.parametrize(("seconds", "power"), [(11.0, 1.0), (2.0, 0.0), (101.0, 2.0)])
def test_growth_is_over_the_fixed_cost(seconds, power):
    assert exponents(taken(1, 1.0), taken(100, 2.0), taken(1000, seconds)) == pytest.approx((power, power))


def test_there_is_no_growth_over_a_fixed_cost_that_was_not_reached():
    assert all(map(math.isnan, exponents(taken(1, 2.0), taken(100, 2.0), taken(1000, 3.0))))
