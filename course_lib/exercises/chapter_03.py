"""Checks of chapter 03: orbits of pairs, the Molien series, orbit sums, labels, purified polynomials."""

from collections.abc import Callable
from itertools import combinations, permutations
from math import comb

import numpy as np

from course_lib.exercises.core import register, require
from course_lib.symmetry import molien_series

PAIRS = list(combinations(range(4), 2))


def _relabel(p: tuple[int, ...]) -> list[int]:
    return [PAIRS.index((min(p[i], p[j]), max(p[i], p[j]))) for i, j in PAIRS]


@register("03.1", "Nine atoms; a pair is two of them. Which kinds of pairs does no relabelling of like atoms mix?",
          "An orbit is a kind of pair that occurs, by its two elements; is there a pair O–O?")
def pair_orbits(answer: tuple[int, int]) -> str:
    distances, orbits = answer
    require(distances != 72, "72 = 9 · 8 counts every pair twice, once from each end.")
    require(distances != 21, "21 = 3n − 6 are the internal degrees of freedom; nine atoms have more distances than that.")
    require(distances == 36, f"nine atoms do not have {distances} pairs.")
    require(orbits != 6, "6 kinds of pairs can be made of three elements, but there is only one O, so no pair O–O "
                         "(and if your sixth is the constant: that is of degree 0).")
    require(orbits != 3, "3 is the number of elements, the orbits of atoms; count the orbits of pairs.")
    require(orbits == 5, f"a relabelling of like atoms keeps the elements of a pair; that does not make {orbits} orbits.")
    return "CC, CO, CH, OH, HH: the five invariants of degree 1."


@register("03.2", "The cycle index of three like atoms on their pairs is (s₁³ + 3 s₁ s₂ + 2 s₃) / 6.",
          "Replace s_l by 1/(1 − t^l) and expand: to divide a series by 1 − t^l, let each coefficient gain the one l before.")
def molien_of_three(answer: Callable[[int], list[int]]) -> str:
    right, found = molien_series("HHH", 9), [float(n) for n in answer(9)]
    require(np.allclose(found, np.round(found)), f"your numbers start with {found[:3]}, but a number of polynomials is whole.")
    found = [round(n) for n in found]
    require(len(found) == 10, f"count(9) must give ten numbers, for degrees 0 to 9; yours gives {len(found)}.")
    require(found != [comb(d + 2, 2) for d in range(10)],
            "these are all monomials in three variables: the identity's term alone. Average it with those of the swaps and "
            "turns.")
    require(found != [6 * n for n in right], "this is the sum over the group; divide by its 6 elements.")
    require(found != np.cumsum(right).tolist(), "these are the polynomials up to each degree; give those of each degree.")
    require(found != [(comb(d + 2, 2) + 2 * (d % 3 == 0)) // 3 for d in range(10)],
            "these are the invariants of the three cyclic permutations; the three swaps are missing.")
    require(found == right, f"your first numbers are {found[:5]}; by hand: degree 0 has the constant, degree 1 the sum, "
                            "degree 2 the sum of squares and the sum of products.")
    require(len(few := answer(4)) == 5, f"count(4) must give five numbers, for degrees 0 to 4; yours gives {len(few)}.")
    return "1, 1, 2, 3, 4, 5, 7, …: as many as sums of 1s, 2s and 3s."


@register("03.3", "A relabelling p sends the pair {i, j} to {p(i), p(j)}; send every pair of the monomial, then sort.",
          "Several relabellings may lead to the same monomial: collect the images in a set.")
def orbit_sum(answer: Callable) -> str:
    y = np.random.default_rng(3).uniform(0.2, 1.0, size=(7, 6))
    group = [_relabel(p) for p in permutations(range(4))]
    for monomial in ((0, 0, 1), (0, 1), (0, 5), (0, 1, 2), (0, 1, 3)):
        images = [tuple(sorted(q[k] for k in monomial)) for q in group]
        right = sum(y[:, list(m)].prod(axis=1) for m in set(images))
        found = np.asarray(answer(monomial, y))
        require(found.shape == (7,), f"for y of shape (7, 6) your function returns shape {found.shape}, it must return (7,).")
        times = len(images) // len(set(images))
        require(times == 1 or not np.allclose(found, times * right),
                f"for {monomial} every member of the orbit is counted {times} times, once for each relabelling that leads to "
                "it; count it once.")
        require(not np.allclose(found, right / len(set(images))),
                f"for {monomial} this is the mean over the orbit; give the sum.")
        moved = max(np.abs(answer(monomial, y[:, q]) - found).max() for q in group)
        require(moved < 1e-10,
                f"a relabelling of the atoms changes your sum for {monomial} by {moved:.2g}: it is not invariant.")
        free = {tuple(sorted(q[k] for k in monomial)) for q in permutations(range(6))}
        require(not np.allclose(found, sum(y[:, list(m)].prod(axis=1) for m in free)) or len(free) == len(set(images)),
                f"for {monomial} you permute the six pairs freely; relabelling four atoms makes only 24 of those 720 "
                "permutations: pairs that share an atom still do afterwards.")
        bare = sum(y[:, list(m)].prod(axis=1) for m in {tuple(sorted(set(image))) for image in images})
        require(not np.allclose(found, bare) or np.allclose(found, right),
                f"for {monomial} powers are lost: a pair that stands twice in the monomial gives a square.")
        require(np.allclose(found, right), f"invariant, but not the orbit sum of {monomial}.")
    return "01 with 02 shares an atom, 01 with 23 does not: two orbits of degree 2, besides the squares."


@register("03.4", "Energies alone: one equation a frame. With forces: 15 more, but are they independent?",
          "The forces of a free molecule have no sum and no torque, whatever the coefficients: 6 equations are 0 = 0.",
          "Build the design matrix of 8, 9 and 10 random frames with forces and take its rank. Which polynomial do 9 miss?")
def frames_needed(answer: tuple[int, int]) -> str:
    alone, forces = answer
    require(alone == 83, f"one energy is one equation: {alone} of them do not just determine 83 coefficients.")
    require(forces != 6, "6 frames have 6 · 16 = 96 labels, but of 15 force components in a frame only some are news: "
                         "a free molecule has no net force and no net torque.")
    require(forces != 7, "no net force leaves 12 of 15 components; the net torque is zero as well.")
    require(forces != 9, "9 frames have 90 independent labels, and yet the rank is 82. There are 10 polynomials of degree ≤ 2, "
                         "so one combination of them is zero on any 9 frames; look at its square.")
    require(forces == 10, f"a frame gives 1 energy and 3n − 6 independent slopes; {forces} is not how many frames give 83.")
    return "Ten independent labels a frame; and on nine frames the square of a quadratic hides from all of them."


@register("03.5", "A monomial that holds no HO pair stays when the molecules part.",
          "HH times one HO vanishes; add its images under the swap of the hydrogens and of the oxygens.")
def coupling(answer: Callable) -> str:
    y = np.random.default_rng(5).uniform(0.2, 1.0, size=(9, 6))
    value = np.asarray(answer(y))
    require(value.shape == (9,), f"for y of shape (9, 6) your function returns shape {value.shape}, it must return (9,).")
    for name, p in (("hydrogens", (1, 0, 2, 3)), ("oxygens", (0, 1, 3, 2))):
        change = np.abs(answer(y[:, _relabel(p)]) - value).max()
        require(change < 1e-10, f"swapping the {name} changes your function by {change:.2g}.")
    parted = y * [1, 0, 0, 0, 0, 1]
    rest = np.abs(answer(parted)).max()
    require(rest < 1e-12, f"with the molecules apart (all HO zero) {rest:.2g} is left: some monomial holds no HO pair.")
    stretched = y * [0.5, 1, 1, 1, 1, 1]
    require(np.abs(answer(stretched) - value).max() > 1e-6, "your function does not depend on the H–H distance.")
    t = np.linspace(-1, 1, 41)
    for start, end in zip(y[:4], y[4:8], strict=True):
        with np.errstate(all="ignore"):
            line = answer(start + 30 * t[:, None] * (end - start))
        fit = np.polynomial.Polynomial.fit(t, line, 12) if np.isfinite(line).all() else np.zeros_like
        require(np.abs(fit(t) - line).max() < 1e-8 * np.abs(line).max(),
                "along a straight line in y, far beyond 0 … 1, your function is no polynomial (of degree 12 or less): sorting, "
                "the largest and the smallest put kinks; roots, quotients, sines and exponentials are no polynomials either.")
    return "Every monomial of it couples the two molecules, and none of them is alone."
