"""Clebsch–Gordan coefficients in the real basis: how two equivariant features multiply into a third.

V_l1 ⊗ V_l2 = ⊕ V_L, |l1 − l2| ≤ L ≤ l1 + l2, once each (Wigner, Group Theory, ch. 17). The coefficients follow from
Racah's closed sum (Phys. Rev. 62, 438 (1942), eq. 16), exact in integers until the last square root, and our change of
basis; a factor (−i)^l a degree makes all of them real. Paths with l1 + l2 + L odd give pseudotensors: 1 ⊗ 1 → 1 is
the cross product, divided by √2.
"""

from collections.abc import Hashable, Sequence
from functools import cache
from itertools import permutations, product
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


def invariant_couplings(degrees: Sequence[int], labels: Sequence[Hashable] | None = None) -> np.ndarray:
    """All ways to multiply features of `degrees` l_1 … l_ν into a scalar: C (k, 2l_1 + 1, …, 2l_ν + 1), orthonormal.

    Σ C[η, m_1, …, m_ν] a_m1 … z_mν does not change when all ν features turn (for Σ l odd it is a pseudoscalar). Factors of
    one label are one and the same feature; then C is symmetric in them, and only as many are kept as remain independent:
    the symmetrised basis of Dusson et al., J. Comput. Phys. 454, 110946 (2022). Coupling one feature after the other gives
    an orthonormal set; the average over permutations is a projection of its span, on which Gram and Schmidt, in order, decide.
    Raises ValueError for no degrees or one below 0, and for factors of one label that differ in degree.
    """
    labels = range(len(degrees)) if labels is None else labels
    if not len(degrees) or min(degrees) < 0 or len({*zip(labels, degrees, strict=True)}) != len(set(labels)):
        raise ValueError(f"degrees {list(degrees)} with labels {list(labels)}: give one degree a label, 0 or more")
    return _invariants(tuple(map(index, degrees)), tuple(list(labels).index(label) for label in labels))


@cache
def _invariants(degrees: tuple[int, ...], labels: tuple[int, ...]) -> np.ndarray:
    coupled = {degrees[0]: np.eye(2 * degrees[0] + 1)[None]}
    for t, l in enumerate(degrees[1:], start=2):
        paths = [(L, T, K) for L, T in coupled.items() for K in range(abs(L - l), min(L + l, sum(degrees[t:])) + 1)]
        steps = [(K, np.tensordot(T, clebsch_gordan(L, l, K), 1)) for L, T, K in paths]
        coupled = {K: np.concatenate([T for J, T in steps if J == K]) for K, _ in steps}
    tensors = coupled.get(0, np.zeros((0, *(2 * l + 1 for l in degrees), 1)))[..., 0]
    places = [[i for i, b in enumerate(labels) if b == a] for a in dict.fromkeys(labels)]
    orders = [dict(zip(sum(places, []), sum(map(list, images), []), strict=True))
              for images in product(*map(permutations, places))]
    symmetric = sum(tensors.transpose(0, *(1 + order[i] for i in range(len(degrees)))) for order in orders) / len(orders)
    chosen = np.zeros((0, len(tensors)))
    for row in np.tensordot(symmetric, tensors, (range(1, tensors.ndim), range(1, tensors.ndim))):
        rest = row - chosen.T @ (chosen @ row)
        if (length := np.linalg.norm(rest)) > 1e-6:
            chosen = np.vstack([chosen, rest / length])
    invariants = np.tensordot(chosen, tensors, 1)
    invariants.flags.writeable = False
    return invariants
