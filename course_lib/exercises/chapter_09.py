"""Checks of chapter 09: a rotation-invariant modulus, widths that add in squares, numbers of features, rates of grid errors."""

from collections.abc import Callable
from math import hypot

import numpy as np

from course_lib.exercises.core import register, require


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


@register("09.2", "Gaussians are convolved by multiplying e^{−σ²k²/2}: what adds up in the exponent?",
          "s² = σ² + σ_2², with σ_2 = 4 σ.")
def width(answer: float) -> str:
    s = float(answer)
    require(abs(s - 2.0) > 1e-2, "2.0 Å is the sum of the widths; it is their squares that add.")
    require(abs(s - 1.6) > 1e-2, "1.6 Å is the wavelet alone; the atom is a Gaussian as well.")
    require(abs(s - (0.4**2 + 1.6**2)) > 1e-2, "2.72 Å² is the square of the width.")
    require(abs(s - hypot(0.4, 0.8)) > 1e-2, "scales start at j = 0: σ_2 is 2² σ.")
    require(abs(s - hypot(0.4, 1.6)) < 2e-3, f"{s:g} Å is not the root of 0.4² + 1.6².")
    return "1.649 Å, so a grid for j = 2 may be four times as coarse as one for j = 0, at little loss."


@register("09.3", "For a charge: ρ itself; every scale with every degree; every pair of scales j < j' with every degree.",
          "C (1 + (L + 1) [(J + 1) + J (J + 1)/2]) Q.")
def count(answer: Callable[[int, int, int, int], int]) -> str:
    def right(J, L, Q, C):
        return C * Q * (1 + (L + 1) * (J + 1 + J * (J + 1) // 2))

    cases = [(3, 3, 5, 3), (2, 3, 4, 3), (0, 2, 1, 1), (4, 1, 2, 2)]
    found = [int(answer(*case)) for case in cases]
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


@register("09.4", "Near a zero U is like |x|, so U^q is like |x|^q in three dimensions. Measure x in units of h.",
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
