"""Chapter 06: the right answers pass, and each wrong one is refused for its own reason."""

from itertools import product

import numpy as np
from judged import judged

from course_lib.exercises import exercises
from course_lib.symmetry import couple

CORNERS = np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]])
SQUARE = np.array([[1.0, 1, 0], [1, -1, 0], [-1, 1, 0], [-1, -1, 0]])


def parts(T, thirds=3, half=2, traceless=True, sign=1):
    swapped = np.swapaxes(T, -1, -2)
    isotropic = np.trace(T, axis1=-2, axis2=-1)[..., None, None] * np.eye(3)
    return isotropic / thirds, sign * (T - swapped) / half, (T + swapped) / 2 - traceless * isotropic / 3


def k(c, d, degree, parities=(0,), ordered=True, crossed=True, factor=True):
    total, kept = np.zeros(2 * (2 * degree + 1,)), np.ones((len(c),) * 2, bool) if crossed else np.eye(len(c), dtype=bool)
    for l1, l2 in product(range(4), repeat=2):
        if abs(l1 - l2) <= degree <= l1 + l2 and (l1 + l2 + degree) % 2 in parities and (ordered or l1 <= l2):
            a, b = slice(l1 * l1, (l1 + 1) ** 2), slice(l2 * l2, (l2 + 1) ** 2)
            q, q_ = (couple(x[:, None, a], x[None, :, b], degree)[kept] for x in (c, d))
            total += q.T @ q_
    return total / (2 * degree + 1 if factor else 1)


def induced(mu, alpha, r, power=3, three=3.0):
    distance = np.linalg.norm(r)
    return alpha @ (three * r * (r @ mu) / distance**2 - mu) / distance**power


RIGHT = [("06.1", [1, 3]), ("06.1", (3, 1)), ("06.1", {1, 3}), ("06.2", parts), ("06.3", k),
         ("06.4", np.vstack([0.6 * CORNERS, -0.9 * CORNERS])), ("06.4", np.vstack([0.6 * CORNERS, 0.9 * CORNERS])),
         ("06.3", lambda c, d, degree: k(c, d, degree).astype(np.float32)),
         ("06.4", np.vstack([3 / np.sqrt(3) * CORNERS, -1.5 / np.sqrt(3) * CORNERS])),          # as far as allowed, to rounding
         ("06.5", induced), ("06.5", lambda mu, alpha, r: induced(mu, alpha, r).astype(np.float32)),
         ("06.5", lambda mu, alpha, r: induced(mu, alpha, r).tolist())]

WRONG = [
    ("06.1", [0, 1, 1, 1, 2, 2, 3], "all of a tensor of rank 3"),
    ("06.1", [3], "all of whose traces vanish"),
    ("06.1", [0, 1, 2, 3], "these are 16 numbers"),
    ("06.1", [0, 2], "these pieces have 6 numbers"),
    ("06.1", [0, 4], "no piece of even degree"),
    ("06.1", [1, 1, 1, 0], "no piece of even degree"),
    ("06.1", [-1], "0 or more"),
    ("06.1", [1, 3.4], "a whole number"),
    ("06.2", lambda T: parts(T, thirds=1), "three times too large"),
    ("06.2", lambda T: parts(T, half=1), "twice the antisymmetric part"),
    ("06.2", lambda T: parts(T, sign=-1), "the sum of the three is not T"),
    ("06.2", lambda T: parts(T, traceless=False), "has a trace still"),
    ("06.2", lambda T: parts(T)[:2], "yours are 2"),
    ("06.2", lambda T: (parts(T)[0], parts(T)[1], 0 * T), "do not add up"),
    ("06.2", lambda T: (parts(T)[0], parts(T)[2], parts(T)[1]), "not antisymmetric"),
    ("06.2", lambda T: (0 * T, 0 * T, T), "no multiple of the unit matrix"),
    ("06.2", lambda T: (np.trace(T, axis1=-2, axis2=-1) / 3, *parts(T)[1:]), "must have that shape"),
    ("06.3", lambda c, d, degree: k(c, d, degree, factor=False), "1/(2λ + 1) is missing"),
    ("06.3", lambda c, d, degree: k(c, d, degree, parities=(0, 1)), "not O(3)"),
    ("06.3", lambda c, d, degree: k(c, d, degree, parities=(1,)), "those are the pseudotensors"),
    ("06.3", lambda c, d, degree: k(d, c, degree), "yours is transposed"),
    ("06.3", lambda c, d, degree: k(c, d, degree, ordered=False), "l1 ≤ l2 only"),
    ("06.3", lambda c, d, degree: k(c, d, degree, crossed=False), "each channel with itself"),
    ("06.3", lambda c, d, degree: np.abs(k(c, d, degree)), "should become D(R) k"),
    ("06.3", lambda c, d, degree: 3 * k(c, d, degree), "it is not the integral"),
    ("06.3", lambda c, d, degree: np.trace(k(c, d, degree)), "yours has shape ()"),
    ("06.4", CORNERS * 0.63, "are in the text"),
    ("06.4", np.vstack([CORNERS, -CORNERS]), "centre of inversion"),
    ("06.4", np.vstack([np.eye(3), -np.eye(3)]), "centre of inversion"),
    ("06.4", np.vstack([0.6 * CORNERS, 0.6000001 * CORNERS]), "they must be 0.3 Å or more"),
    ("06.4", np.vstack([0.6 * CORNERS, -0.60001 * CORNERS]), "degree 3 vanishes as well, or nearly"),
    ("06.4", SQUARE, "a tensor of degree 2"),
    ("06.4", CORNERS[:3] * 1.0, "not balanced"),
    ("06.4", CORNERS * 2.0, "must be 0.8 to 3"),
    ("06.4", np.vstack([CORNERS, -1.2 * CORNERS, [[1, 0, 0]]]), "at most eight"),
    ("06.4", CORNERS.T[:, :2], "the shape (n, 3)"),
    ("06.5", lambda mu, alpha, r: -induced(mu, alpha, r), "opposite sign"),
    ("06.5", lambda mu, alpha, r: induced(mu, np.eye(3), r), "this is the field"),
    ("06.5", lambda mu, alpha, r: induced(mu, alpha, r, power=2), "the field of a charge"),
    ("06.5", lambda mu, alpha, r: alpha @ (3 * r * (r @ mu) - mu) / np.linalg.norm(r) ** 3, "has length one"),
    ("06.5", lambda mu, alpha, r: induced(mu, alpha, r, three=1.0), "the factor 3"),
    ("06.5", lambda mu, alpha, r: 2 * alpha @ mu / np.linalg.norm(r) ** 3, "on the axis only"),
    ("06.5", lambda mu, alpha, r: induced(mu, np.trace(alpha) / 3 * np.eye(3), r), "the mean of α"),
    ("06.5", lambda mu, alpha, r: 14.399645 * induced(mu, alpha, r), "14.4 is too many"),
    ("06.5", lambda mu, alpha, r: np.abs(induced(mu, alpha, r)) * 1.1, "should turn"),
    ("06.5", lambda mu, alpha, r: 1.1 * induced(mu, alpha, r), "for the check's example"),
    ("06.5", lambda mu, alpha, r: induced(mu, alpha, r)[0], "yours has shape ()"),
]


test_a_right_answer_is_accepted, test_a_wrong_answer_is_refused_for_its_own_reason = judged(RIGHT, WRONG)


def test_the_mutual_induction_of_two_waters_improves_on_the_sum():
    said = exercises("06")["06.5"].grade(induced)
    before, after = (float(word) for word in said.split() if word.replace(".", "").isdigit())
    assert after < 0.8 * before
