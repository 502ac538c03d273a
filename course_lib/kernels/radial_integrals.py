"""How far a Gaussian at distance r reaches into each radial function: the integrals of the density expansion.

A Gaussian exp(−|x − r|² / 2σ²) has the coefficients g_nl(r) Y_lm(r̂) in the basis R_nl(x) Y_lm(x̂), with

    g_nl(r) = 4π ∫ x² R_nl(x) exp(−(x² + r²) / 2σ²) i_l(xr / σ²) dx,

i_l the modified spherical Bessel function: Bartók, Kondor, Csányi, Phys. Rev. B 87, 184115 (2013), section III D. For
Gaussian orbitals the integral is a confluent hypergeometric function, for others a Gauss–Legendre sum where the Gaussian is
not negligible. Neither overflows: what grows exponentially is multiplied out first. Since g is smooth it is tabulated
once as a Chebyshev series, and a hundred thousand neighbours cost one matrix product.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.polynomial.chebyshev import chebder, chebvander
from scipy.special import gamma, hyp1f1, ive

from course_lib.structures import GaussianTypeOrbitals

ACCURACY = 1e-10
"""Largest error of a table, relative to the largest integral; where rounding allows it is a thousand times smaller."""


def radial_integrals(basis: Callable, l_max: int, width: float, distances: np.ndarray) -> np.ndarray:
    """g_nl(r): (E, l_max + 1, n) for `distances` (E,) and Gaussians of `width` σ, both in Å.

    basis: `GaussianTypeOrbitals`, integrated analytically over all space, or a radial basis with a `cutoff`, such as
    `PolynomialBasis`, by quadrature up to its cutoff.
    """
    if isinstance(basis, GaussianTypeOrbitals):
        return _analytic(basis, l_max, width, distances)
    return _quadrature(basis, l_max, width, distances)


def _analytic(basis: GaussianTypeOrbitals, l_max: int, width: float, distances: np.ndarray) -> np.ndarray:
    """∫₀^∞ xᵖ⁺² exp(−βx²) i_l(bx) dx = √π Γ(a) / (4 Γ(c)) zˡᐟ² β^(−(p+3)/2) ₁F₁(a; c; z) with a = (p + l + 3) / 2,
    c = l + 3/2, z = b² / 4β (DLMF 10.32, 13.4), and ₁F₁(a; c; z) = eᶻ ₁F₁(c − a; c; −z) joins the decaying exponential."""
    r = distances[:, None, None]
    l, p, alpha = np.arange(l_max + 1)[:, None], basis.powers, basis.exponents
    beta, softened = alpha + 0.5 / width**2, 1 + 2 * alpha * width**2
    a, c, z = (p + l + 3) / 2, l + 1.5, r**2 / (2 * width**2 * softened)
    primitives = (np.pi**1.5 * gamma(a) / gamma(c) * z ** (l / 2) * beta ** (-(p + 3) / 2)
                  * np.exp(-alpha * r**2 / softened) * hyp1f1(c - a, c, -z))
    return (basis.transform @ (basis.prefactors * primitives)[..., None])[..., 0]


def _quadrature(basis: Callable, l_max: int, width: float, distances: np.ndarray) -> np.ndarray:
    low, high = np.maximum(distances - 9 * width, 0), np.minimum(distances + 9 * width, basis.cutoff)
    nodes, weights = np.polynomial.legendre.leggauss(160)
    x = low[:, None] + (high - low)[:, None] * (nodes + 1) / 2
    near = 2 * np.pi * weights * (high - low)[:, None] * x**2 * np.exp(-0.5 * ((x - distances[:, None]) / width) ** 2)
    bent = np.maximum(x * distances[:, None] / width**2, 1e-30)
    bessel = np.sqrt(np.pi / (2 * bent)) * ive(np.arange(l_max + 1)[:, None, None] + 0.5, bent)  # i_l(t) exp(−t)
    return np.einsum("leq,eqn->eln", bessel * near, basis(x), optimize=True)


@dataclass(frozen=True, eq=False)
class RadialTable:
    """g_nl(r) and its slope as Chebyshev series on [0, reach], for any number of distances at once.

    series: (D, l_max + 1, n)
    """

    reach: float
    series: np.ndarray

    @classmethod
    def of(cls, integrals: Callable[[np.ndarray], np.ndarray], reach: float) -> "RadialTable":
        """Double the number of terms until the series meets `integrals` (E,) → (E, l_max + 1, n) also between its nodes, then
        once more. Raises ValueError when 2048 terms do not suffice.
        """
        between = reach * np.linspace(0, 1, 151)
        exact = integrals(between)
        size = abs(exact).max()
        for terms in 2 ** np.arange(4, 11):
            if abs(cls._fitted(integrals, reach, terms)(between) - exact).max() < ACCURACY * size:
                series = cls._fitted(integrals, reach, 2 * terms).series
                needed = np.flatnonzero(abs(series).max(axis=(1, 2)) > 1e-3 * ACCURACY * size)[-1] + 1
                return cls(reach, series[:needed])
        raise ValueError(f"no table of radial integrals reaches an accuracy of {ACCURACY:.0e}: the Gaussians are too narrow, "
                         "or n_max is too large for Gaussian orbitals; widen them, lower n_max or take the polynomial basis")

    @classmethod
    def _fitted(cls, integrals: Callable, reach: float, terms: int) -> "RadialTable":
        nodes = np.cos(np.pi * (np.arange(terms) + 0.5) / terms)
        values = integrals(reach * (nodes + 1) / 2)
        return cls(reach, np.linalg.solve(chebvander(nodes, terms - 1), values.reshape(terms, -1)).reshape(values.shape))

    def __call__(self, distances: np.ndarray) -> np.ndarray:
        """(E, l_max + 1, n)."""
        return self._sum(self.series, self._terms(distances))

    def with_slopes(self, distances: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """g and dg/dr, each (E, l_max + 1, n)."""
        terms = self._terms(distances)
        return self._sum(self.series, terms), self._sum(2 / self.reach * chebder(self.series), terms)

    def _terms(self, distances: np.ndarray) -> np.ndarray:
        return chebvander(2 * distances / self.reach - 1, len(self.series) - 1)

    @staticmethod
    def _sum(series: np.ndarray, terms: np.ndarray) -> np.ndarray:
        return (terms[:, :len(series)] @ series.reshape(len(series), -1)).reshape(-1, *series.shape[1:])
