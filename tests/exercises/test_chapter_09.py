"""Chapter 09: the right answers pass, and each wrong one is refused for its own reason."""

import numpy as np
from judged import judged


def count(J, L, Q, C):
    return C * Q * (1 + (L + 1) * (J + 1 + J * (J + 1) // 2))


RIGHT = [("09.1", lambda f: np.sqrt((f**2).sum(axis=0))), ("09.2", 1.649), ("09.3", count), ("09.4", lambda q: 3 + q)]

WRONG = [
    ("09.1", lambda f: (f**2).sum(axis=0), "these are the squares"),
    ("09.1", lambda f: np.abs(f).sum(axis=0), "depends on the axes"),
    ("09.1", lambda f: np.abs(f.sum(axis=0)), "must not be added"),
    ("09.1", lambda f: np.abs(f).max(axis=0), "largest component"),
    ("09.1", lambda f: np.sqrt((f**2).mean(axis=0)), "a mean over m"),
    ("09.1", lambda f: np.sqrt((f**2).sum()), "you return shape ()"),
    ("09.1", lambda f: np.abs(f[0]), "not the root of the sum"),
    ("09.2", 2.0, "the sum of the widths"),
    ("09.2", 1.6, "the wavelet alone"),
    ("09.2", 2.72, "the square of the width"),
    ("09.2", 0.894, "scales start at j = 0"),
    ("09.2", 1.0, "is not the root"),
    ("09.3", lambda J, L, Q, C: count(J, L, Q, C) - C * Q, "order zero"),
    ("09.3", lambda J, L, Q, C: C * Q * (1 + L * (J + J * (J - 1) // 2)), "that is J + 1 and L + 1"),
    ("09.3", lambda J, L, Q, C: C * Q * (1 + (L + 1) * (J + 1 + (J + 1) ** 2)), "only j' > j is kept"),
    ("09.3", lambda J, L, Q, C: C * Q * (1 + (L + 1) * (J + 1) + (L + 1) ** 2 * (J * (J + 1) // 2)), "degree of the first"),
    ("09.3", lambda J, L, Q, C: C * Q * (1 + (L + 1) ** 2 * (J + 1 + J * (J + 1) // 2)), "they are no features"),
    ("09.3", lambda J, L, Q, C: 615, "another J, L, Q or C"),
    ("09.3", lambda J, L, Q, C: 41, "you count 41"),
    ("09.4", lambda q: q, "what volume has the cell"),
    ("09.4", lambda q: 3, "U is small there"),
    ("09.4", lambda q: 2, "a point in space"),
    ("09.4", lambda q: 3 * q, "exponents add"),
    ("09.4", lambda q: 5, "you predict h"),
]

test_the_right_answer_is_accepted, test_the_wrong_answer_is_refused_with_its_reason = judged(RIGHT, WRONG)
