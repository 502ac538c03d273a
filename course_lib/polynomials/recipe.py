"""How to compute orbit sums from lower ones.

As in the MSA software (Xie & Bowman, JCTC 6, 26 (2010)) an orbit sum is computed from a product of two lower ones,
p_k = (p_i p_j − Σ_l c_l p_l) / c_k, where all other orbits l in the product are known already; the few that no product
reaches in this way, the generators among them, are summed monomial by monomial.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from course_lib.polynomials.orbits import MonomialOrbits, expand, pair_permutations


@dataclass(frozen=True)
class Product:
    """p_k = (p_left p_right − Σ coefficients · p_others) / scale; left, right and others index all polynomials."""

    left: int
    right: int
    others: np.ndarray
    coefficients: np.ndarray
    scale: int


@dataclass(frozen=True)
class Sum:
    """p_k = Σ_m Π_t y[monomials[m, t]]; monomials (m, degree) index the variables."""

    monomials: np.ndarray


@dataclass(frozen=True)
class Recipe:
    """steps[k − 1] says how to compute polynomial k ≥ 1 from earlier ones, p_0 = 1; degrees (K,).

    vanishing (K,): whether every monomial of polynomial k holds a pair of two fragments, so that it goes to zero as they part.
    """

    steps: tuple[Product | Sum, ...]
    degrees: np.ndarray
    vanishing: np.ndarray


def recipe(symbols: Sequence, degree: int, between: np.ndarray) -> Recipe:
    """For the atoms `symbols`, up to `degree`; `between` (pairs,) is true for pairs of two fragments."""
    generators = pair_permutations(symbols)
    levels = [MonomialOrbits(len(between), d, generators) for d in range(degree + 1)]
    number: dict[tuple[int, int], int] = {(0, 0): 0}
    steps: list[Product | Sum] = []
    degrees, vanishing = [0], [False]
    for d, level in enumerate(levels[1:], start=1):
        products = [(a, i, j, expand(levels[a], i, levels[d - a], j, level)) for a in range(1, d // 2 + 1)
                    for i in range(len(levels[a].size)) for j in range(len(levels[d - a].size))]
        touched = np.ones(len(level.size), bool)
        np.logical_and.at(touched, level.orbit, between[level.monomials].any(axis=1))
        unknown = set(range(len(level.size)))
        while unknown:
            reached = next(((p, missing) for p in products if len(missing := unknown & p[3].keys()) == 1), None)
            if reached:
                (a, i, j, terms), (k,) = reached
                others = {number[d, l]: c for l, c in terms.items() if l != k}
                steps.append(Product(number[a, i], number[d - a, j], np.array(list(others), int),
                                     np.array(list(others.values()), float), terms[k]))
            else:
                k = min(unknown, key=lambda orbit: (level.size[orbit], orbit))
                steps.append(Sum(level.members(k)))
            unknown.remove(k)
            products = [p for p in products if unknown & p[3].keys()]
            number[d, k] = len(steps)
            degrees.append(d)
            vanishing.append(touched[k])
    return Recipe(tuple(steps), np.array(degrees), np.array(vanishing))
