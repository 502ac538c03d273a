"""Checks of chapter 01: groups that act, Haar measure, invariants, averages, symmetric kernels."""

from collections.abc import Callable
from itertools import pairwise, permutations

import numpy as np
from scipy.stats import kstest

from course_lib.exercises.core import register, require
from course_lib.symmetry import icosahedral_rotations, random_rotations


@register("01.1", "Which exchanges of atoms does the energy not notice?",
          "Only like atoms may trade places: multiply the factorials of the element counts, C2H6O is 2! · 6! · 1!.")
def group_orders(answer: tuple[int, int]) -> str:
    methane, ethanol = answer
    require(methane != 120, "5! = 120 also exchanges the carbon with a hydrogen, and that changes the energy.")
    require(methane != 12, "12 are the rotations of a tetrahedron; relabelling the hydrogens may also mirror it.")
    require(methane == 24, f"methane has one C and four H, so its order is not {methane}.")
    require(ethanol != 720, "6! = 720 counts the hydrogens alone; the two carbons are alike as well.")
    require(ethanol == 1440, f"ethanol has two C, six H and one O, so its order is not {ethanol}.")
    return "A model that must learn these from data sees each structure up to 1440 times over."


@register("01.2", "Fill a 3 × 3 matrix with normal random numbers: its distribution does not change under rotation.",
          "np.linalg.qr gives Q R; multiply each column of Q by the sign of R's diagonal to make the factorisation unique.",
          "If det Q = −1, you drew a reflection: −Q is a rotation.")
def haar_rotation(answer: Callable[[np.random.Generator], np.ndarray]) -> str:
    rng = np.random.default_rng(2)
    drawn = np.array([answer(rng) for _ in range(3000)])
    require(drawn.shape == (3000, 3, 3), f"your function returns shape {drawn.shape[1:]}, it must return (3, 3).")
    defect = np.abs(drawn @ drawn.swapaxes(1, 2) - np.eye(3)).max()
    require(defect < 1e-5, f"|R Rᵀ − 1| is {defect:.2g}: the columns are not orthonormal.")
    improper = np.mean(np.linalg.det(drawn) < 0)
    require(improper == 0, f"{improper:.0%} of your matrices have determinant −1: they are reflections, not rotations.")
    lean = np.abs(drawn.mean(axis=0)).max()
    require(lean < 0.1, f"under Haar measure every entry has mean 0; one of yours has {lean:.2f} in size. If you used QR: "
                        "LAPACK chooses the signs, make R's diagonal positive. If axis and angle: no uniform angle.")
    for i, j in np.ndindex(3, 3):
        p = kstest(drawn[:, i, j], "uniform", args=(-1, 2)).pvalue
        require(p > 1e-5, f"under Haar measure every entry is uniform on [−1, 1]; yours at row {i}, column {j} is not "
                          f"(p = {p:.0e}). Uniform Euler angles crowd the poles.")
    angle = np.arccos(np.clip((np.trace(drawn, axis1=1, axis2=2) - 1) / 2, -1, 1))
    p = kstest(angle, lambda t: (t - np.sin(t)) / np.pi).pvalue
    require(p > 1e-5, f"the angle of a Haar rotation has density (1 − cos ω)/π; yours does not (p = {p:.0e}).")
    return "Entries uniform, angles with density (1 − cos ω)/π: this is Haar."


def _clouds() -> list[np.ndarray]:
    rng = np.random.default_rng(4)
    return [rng.normal(size=(5, 3)) for _ in range(6)]


@register("01.3", "Distances take care of E(3). What is still missing is the order of the rows.",
          "A sum over pairs of a function of their distance does not see the order. One sum is one number: use several.",
          "Sums of exp(−a r²) over all pairs, for several widths a, are smooth and invariant, and tell random clouds apart.")
def invariant_fingerprint(answer: Callable[[np.ndarray], np.ndarray]) -> str:
    rng, clouds = np.random.default_rng(6), _clouds()
    values = [np.atleast_1d(answer(x)) for x in clouds]
    scale = max(np.abs(v).max() for v in values)
    require(scale > 0, "all your features are zero: invariant, and useless.")
    for symmetry, move in (("a translation", lambda x: x + [1.0, -2.0, 0.5]),
                           ("a rotation", lambda x: x @ random_rotations(1, rng)[0].T),
                           ("inversion, x → −x", lambda x: -x),
                           ("a permutation of the rows", lambda x: x[[3, 0, 4, 1, 2]])):
        change = max(np.abs(answer(move(x)) - v).max() for x, v in zip(clouds, values, strict=True)) / scale
        require(change < 1e-10, f"{symmetry} changes your features by {change:.2g} of their size.")
    apart = min(np.abs(a - b).max() for i, a in enumerate(values) for b in values[:i]) / scale
    require(apart > 1e-4, "your features are invariant, but two quite different clouds get the same values: "
                          "a constant is invariant as well, and useless.")
    for start, end in pairwise(clouds):
        path = np.array([np.atleast_1d(answer(start * (1 - t) + end * t)) for t in np.linspace(0, 1, 1001)])
        slopes = np.diff(path, axis=0)
        jump = np.max(np.abs(np.diff(slopes, axis=0)).max(axis=0) / (np.ptp(slopes, axis=0) + 1e-12 * scale))
        require(jump < 0.1, f"on the way from one cloud to another the slope of a feature jumps by {jump:.0%} of its range "
                            "in one step of a thousand: sorting, the largest and the smallest put a kink where two values "
                            "trade places, and a force would jump there.")
    return "Invariant under S_n × E(3), smooth, and these clouds stay apart."


@register("01.4", "R f(x) = 1/|G| Σ_g ρ(g)⁻¹ f(ρ(g) x).",
          "For rotation matrices g, ρ(g) x is x @ g.T when points are rows; the inverse of g is g.T.")
def reynolds_vector(answer: Callable) -> str:
    group, x = icosahedral_rotations(), np.random.default_rng(8).normal(size=(4, 3))

    def crooked(points):
        return np.array([np.sum(points[:, 0] ** 3), np.sum(points[:, 1] * points[:, 2] ** 2), np.sum(points[:, 0])])

    def straight(points):
        return np.sum(points * np.sum(points**2, axis=1, keepdims=True), axis=0)

    mean, kept = answer(crooked, group), answer(straight, group)
    require(np.shape(mean(x)) == (3,), f"the symmetrised function returns shape {np.shape(mean(x))}, f returned (3,).")
    ratio = np.linalg.norm(kept(x)) / np.linalg.norm(straight(x))
    require(not np.isclose(ratio, 60), "a function that is equivariant already comes out 60 times too large: divide by |G|.")
    invariant = np.abs(mean(x @ group[7].T) - mean(x)).max() < 1e-9
    require(not invariant, "your average does not turn when x turns: the ρ(g)⁻¹ in front of f is missing.")
    require(np.allclose(kept(x), straight(x)), "a function that is equivariant already must come out unchanged: "
                                              "is it the inverse of g that acts on the result?")
    require(np.allclose(mean(x @ group[7].T), group[7] @ mean(x)), "the result is not equivariant: R f(g x) ≠ g R f(x).")
    return "A projection: it makes any function equivariant and leaves equivariant functions alone."


@register("01.5", "k_G(x, y) = 1/|G| Σ_g k(x, g y).",
          "For one permutation p, the columns of Y are reordered: Y[:, p].")
def symmetric_kernel(answer: Callable) -> str:
    rng = np.random.default_rng(9)
    x, y = rng.normal(size=(6, 3)), rng.normal(size=(4, 3))
    group = [list(p) for p in permutations(range(3))]

    def kernel(a, b):
        return np.exp(-np.sum((a[:, None] - b[None]) ** 2, axis=-1) / 2)

    k = answer(kernel, x, y, group)
    require(np.shape(k) == (6, 4), f"the kernel matrix has shape {np.shape(k)}, it must be (6, 4).")
    once = np.abs(k - kernel(np.sort(x, axis=1), np.sort(y, axis=1))).max() < 1e-12
    require(not once, "this is the kernel of sorted features, which for a Gaussian is also the largest k(x, g y): invariant, "
                      "but kinked where two entries trade places.")
    moved = answer(kernel, x, y[:, [2, 0, 1]], group)
    require(np.allclose(moved, k), f"relabelling y changes your kernel by {np.abs(moved - k).max():.2g}.")
    expected = np.mean([kernel(x, y[:, p]) for p in group], axis=0)
    require(not np.allclose(k, 6 * expected), "this is the sum over the group; divide by its 6 elements for the mean.")
    require(np.allclose(k, expected), "the kernel is invariant, but not the mean of k(x, g y) over the group.")
    return "Averaging one side is enough, because k(g x, g y) = k(x, y)."
