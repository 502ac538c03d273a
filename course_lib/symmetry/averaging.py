"""Averages over a group: the Reynolds operator, and quadratures that are exact for functions of bounded degree.

R f = Σ_g w_g ρ_out(g)⁻¹ f(ρ_in(g) ·) is the projection of any f on the equivariant functions (w_g = 1/|G|, or Haar
weights). For SO(3) a product rule in Euler angles, exact up to a stated degree, replaces the integral.
"""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from scipy.spatial.transform import Rotation


def reynolds(function: Callable, elements: Iterable, act: Callable[[Any, Any], Any],
             undo: Callable[[Any, Any], Any] = lambda g, y: y, weights: np.ndarray | None = None) -> Callable:
    """The symmetrised function x ↦ Σ_g w_g undo(g, f(act(g, x))).

    `act(g, x)` is ρ_in(g) x and `undo(g, y)` is ρ_out(g)⁻¹ y, by default y: an invariant. `weights` sum to 1, by
    default 1/|G| each. Raises ValueError for an empty group and for weights of another length.
    """
    elements = list(elements)
    if not elements:
        raise ValueError("no group elements given; a group holds at least its identity")
    weights = np.full(len(elements), 1 / len(elements)) if weights is None else np.asarray(weights)
    if len(weights) != len(elements):
        raise ValueError(f"{len(weights)} weights for {len(elements)} group elements")
    if not np.isclose(weights.sum(), 1):
        raise ValueError(f"the weights of an average sum to 1, these sum to {weights.sum():.6g}")

    def symmetrised(x):
        return sum(w * undo(g, function(act(g, x))) for w, g in zip(weights, elements, strict=True))

    return symmetrised


def sphere_quadrature(degree: int) -> tuple[np.ndarray, np.ndarray]:
    """Unit vectors (n, 3) and weights (n,), summing to 4π, exact for spherical polynomials up to `degree`.

    Gauss–Legendre in cos θ times equal steps in φ; n = (degree // 2 + 1)(degree + 1).
    """
    if degree < 0:
        raise ValueError(f"degree is {degree}; it must be 0 or more")
    z, polar_weight = np.polynomial.legendre.leggauss(degree // 2 + 1)
    phi = 2 * np.pi * np.arange(degree + 1) / (degree + 1)
    sine = np.sqrt(1 - z**2)[:, None]
    points = np.stack(np.broadcast_arrays(sine * np.cos(phi), sine * np.sin(phi), z[:, None]), axis=-1)
    weights = np.broadcast_to(polar_weight[:, None] * 2 * np.pi / len(phi), points.shape[:2])
    return points.reshape(-1, 3), weights.ravel()


def rotation_quadrature(degree: int) -> tuple[np.ndarray, np.ndarray]:
    """Rotations (n, 3, 3) and Haar weights (n,), summing to 1, exact for Wigner functions up to l = `degree`.

    zyz Euler angles, dR = sin β dα dβ dγ / 8π²: equal steps in α and γ, Gauss–Legendre in cos β.
    """
    if degree < 0:
        raise ValueError(f"degree is {degree}; it must be 0 or more")
    cosine, beta_weight = np.polynomial.legendre.leggauss(degree // 2 + 1)
    step = 2 * np.pi * np.arange(degree + 1) / (degree + 1)
    alpha, beta, gamma = np.meshgrid(step, np.arccos(cosine), step, indexing="ij")
    angles = np.stack([alpha, beta, gamma], axis=-1).reshape(-1, 3)
    weights = np.broadcast_to(beta_weight[:, None] / (2 * len(step) ** 2), alpha.shape)
    return Rotation.from_euler("ZYZ", angles).as_matrix(), weights.ravel()
