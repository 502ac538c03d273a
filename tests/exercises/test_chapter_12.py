"""Chapter 12: the right answers pass, and each wrong one is refused for its own reason."""

import numpy as np
from judged import judged

from course_lib.exercises.chapter_12 import BIPYRAMID
from course_lib.symmetry import random_rotations


def environment(vectors, cutoff, onset, progress=None, shape=lambda u: 0.5 * np.cos(np.pi * u) + 0.5):
    r = np.linalg.norm(vectors, axis=1, keepdims=True)
    u = np.clip((r - onset) / (cutoff - onset), 0, 1) if progress is None else progress(r, cutoff, onset)
    s = shape(u) / r
    return np.hstack([s, s * vectors / r])


def lengths(vectors):
    return np.linalg.norm(vectors, axis=1, keepdims=True)


def angle(D, straight):
    return np.degrees(np.arccos(np.clip(2 * (D * straight).sum() / (straight**2).sum() - 3, -1, 1)))


def pyramid(z=-0.25):
    base = np.sqrt(1 - z**2)
    return np.array([[0, 0, 1], [base, 0, z], [0, base, z], [-base, 0, z], [0, -base, z]])


PENTAGON = np.array([[np.cos(a), np.sin(a), 0] for a in 2 * np.pi * np.arange(5) / 5])
TURN = random_rotations(1, np.random.default_rng(0))[0]

RIGHT = [("12.1", 510), ("12.2", environment), ("12.3", angle), ("12.4", pyramid()),
         ("12.4", pyramid()[[2, 0, 1, 4, 3]] @ TURN), ("12.4", pyramid().round(3).tolist())]

WRONG = [
    ("12.1", 576, "576 are all entries"),
    ("12.1", 504, "diagonal entries occur once"),
    ("12.1", 78, "the symmetric block alone"),
    ("12.1", 1176, "would be those of A Aᵀ"),
    ("12.1", 498, "leaves out the block's diagonal"),
    ("12.1", 12, "12 is not the number"),
    ("12.2", lambda v, c, o: environment(v, c, o, shape=lambda u: 1 - u**3 * (6 * u**2 - 15 * u + 10)), "the quintic of"),
    ("12.2", lambda v, c, o: environment(v, c, o) * lengths(v), "the division is missing"),
    ("12.2", lambda v, c, o: np.hstack([environment(v, c, o)[:, :1], environment(v, c, o)[:, :1] * v]), "and not s·x"),
    ("12.2", lambda v, c, o: np.hstack([environment(v, c, o)[:, :1], v / lengths(v)]), "directions are not times s"),
    ("12.2", lambda v, c, o: environment(v, c, o, lambda r, c, o: np.clip(r / c, 0, 1)), "u starts at the onset"),
    ("12.2", lambda v, c, o: environment(v, c, o, lambda r, c, o: (r - o) / (c - o)), "must be held between 0 and 1"),
    ("12.2", lambda v, c, o: environment(v, c, o, lambda r, c, o: np.minimum((r - o) / (c - o), 1)), "below the onset u is 0"),
    ("12.2", lambda v, c, o: environment(v, c, o, lambda r, c, o: np.maximum((r - o) / (c - o), 0)), "beyond the cutoff"),
    ("12.2", lambda v, c, o: environment(v, c, o).T, "it must be (7, 4)"),
    ("12.2", lambda v, c, o: environment(v, c, o, lambda r, c, o: np.clip((r - o) / (c - o), 0, 1) ** 2), "the row at 3.3 Å"),
    ("12.3", lambda D, straight: np.radians(angle(D, straight)), "this is in radians"),
    ("12.3", lambda D, straight: np.cos(np.radians(angle(D, straight))), "this is the cosine"),
    ("12.3", lambda D, straight: 180 - angle(D, straight), "the sign of the cosine is lost"),
    ("12.3", lambda D, straight: np.degrees(np.arccos(np.clip(4 * D[0, 0] / straight[0, 0] - 5, -1, 1))), "occurs twice"),
    ("12.3", lambda D, straight: 90.0, "you say 90.0°"),
    ("12.4", pyramid()[:4], "yours have shape (4, 3)"),
    ("12.4", 1.5 * pyramid(), "yours have lengths"),
    ("12.4", pyramid()[[0, 0, 1, 2, 3]], "at one place"),
    ("12.4", BIPYRAMID @ TURN, "this is the trigonal bipyramid"),
    ("12.4", pyramid(0.0), "add up to one of length 1.00"),
    ("12.4", PENTAGON, "no square pyramid"),
]

test_a_right_answer_is_accepted, test_a_wrong_answer_is_refused_for_its_own_reason = judged(RIGHT, WRONG)
