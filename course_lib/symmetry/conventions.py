"""The same harmonics as others write them: one matrix per library, so that no order, sign or factor is left unsaid.

`sphericart` agrees with us. SciPy's are complex with the Condon–Shortley sign. e3nn's polar axis is y: its Y(x, y, z)
is ours at (z, x, y), so l = 1 is ordered (x, y, z), and its 'component' normalisation has |Y_l|² = 2l + 1.
"""

from typing import Literal

import numpy as np

from course_lib.symmetry.wigner import wigner_D


def to_scipy(l: int) -> np.ndarray:
    """The unitary U (2l + 1, 2l + 1) with sph_harm_y(l, m) = Σ_m' U_mm' Y_lm', rows and columns m = −l … l."""
    u = np.zeros((2 * l + 1, 2 * l + 1), complex)
    u[l, l] = 1
    for m in range(1, l + 1):
        u[l - m, [l + m, l - m]] = np.array([1, -1j]) / np.sqrt(2)
        u[l + m, [l + m, l - m]] = (-1) ** m * np.array([1, 1j]) / np.sqrt(2)
    return u


def to_e3nn(l: int, normalization: Literal["integral", "component", "norm"] = "integral") -> np.ndarray:
    """The matrix A (2l + 1, 2l + 1) with e3nn.o3.spherical_harmonics(l, r, True, normalization) = A Y_l(r)."""
    scales = {"integral": 1, "component": np.sqrt(4 * np.pi), "norm": np.sqrt(4 * np.pi / (2 * l + 1))}
    if normalization not in scales:
        raise ValueError(f"normalization is {normalization!r}; e3nn knows {', '.join(scales)}")
    zxy = np.eye(3)[[2, 0, 1]]
    return scales[normalization] * np.round(wigner_D(l, zxy), 15)
