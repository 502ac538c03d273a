"""Chapter 09: the right answers pass, and each wrong one is refused for its own reason."""

import numpy as np
from judged import judged

from course_lib.exercises.chapter_09 import fields


def count(J, L, Q, C):
    return C * Q * (1 + (L + 1) * (J + 1 + J * (J + 1) // 2))


def det(v):
    return np.linalg.det(np.moveaxis(v, (0, 1), (-2, -1)))


def dot(a, b):
    return (a * b).sum(axis=0)


def hand(v):
    return np.sum(dot(v[0], v[0]) * det(v))


RIGHT = [("09.1", lambda f: np.sqrt((f**2).sum(axis=0))), ("09.2", count), ("09.3", lambda q: 3 + q), ("09.4", hand),
         ("09.4", lambda v: np.sum(dot(v[0], v[2]) * dot(v[0], np.cross(v[1], v[2], axis=0)))),
         ("09.4", lambda v: np.sum(det(v) ** 3))]

WRONG = [
    ("09.1", lambda f: (f**2).sum(axis=0), "these are the squares"),
    ("09.1", lambda f: np.abs(f).sum(axis=0), "depends on the axes"),
    ("09.1", lambda f: np.abs(f.sum(axis=0)), "must not be added"),
    ("09.1", lambda f: np.abs(f).max(axis=0), "largest component"),
    ("09.1", lambda f: np.sqrt((f**2).mean(axis=0)), "a mean over m"),
    ("09.1", lambda f: np.sqrt((f**2).sum()), "you return shape ()"),
    ("09.1", lambda f: np.abs(f[0]), "not the root of the sum"),
    ("09.2", lambda J, L, Q, C: count(J, L, Q, C) - C * Q, "order zero"),
    ("09.2", lambda J, L, Q, C: C * Q * (1 + L * (J + J * (J - 1) // 2)), "that is J + 1 and L + 1"),
    ("09.2", lambda J, L, Q, C: C * Q * (1 + (L + 1) * (J + 1 + (J + 1) ** 2)), "only j' > j is kept"),
    ("09.2", lambda J, L, Q, C: C * Q * (1 + (L + 1) * (J + 1) + (L + 1) ** 2 * (J * (J + 1) // 2)), "degree of the first"),
    ("09.2", lambda J, L, Q, C: C * Q * (1 + (L + 1) ** 2 * (J + 1 + J * (J + 1) // 2)), "they are no features"),
    ("09.2", lambda J, L, Q, C: 615, "another J, L, Q or C"),
    ("09.2", lambda J, L, Q, C: 41, "you count 41"),
    ("09.2", lambda J, L, Q, C: count(J, L, Q, C) + 0.9, "is whole"),
    ("09.3", lambda q: q, "what volume has the cell"),
    ("09.3", lambda q: 3, "U is small there"),
    ("09.3", lambda q: 2, "a point in space"),
    ("09.3", lambda q: 3 * q, "exponents add"),
    ("09.3", lambda q: 5, "you predict h"),
    ("09.4", lambda v: np.sum(det(v)), "three atoms, which lie in a plane"),
    ("09.4", lambda v: 3.0 * np.mean(det(v)), "three atoms, which lie in a plane"),
    ("09.4", lambda v: np.linalg.det(v.sum(axis=(2, 3, 4))), "before you multiply"),
    ("09.4", lambda v: np.sum(dot(v[0], v[0]) * det(v[[0, 1, 1]])), "holds one vector twice"),
    ("09.4", lambda v: np.sum(np.abs(det(v))), "has taken the sign"),
    ("09.4", lambda v: np.sum(np.prod(np.linalg.norm(v, axis=1), axis=0)), "has taken the sign"),
    ("09.4", lambda v: np.sum(dot(v[0], v[0]) * v[0, 0] * v[1, 1] * v[2, 2]), "a rotation changes it"),
    ("09.4", lambda v: hand(v) + np.sum(dot(v[0], v[1])), "and should become −1"),
    ("09.4", det, "give one number"),
]

test_a_right_answer_is_accepted, test_a_wrong_answer_is_refused_for_its_own_reason = judged(RIGHT, WRONG)


def test_a_determinant_alone_vanishes_for_five_atoms_and_any_hand_for_five_in_a_plane():
    atoms = np.random.default_rng(1).normal(size=(5, 3))  # well within the box
    v, flat = fields(atoms), fields(atoms * [1, 1, 0])
    assert abs(np.sum(det(v))) < 1e-12 * np.sum(np.abs(det(v)))
    assert abs(hand(flat)) < 1e-12 * abs(hand(v))
