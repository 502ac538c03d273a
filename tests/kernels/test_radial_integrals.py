"""The integrals of Gaussians with radial functions against adaptive quadrature and limits known in closed form."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import ive

from course_lib.kernels.radial_integrals import RadialTable, radial_integrals
from course_lib.structures import BesselBasis, GaussianTypeOrbitals, PolynomialBasis

RC = 5.0
FEATOMIC, DSCRIBE = GaussianTypeOrbitals.featomic(RC, 6), GaussianTypeOrbitals.dscribe(RC, 4, 3)
POLYNOMIAL = PolynomialBasis(RC, 6)


def by_definition(radial, l, width, r, reach):
    """4π ∫ x² R(x) exp(−(x² + r²)/2σ²) i_l(xr/σ²) dx where the integrand is not negligible."""
    def integrand(x):
        t = max(x * r / width**2, 1e-30)
        return 4 * np.pi * x**2 * radial(x) * np.exp(-0.5 * ((x - r) / width) ** 2) * np.sqrt(np.pi / (2 * t)) * ive(l + 0.5, t)

    low, high = max(r - 12 * width, 0), min(r + 12 * width, reach)
    return quad(integrand, low, high, epsabs=0, epsrel=1e-11, limit=200)[0]


@pytest.mark.parametrize("basis, reach", [(FEATOMIC, 40), (DSCRIBE, 40), (POLYNOMIAL, RC), (BesselBasis(RC, 3), RC)])
@pytest.mark.parametrize("width", [0.02, 0.5, 4.0])
def test_they_are_the_integrals_of_the_definition(basis, reach, width):
    distances = np.array([1e-6, 0.3, 2.0, 4.9])
    ours = radial_integrals(basis, 3, width, distances)
    for l in range(4):
        for n in (0, ours.shape[2] - 1):
            def radial(x, l=l, n=n):
                values = basis(np.array([x]))[0]
                return values[..., n] if values.ndim == 1 else values[min(l, len(values) - 1), n]

            expected = [by_definition(radial, l, width, r, reach) for r in distances]
            np.testing.assert_allclose(ours[:, l, n], expected, atol=1e-9 * abs(ours).max())


@pytest.mark.parametrize("basis, width", [(FEATOMIC, 1e-3), (FEATOMIC, 1e-7), (POLYNOMIAL, 1e-3)])
def test_a_gaussian_much_narrower_than_its_distance_samples_the_radial_function(basis, width):
    r = np.array([0.5, 2.0, 4.9])
    sampled = basis(r).reshape(3, 1, 6) * (2 * np.pi * width**2) ** 1.5
    ours = radial_integrals(basis, 8, width, r)
    np.testing.assert_allclose(ours, np.broadcast_to(sampled, ours.shape), atol=2e3 * width**2 * abs(sampled).max())


@pytest.mark.parametrize("basis", [FEATOMIC, POLYNOMIAL])
@pytest.mark.parametrize("width", [1e-2, 0.5, 30.0])
def test_at_the_centre_only_the_sphere_is_left_and_nothing_overflows(basis, width):
    ours = radial_integrals(basis, 9, width, np.array([0.0, 1e-12, RC]))
    assert np.isfinite(ours).all()
    assert abs(ours[0, 0]).max() > 0 and abs(ours[0, 1:]).max() < 1e-25
    np.testing.assert_allclose(ours[1], ours[0], atol=1e-9 * abs(ours[0]).max())


@pytest.mark.parametrize("width", [0.05, 0.5, 2.0])
@pytest.mark.parametrize("basis", [GaussianTypeOrbitals.featomic(RC, 12), POLYNOMIAL], ids=["gto", "polynomial"])
def test_the_table_and_its_slope_are_the_integrals_and_theirs(basis, width):
    def exact(r):
        return radial_integrals(basis, 6, width, r)

    table, h = RadialTable.of(exact, RC), 1e-3 * min(width, 1)
    r = np.random.default_rng(0).uniform(0.01, RC - 0.01, 200)
    values, slopes = table.with_slopes(r)
    size = abs(exact(r)).max()
    assert abs(values - exact(r)).max() < 1e-10 * size
    assert np.array_equal(values, table(r))
    difference = (8 * (exact(r + h) - exact(r - h)) - exact(r + 2 * h) + exact(r - 2 * h)) / (12 * h)
    assert abs(slopes - difference).max() < 1e-7 * abs(slopes).max()


def test_gaussians_too_narrow_for_a_table_are_refused_and_narrow_ones_cost_more_terms():
    def table(width):
        return RadialTable.of(lambda r: radial_integrals(FEATOMIC, 2, width, r), RC)

    assert 30 < len(table(0.5).series) < len(table(0.05).series) < 200
    with pytest.raises(ValueError, match="the Gaussians are too narrow"):
        RadialTable.of(lambda r: np.exp(-1e9 * (r - 2) ** 2)[:, None, None], RC)
