"""How many invariants are there? Counted before any is written down.

Molien (1897): Σ_d dim C[V]^G_d t^d = |G|⁻¹ Σ_g 1 / det(1 − t ρ(g)). Newton's identity turns each summand into power
sums, d h_d = Σ_i tr(ρ(g)^i) h_{d−i}. For atoms, G is the product of the S_n of like atoms and V the space of
interatomic distances; then only the cycle lengths matter, which Pólya's cycle index collects.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import combinations, product
from math import factorial, gcd, prod

import numpy as np


def _partitions(n: int, largest: int | None = None) -> Iterator[tuple[int, ...]]:
    """The cycle types of S_n."""
    if n == 0:
        yield ()
    for k in range(min(n, largest or n), 0, -1):
        for rest in _partitions(n - k, k):
            yield (k, *rest)


def _pair_cycles(cycles: Sequence[int]) -> Counter:
    """Cycle lengths on unordered pairs of atoms, from those on the atoms."""
    count = Counter()
    for k in cycles:
        count[k] += (k - 1) // 2
        if k % 2 == 0:
            count[k // 2] += 1
    for a, b in combinations(cycles, 2):
        count[a * b // gcd(a, b)] += gcd(a, b)
    return +count


def cycle_index(symbols: Sequence) -> dict[tuple[tuple[int, int], ...], Fraction]:
    """Pólya's cycle index of the like-atom permutations acting on the pair distances of a molecule.

    `symbols` names the atoms, as "CHHHH" or ["C", "H", …]. Keys are cycle types ((length, how many), …); the values,
    the fraction of the group that has this type, sum to 1.
    """
    if not len(symbols):
        raise ValueError("no atoms given; name at least one, as in 'OHH'")
    index = Counter()
    for types in product(*(list(_partitions(n)) for n in Counter(symbols).values())):
        share = prod((Fraction(1, prod(k**m * factorial(m) for k, m in Counter(t).items())) for t in types), start=Fraction(1))
        index[tuple(sorted(_pair_cycles([k for t in types for k in t]).items()))] += share
    return dict(index)


def _series(traces, degree: int) -> list:
    """h_0 … h_degree from the power traces p_1 … p_degree of one group element."""
    h = [1]
    for d in range(1, degree + 1):
        h.append(sum(traces[i] * h[d - 1 - i] for i in range(d)) / d)
    return h


def molien_series(symbols: Sequence, degree: int) -> list[int]:
    """The number of linearly independent invariant polynomials of the distances, of each degree 0 … `degree`."""
    total = [Fraction(0)] * (degree + 1)
    for cycles, share in cycle_index(symbols).items():
        traces = [Fraction(sum(k * n for k, n in cycles if i % k == 0)) for i in range(1, degree + 1)]
        total = [t + share * h for t, h in zip(total, _series(traces, degree), strict=True)]
    return [int(t) for t in total]


def molien_of_matrices(matrices: np.ndarray, degree: int) -> list[int]:
    """The same for any finite group, given all of its matrices (|G|, n, n).

    Raises ValueError if the result is not whole, as happens when the matrices are not a group.
    """
    power, traces = np.eye(matrices.shape[-1]), []
    for _ in range(degree):
        power = power @ matrices
        traces.append(np.trace(power, axis1=-2, axis2=-1))
    mean = np.array([np.mean(h) for h in _series(traces, degree)])
    if np.abs(mean - mean.round()).max() > 1e-6:
        raise ValueError(f"the averages {mean} are not whole numbers: the {len(matrices)} matrices are not a group")
    return [int(m) for m in mean.round()]
