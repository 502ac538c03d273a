"""Real spherical harmonics of any degree, with gradients.

Y_lm, −l ≤ m ≤ l, span the functions on the sphere that turn into each other under rotation and into nothing else.
Ours are real and orthonormal, ∫ Y_lm Y_l'm' = δ δ, without Condon–Shortley sign, ordered m = −l … l, so that
Y_1 = √(3/4π) (y, z, x). That is the convention of sphericart (Bigi et al., JCP 159, 064802 (2023)), which computes them.
"""

import numpy as np
import sphericart


def _vectors(l_max: int, vectors: np.ndarray) -> np.ndarray:
    if l_max < 0:
        raise ValueError(f"l_max is {l_max}; a degree is 0 or more")
    vectors = np.asarray(vectors)
    if vectors.ndim == 0 or vectors.shape[-1] != 3:
        raise ValueError(f"vectors have shape {vectors.shape}; the last axis must hold x, y, z")
    vectors = vectors.astype(np.result_type(vectors, np.float32), copy=False)
    length2 = np.einsum("...i,...i->...", vectors, vectors)
    bad = np.flatnonzero(~((length2 > 0) & np.isfinite(length2)))
    if bad.size:
        raise ValueError(f"vector {bad[0]} is {vectors.reshape(-1, 3)[bad[0]]}: it has no direction, leave it out")
    return vectors


def spherical_harmonics(l_max: int, vectors: np.ndarray) -> np.ndarray:
    """Y_lm of the directions of `vectors` (…, 3), any length but zero: (…, (l_max + 1)²), entry l² + l + m.

    Raises ValueError for a negative `l_max` and for a vector without direction (zero, NaN, infinite).
    """
    vectors = _vectors(l_max, vectors)
    flat = np.ascontiguousarray(vectors.reshape(-1, 3))
    calculator = sphericart.SphericalHarmonics(l_max)  # for this call alone: its buffers fit the thread that makes it
    return calculator.compute(flat).reshape(*vectors.shape[:-1], (l_max + 1) ** 2)


def spherical_harmonics_gradient(l_max: int, vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Values (…, (l_max + 1)²) and ∂Y_lm(v / |v|) / ∂v (…, 3, (l_max + 1)²), in 1/Å if `vectors` are in Å."""
    vectors = _vectors(l_max, vectors)
    flat = np.ascontiguousarray(vectors.reshape(-1, 3))
    values, gradient = sphericart.SphericalHarmonics(l_max).compute_with_gradients(flat)
    return (values.reshape(*vectors.shape[:-1], (l_max + 1) ** 2),
            gradient.reshape(*vectors.shape[:-1], 3, (l_max + 1) ** 2))


def recurred_harmonics(l_max: int, vectors: np.ndarray) -> np.ndarray:
    """The same (n, (l_max + 1)²) from `vectors` (n, 3) in a few lines; stable to l ≈ 1000 in double precision.

    Y_l,±m = √2 Q_lm(z) · (Re, Im)(x + iy)^m with Q_lm = P_lm / sin^m θ, normalised, so no power of sin θ is divided by.
    """
    vectors = _vectors(l_max, vectors)
    x, y, z = (vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)).T
    out = np.empty(((l_max + 1) ** 2, len(x)), vectors.dtype)
    cosine, sine = np.full_like(x, np.sqrt(2)), np.zeros_like(x)      # √2 (x + iy)^m, starting at m = 0
    diagonal = np.sqrt(1 / (4 * np.pi))                               # Q_mm, a constant
    for m in range(l_max + 1):
        if m > 0:
            cosine, sine = x * cosine - y * sine, x * sine + y * cosine
            diagonal *= np.sqrt((2 * m + 1) / (2 * m))
        before, q = np.zeros_like(x), np.full_like(x, diagonal)       # Q_m−1,m and Q_mm
        for l in range(m, l_max + 1):
            if l > m:
                a = np.sqrt((4 * l**2 - 1) / (l**2 - m**2))
                b = np.sqrt(((l - 1) ** 2 - m**2) / (4 * (l - 1) ** 2 - 1))
                before, q = q, a * (z * q - b * before)
            np.multiply(q, sine, out=out[l * l + l - m])
            np.multiply(q, cosine if m else 1, out=out[l * l + l + m])
    return out.T
