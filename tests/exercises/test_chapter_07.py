"""Chapter 07: the right answers pass, and each wrong one is refused for its own reason."""

from itertools import combinations, permutations

import numpy as np
from judged import judged


def squares(x):
    return np.sum((x.T @ x) ** 2)


def distance(x, y, reflections=True, orders=True):
    best = 0
    for p in permutations(range(len(x))) if orders else [range(len(x))]:
        u, s, v = np.linalg.svd(x.T @ y[list(p)])
        best = max(best, s.sum() if reflections or np.linalg.det(u @ v) > 0 else s[0] + s[1] - s[2])
    return np.sqrt(max(np.sum(x**2) + np.sum(y**2) - 2 * best, 0) / len(x))


def uncut(x, y):
    best = max(np.linalg.svd(x.T @ y[list(p)], compute_uv=False).sum() for p in permutations(range(len(x))))
    square = np.sum(x**2) + np.sum(y**2) - 2 * best
    return np.sqrt(square / len(x)) if square > 1e-9 else np.nan


def shifted(x, y):
    return distance(x - x.mean(axis=0), y - y.mean(axis=0))


def sorted_distances(x, y):
    gaps = [np.sort([np.linalg.norm(a - b) for a, b in combinations(z, 2)]) for z in (x, y)]
    return np.abs(gaps[0] - gaps[1]).max()


def weighted(x, weight):
    det = np.einsum("abc,ia,jb,kc->ijk", np.cross(np.eye(3)[:, None], np.eye(3)[None]), x, x, x)
    return np.sum(det * weight(x @ x.T, x))


def angles(g, x):
    return g[:, :, None] * g[None] ** 2


def lengths(g, x):
    r = np.sum(x**2, axis=1)
    return r[:, None, None] * r[None, :, None] ** 2


def handedness(x):
    return weighted(x, angles)


RIGHT = {"07.1": [2, 3, 3, 4, 3], "07.2": squares, "07.3": distance, "07.4": (8, (0, 1, 2, 5), (0, 1, 3, 4)),
         "07.5": handedness}


def by_pairs(x):
    return sum(float(np.dot(a, b)) ** 2 for a in x for b in x)


WRONG = [
    ("07.1", [1, 2, 2, 3, 2], "counts the centre too"),
    ("07.1", [2, 4, 3, 4, 3], "are names"),
    ("07.1", [2, 3, 3, 4, 2], "two neighbours in a term"),
    ("07.1", [2, 3, 3, 4, 4], "so it counts once"),
    ("07.1", [2, 3, 4, 4, 3], "the power spectrum has not body order 4"),
    ("07.1", [2, 3, 3, 3, 3], "the bispectrum has not body order 3"),
    ("07.1", [2, 3], "you give 2 numbers"),
    ("07.1", [2.9, 3, 3, 4, 3], "G² has not body order 2.9"),
    ("07.2", lambda x: np.sum(x.sum(axis=0) ** 2) ** 2, "the square stands inside the sum"),
    ("07.2", lambda x: np.sum(x**2) ** 2, "forgets the angles"),
    ("07.2", lambda x: squares(x) - np.sum(np.sum(x**2, axis=1) ** 2), "the pairs j = k are missing"),
    ("07.2", lambda x: np.sum(np.triu(x @ x.T) ** 2), "counts every pair once"),
    ("07.2", lambda x: np.sum((x @ x.T) ** 2), "a number for each pair"),
    ("07.2", by_pairs, "one by one"),
    ("07.2", lambda x: sum(np.sum((x @ row) ** 2) for row in x), "meets every pair"),
    ("07.2", lambda x: np.einsum("ja,jb,ka,kb->", x, x, x, x), "for 4000 neighbours"),                # minutes for 30 000
    ("07.2", lambda x: x.T @ x, "one number"),
    ("07.2", lambda x: 2 * squares(x), "for seven random vectors"),
    ("07.3", lambda x, y: np.sqrt(np.mean(np.sum((x - y) ** 2, axis=1))), "find the best rotation"),
    ("07.3", lambda x, y: distance(x, y, orders=False), "try all orders"),
    ("07.3", lambda x, y: distance(x, y, reflections=False), "reflections are allowed"),
    ("07.3", sorted_distances, "are not a proof"),
    ("07.3", uncut, "cut it off at zero"),
    ("07.3", lambda x, y: distance(x, y) ** 2, "take its root"),
    ("07.3", lambda x, y: 2 * distance(x, y), "divide by their number"),
    ("07.3", lambda x, y: distance(x, y) * np.sqrt(4 / 5), "the twins are"),
    ("07.3", shifted, "the centre stays where it is"),
    ("07.4", (12, (0, 1, 4, 6), (0, 1, 3, 7)), "find another ring"),
    ("07.4", (24, (0, 2, 8, 12), (0, 2, 6, 14)), "drawn with every step as 2"),
    ("07.4", (8, (0, 1, 2, 5), (1, 2, 3, 6)), "turned"),
    ("07.4", (11, (0, 1, 3, 7), (0, 10, 8, 4)), "mirrored"),
    ("07.4", (8, (0, 1, 2, 5), (0, 1, 2, 3)), "not the same"),
    ("07.4", (8, (0, 1, 2.5, 5), (0, 1, 3, 4)), "whole numbers"),
    ("07.4", (-8, (0, 1, 2, 5), (0, 1, 3, 4)), "above zero"),
    ("07.4", (8, (0, 1, 2, 2), (0, 1, 2, 5)), "four different"),
    ("07.5", lambda x: weighted(x, lambda g, x: 1), "cancels"),
    ("07.5", lambda x: np.linalg.det(x[:3]), "another order of the neighbours"),
    ("07.5", lambda x: np.sum(x[:, 0] * x[:, 1] * x[:, 2]), "a rotation changes it"),
    ("07.5", lambda x: np.sum((x @ x.T) ** 3), "cannot tell left from right"),
    ("07.5", lambda x: handedness(x) + squares(x), "not to its negative"),
    ("07.5", lambda x: weighted(x, lengths), "all its bonds are equal"),
    ("07.5", lambda x: handedness(x) * np.linalg.norm(x, axis=1).max(), "have kinks"),
    ("07.5", lambda x: np.linalg.det(x[np.argsort(np.linalg.norm(x, axis=1))[[0, 2, 3]]]), "for twin B, which has a mirror"),
    ("07.5", lambda x: x[0], "handedness is one number"),
]


test_a_right_answer_is_accepted, test_a_wrong_answer_is_refused_for_its_own_reason = judged(list(RIGHT.items()), WRONG)
