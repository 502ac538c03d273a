"""Clebsch–Gordan coefficients in the real basis: how two equivariant features multiply into a third.

V_l1 ⊗ V_l2 = ⊕ V_L, |l1 − l2| ≤ L ≤ l1 + l2, once each (Wigner, Group Theory, ch. 17). The coefficients follow from
Racah's closed sum (Phys. Rev. 62, 438 (1942), eq. 16), exact in integers until the last square root, and our change of
basis; a factor (−i)^l a degree makes all of them real. Paths with l1 + l2 + L odd give pseudotensors: 1 ⊗ 1 → 1 is
the cross product, divided by √2.
"""

from functools import cache
from math import factorial, sqrt
from operator import index

import numpy as np

from course_lib.symmetry.conventions import to_scipy

LARGEST = 200
"""Degree up to which the closed sum keeps double precision."""


def _complex(l1: int, m1: int, l2: int, m2: int, L: int) -> float:
    """⟨l1 m1 l2 m2 | L m1+m2⟩ with Condon–Shortley phases."""
    M, f = m1 + m2, factorial
    if abs(M) > L:
        return 0.0
    terms = range(max(0, l2 - L - m1, l1 - L + m2), min(l1 + l2 - L, l1 - m1, l2 + m2) + 1)
    # a common denominator keeps the alternating sum in integers
    total = sum((-1) ** k * f(l1 + l2 - L) // (f(k) * f(l1 + l2 - L - k))
                * (f(L + l1 - l2) // (f(l1 - m1 - k) * f(L - l2 + m1 + k)))
                * (f(L - l1 + l2) // (f(l2 + m2 - k) * f(L - l1 - m2 + k))) for k in terms)
    squared = ((2 * L + 1) * f(l1 + l2 - L) * f(L + l1 - l2) * f(L - l1 + l2) * f(L + M) * f(L - M)
               * f(l1 - m1) * f(l1 + m1) * f(l2 - m2) * f(l2 + m2))
    divisor = f(l1 + l2 + L + 1) * (f(l1 + l2 - L) * f(L + l1 - l2) * f(L - l1 + l2)) ** 2
    return total * sqrt(squared / divisor)


def clebsch_gordan(l1: int, l2: int, L: int) -> np.ndarray:
    """C (2l1 + 1, 2l2 + 1, 2L + 1), real, read-only: Σ C[m1, m2, M] a_m1 b_m2 turns with D^L when a and b turn with theirs.

    Σ_m1m2 C[…, M] C[…, M'] = δ_MM'; zero unless |l1 − l2| ≤ L ≤ l1 + l2. Equals e3nn's wigner_3j · √(2L + 1) after
    `to_e3nn`, signs included.
    """
    degrees = tuple(map(index, (l1, l2, L)))  # exact Python integers, whatever kind of integer came in
    if not 0 <= min(degrees) <= max(degrees) <= LARGEST:
        raise ValueError(f"degrees are {l1}, {l2}, {L}; a degree is 0 to {LARGEST}")
    return _table(*degrees)


@cache
def _table(l1: int, l2: int, L: int) -> np.ndarray:
    table = np.zeros((2 * l1 + 1, 2 * l2 + 1, 2 * L + 1))
    if abs(l1 - l2) <= L <= l1 + l2:
        for m1 in range(-l1, l1 + 1):
            for m2 in range(max(-l2, -L - m1), min(l2, L - m1) + 1):
                table[l1 + m1, l2 + m2, L + m1 + m2] = _complex(l1, m1, l2, m2, L)
        u1, u2, u = (to_scipy(l) for l in (l1, l2, L))
        rotated = np.einsum("abc,ai,bj,ck->ijk", table, u1, u2, u.conj(), optimize=True)
        table = np.ascontiguousarray(((-1j) ** (l1 + l2 - L) * rotated).real)
    table.flags.writeable = False
    return table


def couple(a: np.ndarray, b: np.ndarray, L: int) -> np.ndarray:
    """(…, 2L + 1): the part of a ⊗ b that turns with D^L, for a (…, 2l1 + 1) and b (…, 2l2 + 1)."""
    a, b = np.asarray(a), np.asarray(b)
    if a.shape[-1] % 2 == 0 or b.shape[-1] % 2 == 0:
        raise ValueError(f"last axes have {a.shape[-1]} and {b.shape[-1]} entries; a feature of degree l has 2l + 1")
    table = clebsch_gordan(a.shape[-1] // 2, b.shape[-1] // 2, L)
    return np.einsum("...i,...j,ijk->...k", a, b, table)
