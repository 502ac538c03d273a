"""Checks of chapter 13: sizes on SO(3), correlation by coefficients, a grid for a polynomial, a sum that sees mirrors."""

from collections.abc import Callable, Sequence

import numpy as np

from course_lib.exercises.core import register, require
from course_lib.symmetry import clebsch_gordan


@register("13.1", "Degree l has a matrix of (2l + 1) × (2l + 1) numbers; add them up from l = 0 to 8.",
          "The angles α and γ need 2L + 1 steps each, cos β needs L + 1 nodes of Gauss.")
def sizes(answer: tuple[int, int]) -> str:
    require(np.shape(answer) == (2,), f"give two numbers, coefficients and rotations, not {answer!r}.")
    coefficients, rotations = answer
    for wrong, reason in {81: "81 = (8 + 1)² are those of a signal on the sphere; on SO(3) each degree has a matrix.",
                          680: "680 stops before l = 8, which still belongs to it.",
                          289: "289 is the last matrix only; add those of all degrees."}.items():
        require(coefficients != wrong, reason)
    require(coefficients == 969, f"{coefficients} is not the number of coefficients; add (2l + 1)² from l = 0 to 8.")
    for wrong, reason in {4913: "4913 = 17³ takes 17 nodes of β; by Gauss's rule L + 1 are enough.",
                          153: "153 is a grid on the sphere; there is a third angle.",
                          729: "729 = 9³ takes 9 steps of α and γ; cos mα with m up to 16 needs 17.",
                          969: "969 would be as many as coefficients; no product grid is so lucky."}.items():
        require(rotations != wrong, reason)
    require(rotations == 2601, f"{rotations} is not the number of rotations; multiply 2L + 1, L + 1 and 2L + 1.")
    return "969 coefficients, 17 · 9 · 17 = 2601 rotations: that is what pointwise nonlinearities cost."


@register("13.2", "For each l a column times a row: np.outer. Which of the two is the column?",
          "With F̂ = ∫ F D dR there is a factor, ∫ D² dR = 1/(2l + 1).")
def correlation(answer: Callable) -> str:
    rng = np.random.default_rng(132)
    f, psi = rng.normal(size=(2, 16))
    parts = [slice(l * l, (l + 1) ** 2) for l in range(4)]
    right = [np.outer(f[p], psi[p]) / (2 * l + 1) for l, p in enumerate(parts)]
    found = answer(f.copy(), psi.copy())
    require(isinstance(found, Sequence) and len(found) == 4, "give a list with a matrix for each degree, here for l = 0 to 3.")
    found = [np.asarray(block) for block in found]
    require(found[3].ndim > 0, "a number for each degree: that is the answer at R = 1 only. A column times a row is a matrix.")
    for l, block in reversed(list(enumerate(found))):
        require(block.shape == (2 * l + 1, 2 * l + 1),
                f"for l = {l} your answer has shape {block.shape}; it must be ({2 * l + 1}, {2 * l + 1}).")

    def equal(candidate: list[np.ndarray]) -> bool:
        return all(map(np.allclose, found, candidate))

    require(not equal([block.T for block in right]), "this is the transpose: D^l_mn has the signal's index first, ψ's second.")
    require(not equal([block * (2 * l + 1) for l, block in enumerate(right)]),
            "the factor 1/(2l + 1) is missing: these are the numbers beside D^l_mn, and F̂ stands beside (2l + 1) D^l_mn.")
    require(not equal([block * (2 * l + 1) ** 2 for l, block in enumerate(right)]), "divide by 2l + 1, do not multiply.")
    require(not equal([np.diag(f[p] * psi[p]) / (2 * l + 1) for l, p in enumerate(parts)]),
            "only the diagonal, m = n: every order of the signal meets every order of the filter.")
    require(equal(right), "the matrix of l = 1 should begin with "
                          f"{np.round(right[1][0, 0], 3)}, yours begins with {np.round(found[1][0, 0], 3)}.")
    return "A column times a row: rank one for each degree, until a second channel adds its own."


@register("13.3", "A product of p signals up to L has degrees up to p L. To analyse it up to L, what must the grid integrate?",
          "The integrand of the analysis is σ(F) times D^l with l ≤ L: add the two degrees.")
def degree(answer: Callable) -> str:
    cases = [(4, 2), (6, 3), (5, 1), (3, 4)]
    found = [float(answer(l_max, power)) for l_max, power in cases]
    for candidate, reason in (
        (lambda l, p: p * l, "p L is the degree of σ(F) alone; in the integral it stands beside a D^l with l up to L."),
        (lambda l, p: 2 * l, "2 L is enough for p = 1 only."),
        (lambda l, p: 2 * p * l, "2 p L would analyse σ(F) up to its last degree; the next layer keeps only l ≤ L."),
        (lambda l, p: 3 * l, "3 L is right for p = 2 only."),
        (lambda l, p: p * l + 1, "one more than p L is not enough: the D^l beside it goes up to L."),
    ):
        require(found != [candidate(*case) for case in cases], reason)
    right = [(power + 1) * l_max for l_max, power in cases]
    wrong = next((k for k, (a, b) in enumerate(zip(found, right, strict=True)) if a != b), None)
    require(wrong is None, f"for L = {cases[wrong or 0][0]}, p = {cases[wrong or 0][1]} it is {right[wrong or 0]}, "
                           f"yours is {found[wrong or 0]:g}.")
    return "(p + 1) L: oversampling (p + 1)/2 makes a polynomial exact, and nothing makes relu so."


@register("13.4", "Under the inversion r̂ → −r̂ a part of degree l gets the sign (−1)^l. Which sums l₁ + l₂ + l₃ change sign?",
          "C with odd l₁ + l₂ + l₃ changes sign when two places of one degree are exchanged, and here both hold the same f̂.")
def handed(answer: Sequence[int]) -> str:
    require(np.shape(answer) == (3,) and all(int(l) == l and l >= 0 for l in answer), f"give three degrees, not {answer!r}.")
    a, b, c = sorted(map(int, answer))
    require(c <= a + b, f"{a}, {b} and {c} do not couple to a scalar: the largest is more than the sum of the others.")
    require((a + b + c) % 2 == 1, f"{a} + {b} + {c} is even: this one is the same for the mirror image, like a power spectrum.")
    require(len({a, b, c}) == 3, f"two of {a}, {b}, {c} are equal: the coupling is antisymmetric in them, and of one and the "
                                 "same signal the sum is always zero.")
    f = np.random.default_rng(134).normal(size=(c + 1) ** 2)
    value = np.einsum("a,b,c,abc", *(f[l * l:(l + 1) ** 2] for l in (a, b, c)), clebsch_gordan(a, b, c))
    require(abs(value) > 1e-9, "this sum is zero.")
    return f"{a}, {b}, {c}: it changes sign in the mirror and not under rotation. (The smallest are 2, 3, 4.)"
