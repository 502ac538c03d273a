"""Chapter 15: the right answers pass, and each wrong one is refused for its own reason."""

import numpy as np
from judged import judged

X, Z = np.eye(3)[[0, 2]]


def cap(theta):
    return 2 * np.pi * (1 - np.cos(theta))


def one_bald_spot(p):
    return (1 + p[:, 2:]) * X - p[:, :1] * (p + Z)


def dropped(values, s):
    return np.concatenate([np.zeros(s), values[:6 - s]])


def normalised(p):
    hairs = one_bald_spot(p)
    return hairs / np.maximum(np.linalg.norm(hairs, axis=1, keepdims=True), 1e-12)


def two_bald_spots(p):
    """ζ² − 0.01 of the plane, on the sphere: two zeros, 23° apart."""
    x, y, z = p.T[:, :, None]
    v = ((x + 1j * y) / (1 + z)) ** 2 - 0.01
    return v.real * ((1 + z) * X - x * (p + Z)) + v.imag * ((1 + z) * np.eye(3)[1] - y * (p + Z))


RIGHT = [("15.1", 5376), ("15.2", cap), ("15.2", lambda t: 0.0 if t > 1.5 else cap(t)), ("15.3", np.roll),
         ("15.4", one_bald_spot), ("15.4", lambda p: (1 + p[:, 2:]) ** 2 * one_bald_spot(p)),
         ("15.4", lambda p: one_bald_spot(-p[:, ::-1])[:, ::-1]),
         ("15.4", lambda p: np.exp(3 * p[:, 2:]) * one_bald_spot(p)), ("15.4", lambda p: one_bald_spot(p).astype(np.float32))]

WRONG = [
    ("15.1", 32256, "before the constraint"),
    ("15.1", 42, "one pair of channels"),
    ("15.1", 896, "from scalar to regular"),
    ("15.1", 256, "from scalar to scalar"),
    ("15.1", 6912, "the hexagon fills 7"),
    ("15.1", 1000, "1000 is not the number"),
    ("15.2", lambda t: np.pi * t**2, "flat disc"),
    ("15.2", lambda t: np.degrees(cap(t)), "give radians"),
    ("15.2", lambda t: 2 * np.pi * np.cos(t), "falls behind"),
    ("15.2", lambda t: -cap(t), "the sign is +"),
    ("15.2", lambda t: cap(t) / (4 * np.pi), "fraction of the sphere"),
    ("15.2", lambda t: 2 * np.pi * np.sin(t), "length of the circle"),
    ("15.2", lambda t: t, "at θ = 0.7 it is 1.478"),
    ("15.2", lambda t: cap(0.7), "round the equator"),
    ("15.3", lambda v, s: v, "forgets the turn"),
    ("15.3", lambda v, s: np.roll(v, -s), "the other way"),
    ("15.3", dropped, "fell out at the end"),
    ("15.3", lambda v, s: np.roll(v, s)[:5], "six come out"),
    ("15.3", lambda v, s: np.roll(v, s) + 1, "for s = 1"),
    ("15.4", lambda p: p[:, :2], "as many vectors"),
    ("15.4", lambda p: 0 * p, "shaving"),
    ("15.4", lambda p: X + 0 * p, "stand up"),
    ("15.4", lambda p: np.where(p[:, :1] > 5, p, np.nan), "not finite"),
    ("15.4", lambda p: np.cross(Z, p), "more than one bald spot"),
    ("15.4", two_bald_spots, "more than one bald spot"),
    ("15.4", normalised, "parting"),
    ("15.4", lambda p: ((p - [0.6, 0, 0.8]) ** 2).sum(axis=1, keepdims=True) * one_bald_spot(p), "near [0.6 0.  0.8] as well"),
    ("15.4", lambda p: (p[:, :1] - 0.5) ** 2 * one_bald_spot(p), "as well, far from"),
]

test_a_right_answer_is_accepted, test_a_wrong_answer_is_refused_for_its_own_reason = judged(RIGHT, WRONG)
