"""Solid harmonic wavelets: a polynomial that turns like a spherical harmonic, under a Gaussian.

    ψ_jlm(r) = c_l σ_j⁻³ (r/σ_j)^l e^{−r²/2σ_j²} Y_lm(r̂),                        σ_j = 2^j σ_0
    ψ̂_jlm(k) = (2π)^{3/2} c_l (−i)^l (σ_j k)^l e^{−σ_j²k²/2} Y_lm(k̂)

(Eickenberg, Exarchakis, Hirn, Mallat & Thiry, J. Chem. Phys. 148, 241732 (2018); c_l, as in kymatio, makes the integral of
(Σ_m |ψ_jlm|²)^{1/2} one.) A solid harmonic Gaussian is its own Fourier transform, and remains one when a Gaussian is
convolved with it, so one function serves for fields in space and for filters in frequency: `solid_gaussians`.
"""

from collections.abc import Sequence
from functools import cache
from math import gamma, pi, sqrt

import numpy as np
import torch

from course_lib.symmetry import random_rotations, spherical_harmonics


def amplitude(l: int) -> float:
    """c_l."""
    return 1 / (sqrt(4 * pi * (2 * l + 1)) * 2 ** ((l + 1) / 2) * gamma((l + 3) / 2))


@cache
def solid_harmonic(l: int) -> np.ndarray:
    """Coefficients (2l + 1, l + 1, l + 1, l + 1) of x^a y^b z^c in r^l Y_lm, found from values at random directions."""
    a, b = np.array([(a, b) for a in range(l + 1) for b in range(l + 1 - a)]).T
    points = random_rotations(4 * len(a) + 4, np.random.default_rng(0))[:, 0]
    x, y, z = points.T[:, :, None]
    values = spherical_harmonics(l, points)[:, l * l:]
    coefficients = np.zeros((2 * l + 1, l + 1, l + 1, l + 1))
    found = np.linalg.lstsq(x**a * y**b * z ** (l - a - b), values)[0].T
    coefficients[:, a, b, l - a - b] = np.where(np.abs(found) > 1e-12, found, 0)
    return coefficients


def axis_powers(l_max: int, distances: torch.Tensor) -> torch.Tensor:
    """u^p e^{−u²/2} (…, l_max + 1, n) of distances u (…, n) along one axis, p ≤ l_max: what Gaussians factorise into."""
    gaussian = torch.exp(-0.5 * distances**2)
    return torch.stack([gaussian * distances**p for p in range(l_max + 1)], dim=-2)


def solid_gaussians(l: int, x: torch.Tensor, y: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
    """Σ_a z_a |u|^l e^{−|u|²/2} Y_lm(û), u = r − r_a, at every point r of a grid: (B, C, n_z, n_x, 2l + 1, n_y).

    x, y: (B, A, ≥ l + 1, n) of `axis_powers`, the distances being those of A atoms to the grid's planes
    z: (B, C, A, ≥ l + 1, n_z), already times the charges z_a of C channels
    Two matrix products: over the powers of x, then over atoms and powers of z at once.
    """
    B, A, _, n_x = x.shape
    C, n_y, n_z = z.shape[1], y.shape[-1], z.shape[-1]
    coefficients = torch.as_tensor(solid_harmonic(l), dtype=x.dtype, device=x.device)
    plane = torch.einsum("mpqc,baqy->bacpmy", coefficients, y[:, :, :l + 1])
    plane = x[:, :, None, :l + 1].mT @ plane.reshape(B, A, l + 1, l + 1, -1)
    z = z[:, :, :, :l + 1].reshape(B, C, -1, n_z).mT
    return (z.reshape(B, C * n_z, -1) @ plane.reshape(B, A * (l + 1), -1)).reshape(B, C, n_z, n_x, 2 * l + 1, n_y)


def modulus(fields: torch.Tensor, dim: int) -> torch.Tensor:
    """(Σ_m f_m²)^{1/2} over one dimension; its floor of 1e-18 keeps slopes finite where every f_m is zero."""
    first, *others = fields.unbind(dim)
    squares = first.square() + 1e-36
    for field in others:
        squares = torch.addcmul(squares, field, field)
    return squares.sqrt()


def integrals(values: torch.Tensor, powers: Sequence[float]) -> torch.Tensor:
    """Sums of values^q over the last three dimensions, (…, Q), of values of 0 or more."""
    quick = {0.5: torch.sqrt, 1: lambda v: v, 4: lambda v: v.square().square()}  # a general power takes ten times as long
    return torch.stack([(quick[q](values) if q in quick else values**q).sum(dim=(-3, -2, -1)) for q in powers], dim=-1)
