"""Checks of chapter 02: parity of products, the power spectrum, harmonics by hand, the cross product, the bispectrum."""

from collections.abc import Callable

import numpy as np

from course_lib.exercises.core import register, require
from course_lib.symmetry import random_improper, random_rotations, rotate_coefficients, spherical_harmonics, wigner_D

RELATIVE = 1e-9


@register("02.1", "L runs from |l1 − l2| to l1 + l2 in steps of one.",
          "Inversion gives the product (−1)^(l1 + l2), and a true tensor of degree L gets (−1)^L. Where do they differ?")
def degrees_and_parity(answer: tuple[set[int], set[int]]) -> str:
    require(isinstance(answer, tuple | list) and len(answer) == 2 and all(map(np.iterable, answer)),
            "give two sets, ({...}, {...}): all degrees, and those that are pseudotensors.")
    degrees, pseudo = (set(part) for part in answer)
    require(degrees | pseudo != {1, 2, 3, 4, 5} or pseudo <= degrees,
            f"the first set holds all degrees, the pseudotensors too; {sorted(pseudo - degrees)} are missing from it.")
    require(0 not in degrees, "L = 0 needs l1 = l2: a scalar product takes two vectors of one length.")
    require(degrees != {5}, "5 = 2 + 3 is only the largest; coupling also gives smaller degrees, down to |2 − 3|.")
    require(degrees != {2, 3}, "2 and 3 are the degrees that go in, not those that come out.")
    require(degrees == {1, 2, 3, 4, 5}, f"the dimensions of your degrees add to {sum(2 * L + 1 for L in degrees)}, the "
                                        "product has 5 · 7 = 35.")
    require(pseudo != {1, 3, 5}, "all parts have the parity (−1)^5 = −1, and that is right for a true tensor of odd "
                                 "degree: 1, 3 and 5 are the true ones.")
    require(pseudo <= degrees, f"{sorted(pseudo - degrees)} are called pseudotensors but do not appear at all.")
    require(pseudo == {2, 4}, f"{sorted(pseudo ^ {2, 4})} are sorted wrongly: l1 + l2 + L must be odd for a pseudotensor.")
    return "3 + 5 + 7 + 9 + 11 = 35 = 5 · 7: nothing is lost, and two of the five parts are pseudotensors."


@register("02.2", "The five are xy, yz, 3z² − 1, xz and x² − y², each with a factor, in the order m = −2 … 2.",
          "√(15/4π) times (xy, yz, (3z² − 1) / 2√3, xz, (x² − y²) / 2) of the unit vector.")
def second_degree(answer: Callable[[np.ndarray], np.ndarray]) -> str:
    v = np.random.default_rng(23).normal(size=(20, 3))
    v = np.concatenate([v, v[:, [1, 2, 0]], v[:, [2, 0, 1]]])  # a function and its like for another axis: one size
    unit = v / np.linalg.norm(v, axis=1, keepdims=True)
    y, expected = np.asarray(answer(unit)), spherical_harmonics(2, v)[:, 4:]
    require(y.shape == (60, 5), f"your function returns shape {y.shape} for (60, 3); it must be (60, 5).")
    require(np.isrealobj(y), "your harmonics are complex; ours are real.")
    zxy = wigner_D(2, np.eye(3)[[2, 0, 1]])
    scales = {"4π too large in square: that is e3nn's 'component' normalisation, |Y|² = 5": np.sqrt(4 * np.pi),
              "normalised to length 1, as e3nn's 'norm'": np.sqrt(4 * np.pi / 5)}
    for scale in (1.0, *scales.values()):
        require(not np.allclose(y, scale * expected @ zxy.T), "this is e3nn's order: its polar axis is y, ours is z.")
    for reason, scale in scales.items():
        require(not np.allclose(y, scale * expected), f"order and signs are right, but the values are {reason}.")
    for m in range(-2, 3):
        own, right = y[:, m + 2], expected[:, m + 2]
        require(not np.allclose(own, -right), f"m = {m} has the wrong sign: ours carry no Condon–Shortley sign.")
        partner = [k - 2 for k in range(5) if k != m + 2 and np.allclose(np.abs(own), np.abs(expected[:, k]))]
        require(not partner, f"at the place of m = {m} stands m = {(partner or [0])[0]}: the order is m = −2 … 2.")
        norm = np.linalg.norm(own) / np.linalg.norm(right)
        require(abs(norm - 1) < 1e-5, f"m = {m} is {norm:.3g} times its right size (root mean square).")
        require(np.allclose(own, right, atol=1e-6), f"m = {m} has the right size, but is another function.")
    require(np.allclose(answer(v), expected, atol=1e-6),
            "right on unit vectors, but a harmonic depends on the direction alone: divide by the length.")
    return "All five, orthonormal, in our order: equal to sphericart's."


@register("02.3", "Our l = 1 is (y, z, x): a[[1, 2, 0]] goes there, [[2, 0, 1]] comes back.",
          "couple(…, …, 1) is the cross product divided by √2.")
def cross_product(answer: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> str:
    a, b = np.random.default_rng(24).normal(size=(2, 3))
    c, right = np.asarray(answer(a, b)), np.cross(a, b)
    require(c.shape == (3,), f"your function returns shape {c.shape}; it must be (3,).")
    factor = np.linalg.norm(c) / np.linalg.norm(right)
    require(abs(factor * np.sqrt(2) - 1) > RELATIVE, "too short by √2: Clebsch–Gordan coefficients have orthonormal rows.")
    require(np.allclose(answer(2 * a, b), 2 * c), "doubling a must double a × b: a harmonic keeps only the direction, so "
                                                  "couple the vectors themselves.")
    require(not np.allclose(c, -right), "this is b × a: the coupling is antisymmetric, so the order of the two counts; "
                                        "or you used a mirrored order, such as (z, y, x).")
    for order, name in (([1, 2, 0], "(y, z, x)"), ([2, 0, 1], "(z, x, y)")):
        require(not np.allclose(c, right[order]), f"right numbers in the order {name}: bring the result back to (x, y, z).")
    require(np.allclose(c, right), f"not the cross product; its length is {factor:.3g} of the right one.")
    return ("Antisymmetric and of degree 1: there is only one such map, so it had to be the cross product. (Any cyclic order "
            "of x, y, z works, for it is a rotation.)")


def equal_power_pair() -> tuple[np.ndarray, np.ndarray]:
    """Two functions up to l = 4, (25,) each: the second has its block l = 4 turned alone."""
    rng = np.random.default_rng(25)
    first = rng.normal(size=25)
    second = first.copy()
    second[16:] = wigner_D(4, random_rotations(1, rng)[0]) @ first[16:]
    return first, second


@register("02.4", "Degree 3: couple two blocks to the degree of a third, and take the dot product with the third.",
          "The two functions differ in how block 4 lies to the others, so block 4 must take part.",
          "A mirror keeps it if l1 + l2 + l3 is even: couple(c[4:9], c[4:9], 4) and c[16:25] will do.")
def bispectrum(answer: Callable[[np.ndarray], float]) -> str:
    first, second = equal_power_pair()
    rng, value = np.random.default_rng(26), np.asarray(answer(first))
    require(np.size(value) == 1, f"your function returns {np.size(value)} numbers, the task asks for one.")
    value, other = float(np.squeeze(value)), float(np.squeeze(answer(second)))
    size = max(abs(value), abs(other))
    require(size > 1e-10, "it vanishes identically: two equal factors couple to zero at odd L, and any two where "
                          "|l1 − l2| ≤ L ≤ l1 + l2 fails.")
    for rotation in random_rotations(3, rng):
        change = abs(float(np.squeeze(answer(rotate_coefficients(first, rotation)))) - value) / size
        require(change < RELATIVE, f"not invariant: it changes under rotation by {change:.2g} of its size.")
    mirrored = float(np.squeeze(answer(rotate_coefficients(first, random_improper(1, rng)[0]))))
    require(abs(mirrored + value) > RELATIVE * size,
            "a mirror turns its sign: l1 + l2 + l3 is odd, so this is a pseudoscalar, invariant under SO(3) only.")
    require(abs(mirrored - value) < RELATIVE * size, "invariant under rotations but not under reflections: it mixes "
                                                     "scalars and pseudoscalars.")
    require(abs(value - other) > 1e-3 * size, "equal for both functions: powers of the blocks, and products that leave "
                                              "out block 4 or couple it only with itself, cannot separate them.")
    doubled = float(np.squeeze(answer(2 * first))) / value
    require(abs(doubled - 8) < 1e-6, f"it separates, but doubling the function multiplies it by {doubled:.3g}; "
                                     "a polynomial of degree 3 gives 8.")
    line = [float(np.squeeze(answer(second + t * first))) for t in range(-2, 3)]
    require(abs(np.diff(line, 4)[0]) < 1e-6 * np.abs(line).max(),
            "it separates, and doubling the function gives 8, but it is no polynomial: absolute values, roots and quotients "
            "are none.")
    return "Three factors see how blocks lie to each other; two factors see each block alone."
