"""Fourier transform on the sphere S²: from values on a grid to coefficients of the real spherical harmonics, and back.

    f(r̂) = Σ_lm f̂_lm Y_lm(r̂),   f̂_lm = ∫ f(r̂) Y_lm(r̂) dr̂,   l ≤ l_max

A harmonic is a function of θ times cos mφ or sin |m|φ. So the integral is one fast Fourier transform along φ, and then one
small matrix for each m along θ (Driscoll & Healy, Adv. Appl. Math. 15, 202 (1994); Cohen, Geiger, Köhler & Welling, ICLR 2018,
arXiv 1801.10130, section 4). The grid is `symmetry.sphere_quadrature`, Gauss–Legendre in cos θ and equal steps in φ.
*Exact*, to rounding, is f̂ of every f without degrees above degree − l_max, and f again from its f̂ if it has none above l_max.
Degrees higher still are *aliased*: the grid takes them for lower ones.
"""

from functools import cache

import numpy as np
import torch
from scipy.fft import next_fast_len

from course_lib.symmetry import sphere_quadrature, spherical_harmonics


class SphericalFourier:
    """The transform of real functions up to `l_max`, on a grid that integrates polynomials up to `degree` exactly.

    degree: at least 2 l_max, which is exact for all f up to l_max, and by default not much more; the grid has degree // 2 + 1
        rings of degree + 1 points. Raises ValueError for a negative l_max and a lower degree

    Values are (…, n), at the n `directions` (n, 3); coefficients (…, (l_max + 1)²), entry l² + l + m, as in all of the course.
    """

    def __init__(self, l_max: int, degree: int | None = None) -> None:
        self.l_max, self.degree = l_max, checked_degree(l_max, degree)
        self.directions = sphere_quadrature(self.degree)[0]

    def analysis(self, values: torch.Tensor) -> torch.Tensor:
        """f̂ (…, (l_max + 1)²) of values (…, n). Raises ValueError for another number of values."""
        if values.shape[-1] != len(self.directions):
            raise ValueError(f"values have shape {tuple(values.shape)}; the last axis must hold those at the "
                             f"{len(self.directions)} directions of the grid")
        weighted, _, rows, _ = _tables(self.l_max, self.degree, values.dtype, values.device)
        f = values.reshape(-1, self.degree // 2 + 1, self.degree + 1)                     # (batch, θ, φ)
        f = torch.fft.ihfft(f, norm="forward")[..., :self.l_max + 1]                      # Σ_φ f exp(imφ), m ≥ 0
        f = torch.view_as_real(f.resolve_conj()).permute(2, 1, 3, 0)                      # (m, θ, cos or sin, batch)
        f = torch.bmm(weighted, f.reshape(self.l_max + 1, f.shape[1], -1))                # (m, l, …)
        return f.view(-1, values[..., 0].numel()).index_select(0, rows).mT.reshape(*values.shape[:-1], -1)

    def synthesis(self, coefficients: torch.Tensor) -> torch.Tensor:
        """Values (…, n) of f̂ (…, (l_max + 1)²). Raises ValueError for another number of coefficients."""
        if coefficients.shape[-1] != (self.l_max + 1) ** 2:
            raise ValueError(f"coefficients have shape {tuple(coefficients.shape)}; the last axis must hold (l_max + 1)² = "
                             f"{(self.l_max + 1) ** 2}")
        _, harmonics, rows, halves = _tables(self.l_max, self.degree, coefficients.dtype, coefficients.device)
        f, L = (coefficients.reshape(-1, coefficients.shape[-1]) * halves).mT, self.l_max   # of exp(imφ), m ≥ 0
        f = f.new_zeros(2 * (L + 1) ** 2, f.shape[1]).index_copy(0, rows, f).view(L + 1, L + 1, -1)
        f = torch.bmm(harmonics, f).view(L + 1, self.degree // 2 + 1, 2, -1)              # (m, θ, cos or sin, batch)
        f = torch.complex(*f.permute(2, 3, 1, 0).unbind(0))                               # (batch, θ, m)
        return torch.fft.irfft(f, self.degree + 1, norm="forward").reshape(*coefficients.shape[:-1], -1)


def checked_degree(l_max: int, degree: int | None) -> int:
    """`degree`, or by default 2 l_max and what is missing to a number of points, degree + 1, that fast Fourier transforms like.

    Raises ValueError for a negative l_max and for a degree below 2 l_max, on whose grid degrees up to l_max look alike.
    """
    degree = next_fast_len(2 * max(l_max, 0) + 1, real=True) - 1 if degree is None else degree
    if not 0 <= 2 * l_max <= degree:
        raise ValueError(f"l_max is {l_max} and the degree of the quadrature {degree}; take l_max ≥ 0 and a degree ≥ 2 l_max")
    return degree


@cache
def _tables(l_max: int, degree: int, dtype: torch.dtype, device: torch.device) -> tuple[torch.Tensor, ...]:
    """Y_lm at φ = 0, with weights (m, l, θ), and without (m, θ, l); which row (m, l, cos or sin) is f̂_lm; and what of f̂_lm is
    the coefficient of exp(imφ): a half, since −m has the other, and minus it for sines.
    """
    points, weights = sphere_quadrature(degree)
    first = slice(None, None, degree + 1)
    harmonics = np.zeros((l_max + 1, l_max + 1, degree // 2 + 1))
    l, m = np.tril_indices(l_max + 1)
    harmonics[m, l] = spherical_harmonics(l_max, points[first])[:, l * l + l + m].T
    l = np.repeat(np.arange(l_max + 1), 2 * np.arange(l_max + 1) + 1)
    m = np.arange((l_max + 1) ** 2) - l * l - l
    rows = 2 * ((l_max + 1) * abs(m) + l) + (m < 0)
    return (torch.tensor(harmonics * weights[first], dtype=dtype, device=device),
            torch.tensor(harmonics.transpose(0, 2, 1).copy(), dtype=dtype, device=device),
            torch.tensor(rows, device=device), torch.tensor(np.where(m, np.sign(m) / 2, 1.0), dtype=dtype, device=device))
