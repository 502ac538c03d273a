"""Orbits of monomials under the relabelling of like atoms, and how products of orbit sums expand.

A monomial of degree d in the pair variables y_ij is a multiset of d pairs. Permutations of like atoms permute the pairs
and with them the monomials of one degree; the orbit sums, one an orbit, are a basis of the invariant polynomials of that
degree (Braams & Bowman, Int. Rev. Phys. Chem. 28, 577 (2009)). Orbits are found as the connected components of the graph
that the transpositions of neighbouring like atoms draw on all monomials: no loop over the group, whose order is factorial.
"""

from collections.abc import Sequence
from itertools import combinations, combinations_with_replacement, pairwise

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components


def pair_permutations(symbols: Sequence) -> np.ndarray:
    """(g, n(n−1)/2): the pairs as each generator of the group permutes them, one generator for two consecutive like atoms."""
    pairs = {pair: k for k, pair in enumerate(combinations(range(len(symbols)), 2))}
    generators = []
    for symbol in dict.fromkeys(symbols):
        like = [i for i, s in enumerate(symbols) if s == symbol]
        for a, b in pairwise(like):
            swap = {a: b, b: a}
            generators.append([pairs[tuple(sorted((swap.get(i, i), swap.get(j, j))))] for i, j in pairs])
    return np.array(generators, int).reshape(-1, len(pairs))


class MonomialOrbits:
    """All monomials of one degree in `variables` variables, and the orbit each belongs to.

    monomials (M, degree): variable indices, ascending, in lexicographic order
    orbit (M,): number of the orbit, 0 … size.size − 1, numbered by first member
    representative (K,): index of the first monomial of each orbit
    size (K,): how many monomials each orbit has
    """

    def __init__(self, variables: int, degree: int, generators: np.ndarray) -> None:
        self.base = variables ** np.arange(degree)[::-1]
        chosen = list(combinations_with_replacement(range(variables), degree))
        self.monomials = np.array(chosen, int).reshape(len(chosen), degree)
        self.codes = self.monomials @ self.base
        count = len(self.monomials)
        images = [self._index(generator[self.monomials]) for generator in generators] or [np.arange(count)]
        edges = (np.ones(count * len(images), np.int8), (np.tile(np.arange(count), len(images)), np.concatenate(images)))
        _, component = connected_components(coo_array(edges, shape=(count, count)), directed=False)
        _, first, self.orbit, self.size = np.unique(component, return_index=True, return_inverse=True, return_counts=True)
        order = np.argsort(first)
        rank = np.empty_like(order)
        rank[order] = np.arange(len(order))
        self.representative, self.size, self.orbit = first[order], self.size[order], rank[self.orbit]

    def _index(self, monomials: np.ndarray) -> np.ndarray:
        return np.searchsorted(self.codes, np.sort(monomials, axis=-1) @ self.base)

    def members(self, k: int) -> np.ndarray:
        """(size[k], degree): the monomials of orbit `k`."""
        return self.monomials[self.orbit == k]


def expand(left: MonomialOrbits, i: int, right: MonomialOrbits, j: int, product: MonomialOrbits) -> dict[int, int]:
    """The product of two orbit sums as a combination of orbit sums: {orbit: coefficient}.

    Every member of orbit i times the representative of orbit j alone is looked up; symmetry supplies the rest,
    c_k = |O_j| · #{m ∈ O_i : m·rep_j ∈ O_k} / |O_k|.
    """
    members = left.members(i)
    other = np.broadcast_to(right.monomials[right.representative[j]], (len(members), right.monomials.shape[1]))
    orbits, hits = np.unique(product.orbit[product._index(np.hstack([members, other]))], return_counts=True)
    return {int(k): int(right.size[j] * n // product.size[k]) for k, n in zip(orbits, hits, strict=True)}
