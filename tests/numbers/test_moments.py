"""Second moments: what sums, rectifiers and squashing do to the size of normal variables."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nanlint.numbers.moments import (
    ZERO,
    Moment,
    Weights,
    add,
    arc_cosine,
    from_mean,
    linear,
    log_sum,
    over_eps,
    rectified,
    saturating,
)

SHARES = st.floats(0, 1)
LOGS = st.floats(-300, 300)
MOMENTS = st.builds(lambda log, common, part: Moment(log, common, common * part), LOGS, SHARES, SHARES)


def test_a_constant_is_all_mean_and_all_common() -> None:
    moment = from_mean(3.0, 0.0)
    assert moment.rms == pytest.approx(3)
    assert (moment.common, moment.mean) == (1, 1)


def test_a_linear_layer_multiplies_by_fan_in_and_weight_variance() -> None:
    top = linear(Moment(0.0), Weights(math.log(0.01)), 100)
    assert top.rms == pytest.approx(1)
    assert top.mean == 0


def test_positive_weights_on_positive_inputs_add_up() -> None:
    ones = from_mean(1.0, 0.0)
    assert linear(ones, Weights(0.0, 1.0), 10).rms == pytest.approx(10)


def test_a_relu_halves_the_second_moment_of_centred_values() -> None:
    top = rectified(Moment(0.0))
    assert math.exp(top.log) == pytest.approx(0.5)
    assert top.mean == pytest.approx(1 / math.pi)


def test_a_relu_keeps_positive_values() -> None:
    assert rectified(from_mean(5.0, 0.01)).rms == pytest.approx(from_mean(5.0, 0.01).rms)


def test_equal_samples_stay_equal_under_a_relu() -> None:
    assert rectified(Moment(0.0, 1.0)).common == pytest.approx(1)
    assert arc_cosine(0.0) == pytest.approx(1 / math.pi)


def test_independent_blobs_add_their_squares_and_means_add_up() -> None:
    assert math.exp(add(Moment(0.0), Moment(0.0)).log) == pytest.approx(2)
    assert math.exp(add(from_mean(1, 0), from_mean(1, 0)).log) == pytest.approx(4)


def test_a_squashed_value_is_linear_below_and_bounded_above() -> None:
    assert saturating(Moment(-20.0), 1.0, 1.0).log == pytest.approx(-20, abs=1e-6)
    assert saturating(Moment(50.0), 1.0, 1.0).log == pytest.approx(0, abs=1e-6)


def test_normalising_nothing_gives_nothing() -> None:
    assert over_eps(-math.inf, 1e-5) == -math.inf
    assert over_eps(10.0, 1e-5) == pytest.approx(0, abs=1e-6)


@given(MOMENTS, MOMENTS, st.floats(0, 1))
def test_shares_stay_shares(one: Moment, other: Moment, slope: float) -> None:
    for moment in (add(one, other), rectified(one, slope), linear(one, Weights(other.log, other.mean), 9)):
        assert 0 <= moment.mean <= 1
        assert 0 <= moment.common <= 1
        assert not math.isnan(moment.log)


def test_zero_stays_zero() -> None:
    assert rectified(ZERO) == ZERO
    assert linear(ZERO, Weights(0.0), 10) == ZERO
    assert log_sum() == -math.inf


def test_sums_of_less_than_one_product_have_no_negative_mean() -> None:
    assert linear(Moment(0.0, 0.5, 0.5), Weights(0.0, 1.0), 0.25).mean == 0
