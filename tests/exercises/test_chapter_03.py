"""Chapter 03: the right answers pass, and each wrong one is refused for its own reason."""

from itertools import combinations, permutations
from math import comb

import numpy as np
from ase import Atoms
from judged import judged

from course_lib.polynomials import InvariantPolynomials

PAIRS = list(combinations(range(4), 2))
S4 = [[PAIRS.index(tuple(sorted((p[i], p[j])))) for i, j in PAIRS] for p in permutations(range(4))]
THREE = [1, 1, 2, 3, 4, 5, 7, 8, 10, 12]


def images(monomial, group):
    return [tuple(sorted(q[k] for k in monomial)) for q in group]


def total(monomials, y):
    return sum(np.prod(y[..., list(m)], axis=-1) for m in monomials)


def orbit_sum(monomial, y):
    return total(set(images(monomial, S4)), y)


def coupling(y):
    return y[..., 0] * y[..., 1:5].sum(axis=-1)


RIGHT = {"03.1": (36, 5), "03.2": lambda degree: THREE[: degree + 1], "03.3": orbit_sum, "03.4": (83, 10), "03.5": coupling}

WRONG = [
    ("03.1", (72, 5), "counts every pair twice"),
    ("03.1", (21, 5), "internal degrees of freedom"),
    ("03.1", (35, 5), "do not have 35 pairs"),
    ("03.1", (36, 6), "no pair O–O"),
    ("03.1", (36, 3), "the orbits of atoms"),
    ("03.1", (36, 36), "does not make 36 orbits"),
    ("03.2", lambda degree: [comb(d + 2, 2) for d in range(degree + 1)], "the identity's term alone"),
    ("03.2", lambda degree: [6 * n for n in THREE], "divide by its 6 elements"),
    ("03.2", lambda degree: np.cumsum(THREE), "those of each degree"),
    ("03.2", lambda degree: [(comb(d + 2, 2) + 2 * (d % 3 == 0)) // 3 for d in range(degree + 1)], "swaps are missing"),
    ("03.2", lambda degree: THREE[:degree], "must give ten numbers"),
    ("03.2", lambda degree: [n + 0.4 for n in THREE], "a number of polynomials is whole"),
    ("03.2", lambda degree: THREE, "count(4) must give five numbers"),
    ("03.2", lambda degree: [1] * (degree + 1), "your first numbers are [1, 1, 1, 1, 1]"),
    ("03.3", lambda m, y: total(images(m, S4), y), "count it once"),
    ("03.3", lambda m, y: orbit_sum(m, y) / len(set(images(m, S4))), "this is the mean over the orbit"),
    ("03.3", lambda m, y: total([m], y), "it is not invariant"),
    ("03.3", lambda m, y: total(set(images(m, permutations(range(6)))), y), "permute the six pairs freely"),
    ("03.3", lambda m, y: np.sum(orbit_sum(m, y)), "returns shape ()"),
    ("03.3", lambda m, y: total({tuple(sorted(set(image))) for image in images(m, S4)}, y), "powers are lost"),
    ("03.3", lambda m, y: orbit_sum(m, y) ** 2, "invariant, but not the orbit sum"),
    ("03.4", (10, 10), "one energy is one equation"),
    ("03.4", (83, 6), "no net force and no net torque"),
    ("03.4", (83, 7), "the net torque is zero as well"),
    ("03.4", (83, 9), "look at its square"),
    ("03.4", (83, 83), "83 is not how many frames"),
    ("03.5", lambda y: y[..., 0] * (y[..., 1] + y[..., 2]), "swapping the hydrogens changes"),
    ("03.5", lambda y: y[..., 0] * (y[..., 1] + y[..., 3]), "swapping the oxygens changes"),
    ("03.5", lambda y: y[..., 0] * y[..., 5], "some monomial holds no HO pair"),
    ("03.5", lambda y: y[..., 1:5].sum(axis=-1), "does not depend on the H–H distance"),
    ("03.5", lambda y: y[..., 0] * y[..., 1:5].max(axis=-1), "put kinks"),
    ("03.5", lambda y: np.sin(y[..., 0]) * y[..., 1:5].sum(axis=-1), "no polynomial"),
    ("03.5", lambda y: np.exp(y[..., 0]) * y[..., 1:5].sum(axis=-1), "no polynomial"),
    ("03.5", lambda y: coupling(y) / (1 + y[..., 1:5].sum(axis=-1)), "no polynomial"),
    ("03.5", lambda y: np.sqrt(y[..., 0]) * y[..., 1:5].sum(axis=-1), "no polynomial"),
    ("03.5", lambda y: coupling(y).sum(), "returns shape ()"),
]


def test_nine_frames_with_forces_miss_one_polynomial_of_degree_four():
    polynomials = InvariantPolynomials("CHHHH", degree=4).fit()
    frames = [Atoms("CHHHH", x) for x in 1.5 * np.random.default_rng(1).normal(size=(10, 5, 3))]
    ranks = []
    for n in (8, 9, 10):
        slopes = np.moveaxis(polynomials.jacobian(frames[:n]), 1, 3).reshape(-1, 83)
        design = np.concatenate([polynomials.transform(frames[:n]), slopes])
        ranks.append(np.linalg.matrix_rank(design / np.linalg.norm(design, axis=0)))
    assert ranks == [80, 82, 83]


test_a_right_answer_is_accepted, test_a_wrong_answer_is_refused_for_its_own_reason = judged(
    [*RIGHT.items(), ("03.2", lambda degree: [n - 1e-12 for n in THREE[: degree + 1]])], WRONG)
