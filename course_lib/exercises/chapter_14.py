"""Checks of chapter 14: paths counted, a nonlinearity that turns, a number that tells left from right, a filter on voxels."""

from collections.abc import Callable
from itertools import permutations

import numpy as np
from scipy.spatial.transform import Rotation

from course_lib.exercises.core import register, require
from course_lib.symmetry import random_rotations


@register("14.1", "A path needs |l₁ − l₂| ≤ l ≤ l₁ + l₂, and p = p₁p₂ where there are parities.",
          "With the natural labels l₁ + l₂ + l must be even. With both parities of a feature, the filter decides the output's.")
def paths(answer: tuple[int, int, int]) -> str:
    found = tuple(np.ravel(answer).tolist())
    require(len(found) == 3, f"three numbers are asked for, (a, b, c); you gave {len(found)}.")
    require(27 not in found[:2], "27 counts all triples of degrees; but 0 and 2 do not couple to 1: |l₁ − l₂| ≤ l ≤ l₁ + l₂.")
    require(found[0] != 15, "(a) is not 15: 1o times 1o is even, and does not go to 1o. Parities multiply.")
    require(found[1] != 11, "(b) is not 11: without parity 1 ⊗ 1 → 1, the cross product, is a path too.")
    require(found[2] != 60, "(c) is not 60: that lets each product go to both parities; p = p₁p₂ leaves one.")
    require(found[2] != 120, "(c) is not 120: that has filters of both parities; a harmonic has (−1)^l and no other.")
    for place, mine, right in zip("abc", found, (11, 15, 30), strict=True):
        require(mine == right, f"({place}) is not {mine}; write the pairs (l₁, l₂) down for each l.")
    return "11 of 15 survive parity; with both parities of every feature each of the 15 occurs twice, 30."


@register("14.2", "A vector may be multiplied by any function of scalars: of s, or of its own length.",
          "|v|² is smooth everywhere; |v| has a kink where v = 0, and v / |v| no value there.")
def bend(answer: Callable) -> str:
    rng = np.random.default_rng(142)
    s, v, R = rng.normal(size=(6, 3)), rng.normal(size=(6, 3, 3)), random_rotations(1, rng)[0]

    def asked(s, v):
        return [np.asarray(part, float) for part in answer(s.copy(), v.copy())]

    said = asked(s, v)
    require([part.shape for part in said] == [s.shape, v.shape],
            "for s of shape (6, 3) and v of shape (6, 3, 3) give two arrays of these shapes; yours have "
            f"{', '.join(str(part.shape) for part in said)}.")
    scalars, vectors = asked(s, R @ v)
    require(np.allclose(scalars, said[0]), "your scalars change when the vectors turn.")
    require(np.allclose(vectors, R @ said[1]), "your vectors do not turn as their input does: a function of each component "
                                               "is no vector.")
    scalars, vectors = asked(s, -v)
    require(np.allclose(vectors, -said[1]), "under inversion v becomes −v, and your vectors do not change sign: they are "
                                            "pseudovectors, as cross products are.")
    require(np.allclose(scalars, said[0]), "under inversion your scalars change: a triple product is no scalar.")
    require(np.abs(said[1]).max() > 1e-8, "your vectors are all zero: equivariant, and of no use.")
    require(not np.allclose(asked(s, 2 * v)[1], 2 * said[1]), "your vectors are linear in v: twice v gives twice as much. A "
                                                              "gate of s alone does this; let |v| have a say.")
    require(all(np.isfinite(part).all() for part in asked(s, 0 * v)), "where v is zero you divide by zero: such features "
                                                                      "occur, by symmetry.")
    require(np.abs(asked(s, 1e-9 * v)[1]).max() < 1e-3, "close to v = 0 your vectors jump: v / |v| has no value there.")
    return "Any function of what does not turn, times what does."


BONDS = np.array([[1.1], [1.4], [1.8], [1.9]]) * np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]]) / 3**0.5
TETRIS = np.array([[[0, 0, 0], [0, 0, 1], [1, 0, 0], [1, 1, 0]], [[0, 0, 0], [0, 0, 1], [1, 0, 0], [1, -1, 0]]], float)


@register("14.3", "The determinant of three points seen from the middle changes sign in a mirror, but also when two points are "
                  "exchanged: multiply it by something that does so too, and add up over all triples.",
          "Powers of the three distances between the points, each another power, d_ij d_jk² d_ki³, do; powers of the three "
          "lengths are not enough for shapes with a twofold axis.")
def hand(answer: Callable) -> str:
    rng = np.random.default_rng(143)
    R = random_rotations(1, rng)[0]
    for points in (BONDS, rng.normal(size=(5, 3))):
        found = float(answer(points.copy()))

        def differs(moved, expected=found):
            return not abs(float(answer(moved)) - expected) <= 1e-6 * max(abs(expected), 1e-9)

        require(np.isfinite(found), f"your number is {found}.")
        require(abs(found) > 1e-9, "your number is zero for points that lie anyhow. Does each term meet its negative?")
        require(not differs(points + [3.0, -1.0, 2.0]), "your number changes when all points are moved: take differences.")
        require(not differs(points @ R.T), "your number changes when all points are turned.")
        require(not any(differs(points[list(order)]) for order in permutations(range(len(points)))),
                "your number changes when the points are renumbered: a determinant changes sign when two rows change places.")
        require(differs(points * [1, 1, -1]), "your number is the same in the mirror: made of lengths, or absolute values.")
        require(not differs(points * [1, 1, -1], -found), "your number should change its sign in a mirror, and nothing else.")
    require(min(abs(float(answer(points))) for points in TETRIS) > 1e-6 * abs(float(answer(BONDS.copy()))),
            "right for points that lie anyhow, but zero for the two chiral shapes: each has a twofold axis, and all vectors "
            "made of one point at a time lie along it. Use distances of pairs.")
    return "Three factors and an odd weight: a pseudoscalar, 0o, which no network of true scalars ever has."


@register("14.4", "np.meshgrid(…, indexing='ij') keeps the axes x, y, z; 'xy' exchanges the first two.",
          "Where r = 0 there is no direction: an odd function is zero there.")
def vector_filter(answer: Callable) -> str:
    cube = Rotation.create_group("O").as_matrix().round()
    for n, h in ((5, 0.5), (7, 0.3)):
        found, middle = np.asarray(answer(n, h), float), n // 2
        require(found.shape == (3, n, n, n), f"for n = {n} your array has shape {found.shape}; it must be (3, {n}, {n}, {n}).")
        require(np.isfinite(found).all(), "your filter is not finite everywhere: in the middle you divide by zero.")
        require(np.abs(found[:, middle, middle, middle]).max() < 1e-6, "in the middle a vector has no way to point: zero is "
                                                                       "the only value that turns right.")
        places = np.stack(np.meshgrid(*[np.arange(n) - middle] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
        values = found.reshape(3, -1).T
        where = {tuple(place): row for row, place in enumerate(places.tolist())}
        for R in np.concatenate([cube, -cube]):
            moved = [where[tuple(place)] for place in (places @ R.T).astype(int).tolist()]
            require(np.allclose(values[moved], values @ R.T, atol=1e-6), "κ(Rx) = R κ(x) fails for a turn or mirror of the "
                                                                         "grid: are components in the order of its axes?")
        step, across = found[0, middle + 1, middle, middle], values[where[1, 1, 0]]
        require(step > 0, "the vector at +x should point along +x: the sign is turned round, or your filter is zero.")
        require(not np.isclose(step, h * np.exp(-(h**2) / 2)), "this is w(r) r, not w(r) r̂: divide by the distance.")
        require(not np.isclose(step, np.exp(-0.5)), "r is counted in steps, not in lengths: a step is h.")
        require(np.allclose([step, *across], [np.exp(-(h**2) / 2), *(np.exp(-(h**2)) / 2**0.5 * np.array([1, 1, 0]))]),
                f"at one step in x your x component is {step:.3f}; w(r) r̂ with w = exp(−r²/2) has {np.exp(-(h**2) / 2):.3f}.")
        r = h * np.linalg.norm(places, axis=1, keepdims=True)
        require(np.allclose(values, np.exp(-(r**2) / 2) * h * places / np.where(r > 0, r, 1), atol=1e-6),
                "right at the nearest steps, and wrong farther out: the filter reaches over all n³ steps.")
    return "One of the kernels of a 3-D steerable CNN, exact under the 48 symmetries of the grid."
