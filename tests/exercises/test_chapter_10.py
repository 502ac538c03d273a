"""Chapter 10: the right answers pass, and each wrong one is refused for its own reason."""

import numpy as np
from judged import judged


def powers(x):
    return np.stack([np.ones_like(x), x, x**2], axis=1)


def root(s):
    return np.sqrt(max(s[2] / s[0] - (s[1] / s[0]) ** 2, 0))


def softmax(scores, axis=1):
    weights = np.exp(scores - scores.max(axis=axis, keepdims=True))
    return weights / weights.sum(axis=axis, keepdims=True)


def attend(q, x, absent):
    return softmax(np.where(absent, -np.inf, q @ x.T / np.sqrt(x.shape[1]))) @ x


def overflowing(q, x, absent):
    weights = np.where(absent, 0, np.exp(q @ x.T / 2))
    return weights / weights.sum(axis=1, keepdims=True) @ x


def nearest(x):
    directions = x[np.argsort(np.linalg.norm(x, axis=1))[:12]]
    return directions / np.linalg.norm(directions, axis=1, keepdims=True)


def moments(x):
    cosines = (nearest(x) @ nearest(x).T)[np.triu_indices(12, 1)]
    return [np.mean(cosines**k) for k in (2, 3, 4, 5, 6)]


def circle(angle):
    """Three numbers with the sums 15 and 76.5 of themselves and of their squares, whatever the angle."""
    return 5 + np.cos(angle + 2 * np.pi * np.arange(3) / 3)


def radii(x):
    return np.sort(np.linalg.norm(x, axis=1))[[5, 11, 12, 17, 20]]


def cut_off(q, x, absent):
    return softmax(np.where(absent, -np.inf, np.clip(q @ x.T / 2, -50, 50))) @ x


RIGHT = [("10.1", (powers, root)), ("10.1", [powers, root]), ("10.2", 5), ("10.3", ([0, 4, 5], [1, 2, 6])),
         ("10.3", ({0, 4, 5}, {1, 2, 6})), ("10.4", attend), ("10.5", moments)]
WRONG = [
    ("10.1", powers, "give the pair"),
    ("10.1", (lambda x: np.array([x.sum()]), root), "a row a point"),
    ("10.1", (lambda x: (x - x.mean())[:, None] ** 2, np.sqrt), "may see one point only"),
    ("10.1", (powers, lambda s: root(s) ** 2), "take its root"),
    ("10.1", (powers, lambda s: root(s) * np.sqrt(s[0] / (s[0] - 1))), "divides by n − 1"),
    ("10.1", (powers, lambda s: np.sqrt(s[2] / s[0])), "the mean must be taken away"),
    ("10.1", (powers, lambda s: root(s) + 1), "the standard deviation is"),
    ("10.1", (lambda x: powers(x)[:, 1:], lambda s: root([5, *s])), "how many they were"),
    ("10.1", (powers, lambda s: np.sqrt(s[2] / s[0] - (s[1] / s[0]) ** 2 - 1e-15)), "cut it off at zero"),
    ("10.1", (powers, lambda s: np.sqrt(s[2] / s[0] - (s[1] / s[0]) ** 2 + 1e-8)), "for equal points it is 0.0001"),
    ("10.2", 2, "only the hydrogens may be exchanged"),
    ("10.2", 25, "name a hydrogen"),
    ("10.2", 4, "for the same one and for another"),
    ("10.2", 3, "may also tell each other"),
    ("10.2", 15, "matrices to matrices"),
    ("10.2", 7, "in blocks"),
    ("10.2", 5.9, "a whole number"),
    ("10.3", ([0, 4, 5], [5, 0, 4]), "in another order"),
    ("10.3", ([0, 4, 5], [1, 2, 5]), "their sums differ"),
    ("10.3", ([0, 4, 5], [1, 3, 5]), "the sums of squares differ"),
    ("10.3", (circle(0), circle(2e-5)), "too close to tell"),
    ("10.3", ([0, 4], [1, 3]), "three numbers each"),
    ("10.3", ([0, 4, 5],), "give two sets"),
    ("10.4", lambda q, x, absent: softmax(q @ x.T / 2) @ x, "the mask does nothing"),
    ("10.4", lambda q, x, absent: softmax(np.where(absent, 0, q @ x.T / 2)) @ np.where(absent[:, None], 0, x),
     "it must be −∞"),
    ("10.4", lambda q, x, absent: np.where(absent, 0, softmax(q @ x.T / 2)) @ x, "mask before the softmax"),
    ("10.4", lambda q, x, absent: attend(2 * q, x, absent), "not divided by"),
    ("10.4", lambda q, x, absent: softmax(q @ x[~absent].T / 2, axis=0) @ x[~absent], "must run over the points"),
    ("10.4", lambda q, x, absent: attend(q, x, absent).T, "a row for each of the three questions"),
    ("10.4", lambda q, x, absent: attend(q, x, absent) + 1, "off by 1 from"),
    ("10.4", overflowing, "exp overflows"),
    ("10.4", cut_off, "do not cut scores off"),
    ("10.5", lambda x: np.sort(x[:, 2])[:5], "turned or mirrored"),
    ("10.5", lambda x: np.linalg.norm(x[:5], axis=1), "in another order"),
    ("10.5", lambda x: [np.inf], "not all finite"),
    ("10.5", lambda x: np.sort(np.linalg.norm(x, axis=1)), "give one to five numbers"),
    ("10.5", radii, "look at angles"),
    ("10.5", lambda x: [np.mean(nearest(x) @ nearest(x).T < -0.8)], "is asked"),
]


test_a_right_answer_is_accepted, test_a_wrong_answer_is_refused_for_its_own_reason = judged(RIGHT, WRONG)
