"""Wigner matrices of the real spherical harmonics: how the 2l + 1 functions of one degree mix when space turns.

Y_l(R r̂) = D^l(R) Y_l(r̂), hence D(R₁) D(R₂) = D(R₁R₂), for every R of O(3); D^l(−1) = (−1)^l. The definition is the
algorithm: D^l_mm'(R) = ∫ Y_lm(R r̂) Y_lm'(r̂) dr̂ by a quadrature that is exact for products of degree 2l.
"""

import numpy as np

from course_lib.symmetry.averaging import sphere_quadrature
from course_lib.symmetry.harmonics import spherical_harmonics


def wigner_D(l: int, rotations: np.ndarray) -> np.ndarray:
    """D^l (…, 2l + 1, 2l + 1) of orthogonal matrices (…, 3, 3), proper or not; ValueError if one is not orthogonal."""
    rotations = np.asarray(rotations, float)
    if rotations.shape[-2:] != (3, 3):
        raise ValueError(f"rotations have shape {rotations.shape}; the last two axes must be (3, 3)")
    defect = np.abs(rotations @ np.swapaxes(rotations, -1, -2) - np.eye(3)).max(initial=0)
    if not defect < 1e-6:
        raise ValueError(f"a matrix is not orthogonal: |R Rᵀ − 1| is {defect:.1e}")
    points, weights = sphere_quadrature(2 * l)
    degree = slice(l * l, (l + 1) ** 2)
    moved = spherical_harmonics(l, points @ np.swapaxes(rotations, -1, -2))[..., degree]
    return np.swapaxes(moved, -1, -2) @ (weights[:, None] * spherical_harmonics(l, points)[:, degree])


def rotate_coefficients(coefficients: np.ndarray, rotation: np.ndarray) -> np.ndarray:
    """Coefficients (…, (l_max + 1)²) of a function f on the sphere become those of r̂ ↦ f(R⁻¹ r̂), block by block."""
    coefficients = np.asarray(coefficients)
    if np.shape(rotation) != (3, 3):
        raise ValueError(f"one rotation (3, 3) is needed, got shape {np.shape(rotation)}")
    l_max = round(np.sqrt(coefficients.shape[-1])) - 1
    if (l_max + 1) ** 2 != coefficients.shape[-1]:
        raise ValueError(f"{coefficients.shape[-1]} coefficients; a function up to l_max has (l_max + 1)²")
    blocks = [coefficients[..., l * l:(l + 1) ** 2] @ wigner_D(l, rotation).T for l in range(l_max + 1)]
    return np.concatenate(blocks, axis=-1)
