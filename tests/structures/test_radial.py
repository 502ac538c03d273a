import numpy as np
import pytest
import torch
from scipy.integrate import quad

from course_lib.structures import BesselBasis, GaussianBasis, GaussianTypeOrbitals, PolynomialBasis

RC = 5.0
DSCRIBE, FEATOMIC = GaussianTypeOrbitals.dscribe(RC, 4, 3), GaussianTypeOrbitals.featomic(RC, 6)
BASES = {"gaussian": GaussianBasis(RC, 20), "late gaussian": GaussianBasis(RC, 8, start=0.7), "bessel": BesselBasis(RC, 8),
         "polynomial": PolynomialBasis(RC, 8), "one polynomial": PolynomialBasis(RC, 1), "two": PolynomialBasis(RC, 2),
         "gto dscribe": DSCRIBE, "gto featomic": FEATOMIC}
each_basis = pytest.mark.parametrize("basis", BASES.values(), ids=BASES)
r = np.linspace(0.02, 4.98, 249)


def overlap(functions, end):
    """Gauss–Legendre quadrature of r² dr, all pairs of the last axis."""
    nodes, weights = np.polynomial.legendre.leggauss(400)
    x, w = end / 2 * (nodes + 1), end / 2 * weights
    values = functions(x)
    return np.einsum("q...n,q...m,q->...nm", values, values, w * x**2)


@each_basis
def test_derivative_is_the_finite_difference_and_torchs_own(basis):
    h = 1e-5
    np.testing.assert_allclose(basis.derivative(r), (basis(r + h) - basis(r - h)) / (2 * h), atol=2e-7)
    direction = np.random.default_rng(0).normal(size=basis(r).shape)
    distances = torch.tensor(r, requires_grad=True)
    (basis(distances) * torch.tensor(direction)).sum().backward()
    expected = (basis.derivative(r) * direction).reshape(len(r), -1).sum(axis=1)
    np.testing.assert_allclose(distances.grad, expected, atol=1e-9)


@each_basis
def test_numpy_and_torch_agree_in_shape_dtype_and_value(basis):
    grid = r[:12].reshape(3, 4)
    for dtype, tolerance in ((torch.float64, 1e-11), (torch.float32, 1e-3)):
        value, slope = basis(torch.tensor(grid, dtype=dtype)), basis.derivative(torch.tensor(grid, dtype=dtype))
        assert value.dtype == slope.dtype == dtype and value.shape == slope.shape == basis(grid).shape
        np.testing.assert_allclose(value, basis(grid), atol=tolerance)
    assert basis(grid.astype(np.float32)).dtype == np.float32


@pytest.mark.parametrize("basis", [BesselBasis(RC, 20), PolynomialBasis(RC, 1), PolynomialBasis(RC, 30)], ids=repr)
def test_orthonormal_in_the_ball(basis):
    np.testing.assert_allclose(overlap(basis, RC), np.eye(basis.n), atol=1e-12)


@pytest.mark.parametrize("basis", [DSCRIBE, FEATOMIC], ids=["dscribe", "featomic"])
def test_gaussian_type_orbitals_are_orthonormal_in_space(basis):
    size = basis.powers.shape[1]
    np.testing.assert_allclose(overlap(basis, 40.0), np.broadcast_to(np.eye(size), (len(basis.powers), size, size)), atol=1e-10)


def test_gaussians_are_not_orthonormal():
    assert abs(overlap(GaussianBasis(RC, 20), RC) - np.eye(20)).max() > 0.1


def test_gaussian_smearing_is_schnets_formula():
    centres = np.linspace(0, RC, 20)
    width = centres[1] - centres[0]
    np.testing.assert_allclose(GaussianBasis(RC, 20)(r), np.exp(-0.5 * (r[:, None] - centres) ** 2 / width**2), rtol=1e-12)


def test_bessel_is_dimenets_formula_and_finite_at_the_origin():
    n = np.arange(1, 9)
    expected = np.sqrt(2 / RC) * np.sin(n * np.pi * r[:, None] / RC) / r[:, None]
    np.testing.assert_allclose(BesselBasis(RC, 8)(r), expected, atol=1e-12)
    np.testing.assert_allclose(BesselBasis(RC, 8)(np.zeros(1))[0], np.sqrt(2 / RC) * n * np.pi / RC)
    assert not BesselBasis(RC, 8).derivative(np.zeros(1)).any()
    zero = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    BesselBasis(RC, 8)(zero).sum().backward()
    assert torch.isfinite(zero.grad).all()


def test_bessel_derivative_is_the_same_on_both_sides_of_its_series():
    k = np.pi / RC
    near = np.array([0.01 / k * (1 - 1e-9), 0.01 / k * (1 + 1e-9)])
    below, above = BesselBasis(RC, 1).derivative(near)[:, 0]
    assert above == pytest.approx(below, rel=1e-8)


def test_polynomials_span_the_powers_of_the_soap_paper_in_their_order():
    powers = (RC - r[:, None]) ** np.arange(2, 8)
    for n in range(1, 7):
        coefficients, _, rank, _ = np.linalg.lstsq(powers[:, :n], PolynomialBasis(RC, n)(r), rcond=None)
        assert rank == n
        np.testing.assert_allclose(powers[:, :n] @ coefficients, PolynomialBasis(RC, n)(r), atol=1e-9)


def test_polynomials_vanish_with_their_slope_at_the_cutoff_and_beyond():
    basis = PolynomialBasis(RC, 8)
    assert not basis(np.array([RC, 6.0])).any() and not basis.derivative(np.array([RC, 6.0])).any()
    assert abs(basis(np.array([RC - 1e-6]))).max() < 1e-9


def test_bessel_reaches_the_cutoff_with_a_slope():
    assert abs(BesselBasis(RC, 8).derivative(np.array([RC]))).min() > 0.05


def test_dscribe_primitives_have_decayed_to_a_thousandth_at_their_radius():
    for l in range(4):
        decay = np.linspace(1, RC, 4)
        np.testing.assert_allclose(decay**l * np.exp(-DSCRIBE.exponents[l] * decay**2), 1e-3, rtol=1e-12)
        assert (DSCRIBE.powers[l] == l).all()


def test_featomic_primitives_are_normalised_gaussians_of_librascals_widths():
    for n in range(6):
        width = RC * max(np.sqrt(n), 1) / 6
        norm = quad(lambda x, n=n, w=width: x**2 * (x**n * np.exp(-0.5 * x**2 / w**2)) ** 2, 0, 40)[0]
        assert FEATOMIC.exponents[0, n] == pytest.approx(0.5 / width**2)
        assert FEATOMIC.prefactors[0, n] == pytest.approx(norm**-0.5, rel=1e-7)


def test_loewdins_transform_is_symmetric_and_the_inverse_root():
    from scipy.linalg import inv, sqrtm

    powers, exponents = DSCRIBE.powers[2], DSCRIBE.exponents[2]
    gram = np.array([[quad(lambda x, a=a, b=b: x ** (2 + 2 * powers[0]) * np.exp(-(a + b) * x**2), 0, 40)[0]
                      for a in exponents] for b in exponents])
    np.testing.assert_allclose(DSCRIBE.transform[2], sqrtm(inv(gram)).real, rtol=1e-5)
    np.testing.assert_allclose(DSCRIBE.transform, DSCRIBE.transform.swapaxes(1, 2), rtol=1e-9)


def test_dependent_orbitals_bad_sizes_and_bad_cutoffs_are_refused():
    with pytest.raises(ValueError, match="smaller n_max"):
        GaussianTypeOrbitals.featomic(RC, 24)
    with pytest.raises(ValueError, match="above 1 Å"):
        GaussianTypeOrbitals.dscribe(0.9, 4, 2)
    for make in (GaussianBasis, BesselBasis, PolynomialBasis, GaussianTypeOrbitals.featomic):
        with pytest.raises(ValueError, match="n = 0"):
            make(RC, 0)
        with pytest.raises(ValueError, match="positive length"):
            make(-RC, 4)
    with pytest.raises(ValueError, match="start < cutoff"):
        GaussianBasis(RC, 8, start=6.0)


@pytest.mark.parametrize("basis", [BesselBasis(5.0, 3), GaussianBasis(5.0, 4), GaussianTypeOrbitals.featomic(5.0, 3)])
def test_whole_numbers_are_distances_too(basis):
    assert np.abs(basis(np.array([1, 2])) - basis(np.array([1.0, 2.0]))).max() < 1e-14
