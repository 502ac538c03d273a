import numpy as np
import pytest
import torch

from course_lib.structures import CosineCutoff, PolynomialCutoff, QuinticSwitch

RC = 5.0
FUNCTIONS = [CosineCutoff(RC), CosineCutoff(RC, onset=RC - 0.5), PolynomialCutoff(RC), PolynomialCutoff(RC, p=3, onset=1.0),
             QuinticSwitch(RC, onset=2.0), QuinticSwitch(RC)]
TWICE = [f for f in FUNCTIONS if not isinstance(f, CosineCutoff)]
r = np.linspace(0.0, 7.0, 701)


def test_cosine_is_the_formula_of_behler_and_parrinello():
    expected = np.where(r < RC, 0.5 * (np.cos(np.pi * r / RC) + 1), 0)
    np.testing.assert_allclose(CosineCutoff(RC)(r), expected, atol=1e-15)


def test_cosine_with_an_onset_is_the_shifted_cosine_of_gap():
    width = 0.5
    inside = 0.5 * (1 + np.cos(np.pi * (r - RC + width) / width))
    expected = np.where(r < RC - width, 1, np.where(r < RC, inside, 0))
    np.testing.assert_allclose(CosineCutoff(RC, onset=RC - width)(r), expected, atol=1e-14)


def test_polynomial_with_p_6_is_dimenets_envelope():
    x = r / RC
    np.testing.assert_allclose(PolynomialCutoff(RC)(r), np.where(x < 1, 1 - 28 * x**6 + 48 * x**7 - 21 * x**8, 0), atol=1e-13)


def test_quintic_is_the_switch_of_deepmd():
    u = (r - 2.0) / (RC - 2.0)
    expected = np.where(u < 0, 1, np.where(u < 1, -6 * u**5 + 15 * u**4 - 10 * u**3 + 1, 0))
    np.testing.assert_allclose(QuinticSwitch(RC, onset=2.0)(r), expected, atol=1e-13)


@pytest.mark.parametrize("f", FUNCTIONS, ids=repr)
def test_derivative_is_the_finite_difference_and_torchs_own(f):
    h = 1e-5
    inner = r[(np.abs(r - RC) > 1e-3) & (np.abs(r - f.onset) > 1e-3) & (r > 1e-3)]
    np.testing.assert_allclose(f.derivative(inner), (f(inner + h) - f(inner - h)) / (2 * h), atol=1e-7)
    distances = torch.tensor(inner, requires_grad=True)
    f(distances).sum().backward()
    np.testing.assert_allclose(f.derivative(inner), distances.grad, atol=1e-13)


@pytest.mark.parametrize("f", FUNCTIONS, ids=repr)
def test_falls_from_one_to_exactly_zero_without_a_kink(f):
    assert f(np.array([0.0, f.onset])).tolist() == [1, 1]
    assert not f(r[r >= RC]).any() and not f.derivative(r[r >= RC]).any()
    assert (np.diff(f(r)) <= 1e-15).all()
    assert abs(f.derivative(np.array([RC - 1e-9, f.onset + 1e-9]))).max() < 1e-6


def curvature_below_cutoff(f):
    h = 1e-6
    return f.derivative(np.array([RC - h]))[0] / -h


@pytest.mark.parametrize("f", TWICE, ids=repr)
def test_polynomials_are_twice_differentiable_at_the_cutoff(f):
    assert abs(curvature_below_cutoff(f)) < 1e-4


def test_the_cosine_is_not_twice_differentiable_at_the_cutoff():
    assert curvature_below_cutoff(CosineCutoff(RC)) == pytest.approx(np.pi**2 / (2 * RC**2), rel=1e-4)


@pytest.mark.parametrize("f", FUNCTIONS, ids=repr)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_torch_keeps_dtype_and_agrees_with_numpy(f, dtype):
    values = f(torch.tensor(r, dtype=dtype))
    assert values.dtype == dtype
    # differences grow with the slope of f, below 4/Å, and the rounding of powers
    np.testing.assert_allclose(values, f(r), atol=200 * torch.finfo(dtype).eps)


@pytest.mark.parametrize("cutoff", [0, -1.0, np.nan, np.inf])
def test_cutoffs_that_are_no_lengths_are_refused(cutoff):
    with pytest.raises(ValueError, match="positive length"):
        CosineCutoff(cutoff)


def test_an_onset_outside_the_cutoff_and_a_cusp_are_refused():
    for onset in (5.0, 6.0, -0.1):
        with pytest.raises(ValueError, match="onset"):
            QuinticSwitch(5.0, onset=onset)
    with pytest.raises(ValueError, match="p must be at least 2"):
        PolynomialCutoff(5.0, p=1)
