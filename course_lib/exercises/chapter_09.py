"""Checks of chapter 09: a rotation-invariant modulus, numbers of features, rates of grid errors, a field that has a hand."""

from collections.abc import Callable

import numpy as np

from course_lib.exercises.core import register, require
from course_lib.symmetry import random_improper, random_rotations


@register("09.1", "A rotation mixes the 2l + 1 fields by an orthogonal matrix. Which function of a vector does that leave?",
          "The length: the root of the sum of squares over m.")
def modulus(answer: Callable) -> str:
    fields = np.random.default_rng(0).normal(size=(5, 3, 4, 2))
    found, right = np.asarray(answer(fields)), np.linalg.norm(fields, axis=0)
    require(found.shape == right.shape,
            f"for 5 fields on a 3 × 4 × 2 grid you return shape {found.shape}; a modulus is one field, (3, 4, 2).")
    require(not np.allclose(found, right**2), "these are the squares; the modulus is their root, else powers q mean 2q.")
    require(not np.allclose(found, np.abs(fields).sum(axis=0)),
            "a sum of absolute values depends on the axes: rotated by 45°, (1, 0) becomes (1, 1)/√2, and 1 becomes √2.")
    require(not np.allclose(found, np.abs(fields.sum(axis=0))),
            "the fields of different m must not be added: a rotation by 180° changes the sign of some of them.")
    require(not np.allclose(found, np.abs(fields).max(axis=0)), "the largest component is not the same after a rotation.")
    require(not np.allclose(found, np.sqrt(np.mean(fields**2, axis=0))),
            "a mean over m is invariant too, but scaled by (2l + 1)^(−1/2); take the sum, as the wavelets' amplitude expects.")
    require(np.allclose(found, right), "for random fields this is not the root of the sum of squares.")
    return "The length of the vector of 2l + 1 fields, which no rotation of that vector changes."


@register("09.2", "For a charge: ρ itself; every scale with every degree; every pair of scales j < j' with every degree.",
          "C (1 + (L + 1) [(J + 1) + J (J + 1)/2]) Q.")
def count(answer: Callable[[int, int, int, int], int]) -> str:
    def right(J, L, Q, C):
        return C * Q * (1 + (L + 1) * (J + 1 + J * (J + 1) // 2))

    cases = [(3, 3, 5, 3), (2, 3, 4, 3), (0, 2, 1, 1), (4, 1, 2, 2)]
    found = [answer(*case) for case in cases]
    require(all(number == int(number) for number in found), f"a number of features is whole; you count {found}.")
    wrong = {
        "the integrals of ρ itself, order zero, are missing": lambda J, L, Q, C: right(J, L, Q, C) - C * Q,
        "scales run from 0 to J, and degrees from 0 to L: that is J + 1 and L + 1 of them": lambda J, L, Q, C: C * Q * (
            1 + L * (J + J * (J - 1) // 2)),
        "j' = j and j' < j are counted too; only j' > j is kept, since a smaller wavelet finds nothing new": lambda J, L, Q, C:
            C * Q * (1 + (L + 1) * (J + 1 + (J + 1) ** 2)),
        "the second wavelet has the degree of the first; you let it have any": lambda J, L, Q, C: C * Q * (
            1 + (L + 1) * (J + 1) + (L + 1) ** 2 * (J * (J + 1) // 2)),
        "the orders m are summed over before the integral; they are no features": lambda J, L, Q, C: C * Q * (
            1 + (L + 1) ** 2 * (J + 1 + J * (J + 1) // 2)),
    }
    for reason, formula in wrong.items():
        require(found != [formula(*case) for case in cases], f"{reason}.")
    require(found[0] == 615, f"for J = 3, L = 3, five powers and three charges you count {found[0]}; the library has 615.")
    require(found == [right(*case) for case in cases], "615 is right, but another J, L, Q or C gives a wrong number.")
    return "615 for the settings of this chapter; most are of second order."


@register("09.3", "Near a zero U is like |x|, so U^q is like |x|^q in three dimensions. Measure x in units of h.",
          "One zero spoils a handful of cells of volume h³, each by about h^q.")
def rate(answer: Callable[[float], float]) -> str:
    found = np.array([float(answer(q)) for q in (0.5, 1, 3)])
    require(not np.allclose(found, [0.5, 1, 3]), "h^q is how wrong the value in one cell is; what volume has the cell?")
    require(not np.allclose(found, 3), "h³ is the volume of a cell at the kink; but U is small there, by h^q.")
    require(not np.allclose(found, 2), "h² is for a kink along a line in one dimension; here the kink is a point in space.")
    require(not np.allclose(found, [3.5, 7, 21]) and not np.allclose(found, [1.5, 3, 9]),
            "the powers of h multiply, so their exponents add.")
    require(np.allclose(found, [3.5, 4, 6]), f"for q = ½, 1, 3 you predict h to the power {found.tolist()}.")
    return "h^(3 + q), unless q is even: then U^q is a polynomial in the fields, without a kink, and the error falls faster."


def fields(positions: np.ndarray) -> np.ndarray:
    """Of five different atoms (5, 3), Å, on a grid: the vectors of l = 1 on three scales, (3, 3, n, n, n), but for factors."""
    axis = 0.3 * (np.arange(32) - 15.5)
    apart = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"))[:, None] - positions.T[:, :, None, None, None]
    squares, charges = (apart**2).sum(axis=0), np.array([6, 1, 7, 8, 9])[:, None, None, None]
    widths = 0.4 * np.sqrt(1 + 4.0 ** np.arange(3))
    return np.array([(charges * np.exp(-squares / (2 * s**2)) * apart / s).sum(axis=1) for s in widths])


@register("09.4", "det(v_0, v_1, v_2), taken place by place, changes its sign in a mirror. And its sum over the grid?",
          "Zero: it is a sum over three atoms, and three atoms lie in a plane, which is a mirror. More atoms must take part.",
          "Multiply the determinant by a scalar of its own place, such as |v_0|², before the sum.")
def hand(answer: Callable[[np.ndarray], float]) -> str:
    rng = np.random.default_rng(98)
    atoms = rng.normal(size=(5, 3))
    trials = rng.normal(size=(2, 3, 3, 3, 4, 5))
    found = np.array([answer(v) for v in trials])
    require(found.shape == (2,), f"your function returns shape {found.shape[1:]}; give one number, a sum over the grid.")
    require(np.abs(found).min() > 1e-9, "it is zero whatever the fields are: so is a determinant that holds one vector twice.")
    early, late = (np.array([rule(v) for v in trials]) for rule in (
        lambda v: np.linalg.det(v.sum(axis=(2, 3, 4))), lambda v: np.linalg.det(np.moveaxis(v, (0, 1), (-2, -1))).sum()))
    require(not np.isclose(*found / early), "you sum over the grid before you multiply; but a wavelet has mean zero, and so "
                                            "has each field made with it.")
    require(not np.isclose(*found / late), "for any molecule this is zero: it is a sum over three atoms, which lie in a plane, "
                                           "and the mirror at that plane changes its sign. Bring in a scalar at each place.")
    value = answer(fields(atoms))
    turned = max(abs(answer(fields(atoms @ R.T)) / value - 1) for R in random_rotations(3, rng))
    require(turned < 0.05, f"a rotation changes it by {turned:.0%}: make it of dot products and determinants of whole vectors, "
                           "without roots or signs, whose kinks a grid does not integrate well.")
    mirrored = answer(fields(atoms @ random_improper(1, rng)[0].T)) / value
    require(not np.isclose(mirrored, 1, atol=0.05), "in a mirror it stays as it is: a modulus or a square has taken the sign.")
    require(np.isclose(mirrored, -1, atol=0.05), f"in a mirror it becomes {mirrored:.2f} times itself, and should become −1 "
                                                 "times.")
    return "A product at each place keeps what moduli throw away; but it takes more than three factors."
