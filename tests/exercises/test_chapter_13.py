"""Chapter 13: the right answers pass, and each wrong one is refused for its own reason."""

import numpy as np
from judged import judged


def correlate(f, psi):
    parts = [slice(l * l, (l + 1) ** 2) for l in range(round(len(f) ** 0.5))]
    return [np.outer(f[part], psi[part]) / (2 * l + 1) for l, part in enumerate(parts)]


def scaled(power):
    return lambda f, psi: [block * (2 * l + 1) ** power for l, block in enumerate(correlate(f, psi))]


RIGHT = [("13.1", (969, 2601)), ("13.2", correlate), ("13.3", lambda l_max, p: (p + 1) * l_max), ("13.4", (2, 3, 4)),
         ("13.4", (5, 4, 2)), ("13.4", (3, 4, 6))]

WRONG = [
    ("13.1", 969, "give two numbers"),
    ("13.1", (81, 2601), "signal on the sphere"),
    ("13.1", (680, 2601), "stops before l = 8"),
    ("13.1", (289, 2601), "the last matrix only"),
    ("13.1", (1000, 2601), "1000 is not the number of coefficients"),
    ("13.1", (969, 4913), "17 nodes of β"),
    ("13.1", (969, 153), "a third angle"),
    ("13.1", (969, 729), "9 steps of α and γ"),
    ("13.1", (969, 969), "no product grid is so lucky"),
    ("13.1", (969.9, 2601), "969.9 is not the number of coefficients"),
    ("13.1", (969, 1000), "1000 is not the number of rotations"),
    ("13.2", lambda f, psi: f @ psi, "a list with a matrix for each degree"),
    ("13.2", lambda f, psi: [f[l * l:(l + 1) ** 2] @ psi[l * l:(l + 1) ** 2] for l in range(4)], "a number for each degree"),
    ("13.2", lambda f, psi: [f[l * l:(l + 1) ** 2] for l in range(4)], "it must be (7, 7)"),
    ("13.2", lambda f, psi: [1.0, *correlate(f, psi)[1:]], "for l = 0 your answer has shape (); it must be (1, 1)"),
    ("13.2", lambda f, psi: correlate(psi, f), "this is the transpose"),
    ("13.2", scaled(1), "factor 1/(2l + 1) is missing"),
    ("13.2", scaled(2), "do not multiply"),
    ("13.2", lambda f, psi: [np.diag(np.diag(block)) for block in correlate(f, psi)], "only the diagonal"),
    ("13.2", lambda f, psi: [2 * block for block in correlate(f, psi)], "should begin with"),
    ("13.3", lambda l_max, p: p * l_max, "the degree of σ(F) alone"),
    ("13.3", lambda l_max, p: 2 * l_max, "for p = 1 only"),
    ("13.3", lambda l_max, p: 2 * p * l_max, "keeps only l ≤ L"),
    ("13.3", lambda l_max, p: 3 * l_max, "for p = 2 only"),
    ("13.3", lambda l_max, p: p * l_max + 1, "one more than p L"),
    ("13.3", lambda l_max, p: (p + 1) * l_max + 1, "for L = 4, p = 2 it is 12"),
    ("13.3", lambda l_max, p: (p + 1) * l_max + 0.5, "yours is 12.5"),
    ("13.4", 9, "give three degrees"),
    ("13.4", (2, 3), "give three degrees"),
    ("13.4", (1, 2, 6), "do not couple to a scalar"),
    ("13.4", (1, 2, 3), "is even"),
    ("13.4", (1, 1, 1), "two of 1, 1, 1 are equal"),
    ("13.4", (2, 2, 1), "two of 1, 2, 2 are equal"),
]

test_a_right_answer_is_accepted, test_a_wrong_answer_is_refused_for_its_own_reason = judged(RIGHT, WRONG)
