"""Checks of chapter 07: body orders, the density trick, certificates, homometric sets, handedness."""

import tracemalloc
from collections.abc import Callable, Sequence
from itertools import combinations
from math import gcd
from time import process_time

import numpy as np
from ase import Atoms

from course_lib.exercises.core import register, require
from course_lib.kernels import degenerate_methane_pair, smallest_rmsd
from course_lib.symmetry import random_improper, random_rotations

MANY, MORE = 1000, (4000, 30_000)
SECONDS = 0.3


@register("07.1", "Count the neighbours in one term of the sum, then the atom in the middle.",
          "The product of Σ_j f(r_j) and Σ_k g(r_k) is a sum over j and k.")
def body_orders(answer: Sequence[int]) -> str:
    found = list(answer)
    require(len(found) == 5, f"five descriptors are asked for; you give {len(found)} numbers.")
    require(found != [1, 2, 2, 3, 2], "these are the orders ν, the neighbours in a term; a body order counts the centre too.")
    require(found[:2] != [2, 4], "the superscripts of G² and G⁴ are names; G⁴ has two neighbours in a term.")
    require(found[4] != 2, "the product of two sums over neighbours is Σ_j Σ_k f(r_j) g(r_k): two neighbours in a term.")
    require(found[4] != 4, "j, k and the centre: it is the same atom in both factors, so it counts once.")
    for name, right, given in zip(("G²", "G⁴", "the power spectrum", "the bispectrum", "the product"), (2, 3, 3, 4, 3), found,
                                  strict=True):
        require(given == right, f"{name} has not body order {given}: how many neighbours stand in one term of its sum?")
    return "Order plus one; and a product of descriptors adds their orders."


@register("07.2", "(a · b)² = Σ_αβ a_α a_β b_α b_β. Which part of it depends on j alone?",
          "A_αβ = Σ_j x_jα x_jβ is nine numbers, for any number of neighbours.")
def squares(answer: Callable[[np.ndarray], float]) -> str:
    rng = np.random.default_rng(72)
    x = rng.normal(size=(7, 3))
    gram, found = x @ x.T, answer(x)
    right = np.sum(gram**2)
    require(np.ndim(found) == 0, f"your function returns shape {np.shape(found)}; the sum is one number.")
    require(not np.isclose(found, np.sum(gram) ** 2) and not np.isclose(found, np.sum(gram)),
            "this is made of Σ_jk x_j · x_k = |Σ_j x_j|²; the square stands inside the sum, so the nine products x_a x_b "
            "of each vector are needed.")
    require(not np.isclose(found, np.trace(gram) ** 2), "this is (Σ_j |x_j|²)², which forgets the angles.")
    require(not np.isclose(found, right - np.sum(gram.diagonal() ** 2)), "the pairs j = k are missing.")
    require(not np.isclose(found, (right + np.sum(gram.diagonal() ** 2)) / 2)
            and not np.isclose(found, (right - np.sum(gram.diagonal() ** 2)) / 2),
            "this counts every pair once; the sum is over all j and all k.")
    require(np.isclose(found, right), f"for seven random vectors the sum is {right:.4f}, yours {found:.4f}.")
    x, began = rng.normal(size=(MANY, 3)), process_time()
    answer(x)
    require(process_time() - began < SECONDS,
            f"right, but for {MANY} neighbours it takes more than {SECONDS} s: it goes through the pairs one by one.")
    tracemalloc.start()
    try:
        answer(x)
        held = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    require(held < 1600 * MANY, f"right, but for {MANY} neighbours it holds {held / 1e6:.0f} MB: a number for each pair. Sum "
                                "over the neighbours first.")
    for n in MORE:
        x, began = rng.normal(size=(n, 3)), process_time()
        answer(x)
        require((took := process_time() - began) < 2 * SECONDS,
                f"right, but for {n} neighbours it takes {took:.1f} s: it still meets every pair, a row or a block at a time. "
                "Sum over the neighbours once.")
    return "Nine sums over neighbours instead of n² pairs: the A with l = 0 and l = 2."


@register("07.3", "For one order of the atoms: singular values of xᵀ y, all three added, whatever their signs would be.",
          "Take the best over itertools.permutations; mind that rounding can make the square slightly negative.")
def distance(answer: Callable[[np.ndarray, np.ndarray], float]) -> str:
    rng = np.random.default_rng(73)
    twins = [atoms.positions[1:] for atoms in (degenerate_methane_pair(75, 120).first, degenerate_methane_pair(75, 120).second)]
    x = rng.normal(size=(4, 3))
    turn, reflect = random_rotations(1, rng)[0], random_improper(1, rng)[0]

    def of(a: np.ndarray, b: np.ndarray) -> float:
        found = float(answer(a, b))
        require(np.isfinite(found), "your distance of a structure and its image is not a number: rounding made the mean square "
                                    "negative; cut it off at zero.")
        return found

    require(of(x, x @ turn.T) < 1e-6, f"a turned copy is at distance {of(x, x @ turn.T):.2g}; find the best rotation.")
    require(of(x, x[[2, 0, 3, 1]]) < 1e-6,
            f"a relabelled copy is at distance {of(x, x[[2, 0, 3, 1]]):.2g}; like atoms have no names, so try all orders.")
    require(of(x, x @ reflect.T) < 1e-6,
            f"a mirror image is at distance {of(x, x @ reflect.T):.2g}; reflections are allowed, so leave det = −1 alone.")
    right = smallest_rmsd(*(Atoms("CH4", np.vstack([np.zeros(3), p])) for p in twins), centre=0)
    found = of(*twins)
    require(found > 1e-6, "the twins of methane come out as equal: sorted distances, angles and their like are not a proof.")
    require(not np.isclose(found, right**2), "this is the mean square; take its root.")
    require(not np.isclose(found, 2 * right), "this is the root of the sum over atoms; divide by their number first.")
    require(of(x, x + rng.normal(size=3)) > 1e-6, "you shift the structures; the centre stays where it is, only rotations and "
                                                  "reflections about it are allowed.")
    require(np.isclose(found, right, rtol=1e-6), f"the twins are {right:.4f} Å apart, you find {found:.4f} Å.")
    return "Zero exactly for images, and above zero for the twins: that is the proof."


@register("07.4", "An interval is the shorter way round the ring; sort the six of each set and compare.",
          "Try all sets that hold step 0, on small rings; throw away those that are turned or mirrored copies.")
def chords(answer: tuple[int, Sequence[int], Sequence[int]]) -> str:
    n, *sets = answer
    whole = [n, *(k for chord in sets for k in chord)]
    require(all(k == int(k) for k in whole) and n > 0, "steps are whole numbers, and n is above zero.")
    n = int(n)
    sets = [sorted(int(k) % n for k in chord) for chord in sets]
    require(len(sets) == 2 and all(len(set(chord)) == 4 for chord in sets),
            "give (n, first, second), each set with four different steps of 0 … n − 1.")
    require(n != 12, "n = 12 is the pair above; find another ring.")
    intervals = [sorted(min(b - a, n - b + a) for a, b in combinations(chord, 2)) for chord in sets]
    require(intervals[0] == intervals[1],
            f"the intervals are {intervals[0]} and {intervals[1]}: not the same, and the power spectrum will tell.")
    images = [{tuple(sorted((sign * k + shift) % n for k in sets[0])) for shift in range(n)} for sign in (1, -1)]
    require(tuple(sets[1]) not in images[0], "the second set is the first one turned: the same structure.")
    require(tuple(sets[1]) not in images[1], "the second set is the first one mirrored: the same structure.")
    scale = gcd(n, *(b - a for chord in sets for a, b in combinations(chord, 2)))
    require(n // scale != 12, f"this is the ring of twelve, drawn with every step as {scale}; find another.")
    return "Same intervals, no isometry of the ring: another pair that order 2 cannot tell apart."


@register("07.5", "A determinant of three neighbours changes sign in a mirror. Why does its sum over all triples vanish?",
          "Multiply it with something that changes when two of the three are swapped, such as (x_i · x_j)(x_j · x_k)².")
def handedness(answer: Callable[[np.ndarray], float]) -> str:
    rng = np.random.default_rng(75)
    cloud, twin = rng.normal(size=(5, 3)), degenerate_methane_pair(75, 120)
    value = answer(cloud)
    require(np.ndim(value) == 0, f"your function returns shape {np.shape(value)}; handedness is one number.")
    small = 1e-9 * max(1.0, abs(value))
    require(abs(value) > 1e-9, "it is zero for five random points: a sum over all triples of something that changes sign when "
                               "two labels are swapped cancels.")
    moved = max(abs(answer(cloud[p]) - value) for p in (rng.permutation(5) for _ in range(8)))
    require(moved < small, f"another order of the neighbours changes it by {moved:.2g}.")
    turned = max(abs(answer(cloud @ R.T) - value) for R in random_rotations(4, rng))
    require(turned < small, f"a rotation changes it by {turned:.2g}.")
    mirrored = [answer(cloud @ R.T) for R in random_improper(4, rng)]
    require(not np.allclose(mirrored, value, rtol=1e-9), "in a mirror it stays as it is: it cannot tell left from right.")
    require(np.allclose(mirrored, -value, rtol=1e-9), "in a mirror it changes, but not to its negative.")
    chiral, plane = (abs(answer(atoms.positions[1:])) for atoms in (twin.first, twin.second))
    require(chiral > 1e-9, "it is zero for twin A: all its bonds are equal, so weights that depend on lengths alone cancel.")
    require(plane < 1e-9 * max(1.0, chiral), f"it is {plane:.2g} for twin B, which has a mirror plane.")
    t = np.linspace(-1, 1, 41)
    other = rng.normal(size=(5, 3))
    line = np.array([answer(cloud + s * other) for s in t])
    fit = np.polynomial.Polynomial.fit(t, line, 20)
    require(np.abs(fit(t) - line).max() < 1e-7 * np.abs(line).max(),
            "along a straight line it is no polynomial (of degree 20 or less): sorting, signs and roots have kinks.")
    return "A pseudoscalar of order 3: zero wherever there is a mirror plane."
