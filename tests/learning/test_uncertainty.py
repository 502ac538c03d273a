"""Coverage and calibration, on errors drawn from the law that was claimed, and from another."""

from math import erf, sqrt

import numpy as np
import pytest

from course_lib.learning import committee_scale, coverage

RNG = np.random.default_rng(0)
DEVIATIONS = np.exp(RNG.normal(size=40_000))
ERRORS = DEVIATIONS * RNG.normal(size=40_000)


def test_honest_deviations_cover_what_the_normal_law_says():
    expected = [erf(width / sqrt(2)) for width in (0.5, 1, 2, 3)]
    np.testing.assert_allclose(coverage(ERRORS, DEVIATIONS, (0.5, 1, 2, 3)), expected, atol=0.012)  # four standard errors
    assert coverage(ERRORS, DEVIATIONS) == pytest.approx([0.683, 0.954], abs=0.01)


def test_one_factor_mends_deviations_that_are_too_narrow_by_one_factor():
    narrow = DEVIATIONS / 1.7
    assert coverage(ERRORS, narrow)[0] < 0.46
    assert committee_scale(ERRORS, narrow) == pytest.approx(1.7, rel=0.015)
    half = slice(None, 20_000), slice(20_000, None)
    scale = committee_scale(ERRORS[half[0]], narrow[half[0]])
    assert coverage(ERRORS[half[1]], scale * narrow[half[1]]) == pytest.approx([0.683, 0.954], abs=0.012)


def test_one_factor_cannot_mend_deviations_that_know_nothing():
    shuffled = RNG.permutation(DEVIATIONS)
    covered = coverage(ERRORS, committee_scale(ERRORS, shuffled) * shuffled)
    assert covered[0] > 0.75  # most are safe, and those that are not are far out
    assert (np.abs(ERRORS) > 4 * committee_scale(ERRORS, shuffled) * shuffled).mean() > 30 * (1 - erf(4 / sqrt(2)))


def test_a_committee_of_few_gets_a_factor_above_one_even_when_it_is_honest():
    members = 8
    answers = RNG.normal(size=(members, 100_000))  # as far apart as the truth is from any of them
    errors = RNG.normal(size=100_000)
    expected = sqrt((members - 1) / (members - 3))
    assert committee_scale(errors, answers.std(axis=0, ddof=1)) == pytest.approx(expected, rel=0.02)


@pytest.mark.parametrize("errors, deviations, message", [
    ([1.0, 2.0], [1.0], r"shape \(2,\) beside deviations of \(1,\)"), ([], [], "at least one error"),
    ([1.0, 2.0], [1.0, 0.0], "deviation 1 is 0"), ([1.0], [np.nan], "deviation 0 is nan")])
def test_what_cannot_be_compared_is_refused(errors, deviations, message):
    for measure in (coverage, committee_scale):
        with pytest.raises(ValueError, match=message):
            measure(errors, deviations)
