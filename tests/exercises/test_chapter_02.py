"""Chapter 02: the right answers pass, and each wrong one is refused for its own reason."""

import numpy as np
import torch
from judged import judged

from course_lib.exercises.chapter_02 import equal_power_pair
from course_lib.symmetry import couple, random_rotations, rotate_coefficients, spherical_harmonics, to_e3nn, to_scipy

YZX, ZXY = [1, 2, 0], [2, 0, 1]


def _blocks(c):
    return [c[l * l:(l + 1) ** 2] for l in range(round(np.sqrt(len(c))))]


def _power(c):
    return np.array([b @ b for b in _blocks(c)])


def _y2(vectors):
    x, y, z = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).T
    return np.sqrt(15 / (4 * np.pi)) * np.stack(
        [x * y, y * z, (3 * z**2 - 1) / np.sqrt(12), x * z, (x**2 - y**2) / 2], axis=1)


def _long_y2(vectors):
    x, y, z = vectors.T
    return np.sqrt(15 / (4 * np.pi)) * np.stack(
        [x * y, y * z, (2 * z**2 - x**2 - y**2) / np.sqrt(12), x * z, (x**2 - y**2) / 2], axis=1)


def _cross(a, b):
    return np.sqrt(2) * couple(a[YZX], b[YZX], 1)[ZXY]


def _unit(v):
    return v / np.linalg.norm(v)


def _even(c):
    return couple(c[4:9], c[4:9], 4) @ c[16:]


def _odd(c):
    return couple(c[4:9], c[9:16], 4) @ c[16:]


RIGHT = [("02.1", ({1, 2, 3, 4, 5}, {2, 4})), ("02.1", ([5, 4, 3, 2, 1], (4, 2))), ("02.2", _y2),
         ("02.2", lambda v: _y2(v).astype(np.float32)), ("02.2", lambda v: spherical_harmonics(2, v)[:, 4:]),
         ("02.3", _cross), ("02.3", np.cross),
         ("02.3", lambda a, b: np.sqrt(2) * couple(a, b, 1)),  # any cyclic order is a rotation
         ("02.4", _even), ("02.4", lambda c: couple(c[1:4], c[9:16], 4) @ c[16:]),
         ("02.4", lambda c: couple(c[16:], c[4:9], 2) @ c[4:9]), ("02.4", lambda c: torch.tensor(_even(c)))]

WRONG = [
    ("02.1", ({0, 1, 2, 3, 4, 5}, {2, 4}), "needs l1 = l2"),
    ("02.1", ({5}, set()), "down to |2 − 3|"),
    ("02.1", [1, 2, 3, 4, 5], "give two sets"),
    ("02.1", {1, 2, 3, 4, 5}, "give two sets"),
    ("02.1", [2, 4], "give two sets"),
    ("02.1", ({1, 3, 5}, {2, 4}), "[2, 4] are missing from it"),
    ("02.1", ({1, 2, 3, 4, 5}, set()), "[2, 4] are sorted wrongly"),
    ("02.1", ({2, 3}, {2}), "go in"),
    ("02.1", ({1, 3, 5}, set()), "add to 21"),
    ("02.1", ({1, 2, 3, 4, 5}, {1, 3, 5}), "true ones"),
    ("02.1", ({1, 2, 3, 4, 5}, {2, 4, 6}), "[6] are called pseudotensors"),
    ("02.1", ({1, 2, 3, 4, 5}, {2}), "[4] are sorted wrongly"),
    ("02.2", lambda v: _y2(v).T, "shape (5, 60)"),
    ("02.2", lambda v: _y2(v) @ to_scipy(2).T, "complex"),
    ("02.2", lambda v: _y2(v) @ to_e3nn(2).T, "e3nn's order"),
    ("02.2", lambda v: _y2(v) @ to_e3nn(2, "component").T, "e3nn's order"),
    ("02.2", lambda v: _y2(v) * np.sqrt(4 * np.pi), "'component' normalisation"),
    ("02.2", lambda v: _y2(v) * np.sqrt(4 * np.pi / 5), "as e3nn's 'norm'"),
    ("02.2", lambda v: _y2(v) * [1, -1, 1, -1, 1], "m = -1 has the wrong sign"),
    ("02.2", lambda v: _y2(v)[:, [2, 3, 1, 4, 0]], "at the place of m = -2 stands m = 0"),
    ("02.2", lambda v: _y2(v) * [1, 1, np.sqrt(3), 1, 1], "m = 0 is 1.73 times"),
    ("02.2", lambda v: np.where(np.arange(5) == 2, _y2(v[:, [2, 0, 1]]), _y2(v)), "m = 0 has the right size, but"),
    ("02.2", _long_y2, "direction alone"),
    ("02.3", lambda a, b: np.dot(a, b), "shape ()"),
    ("02.3", lambda a, b: _cross(a, b) / np.sqrt(2), "too short by √2"),
    ("02.3", lambda a, b: _cross(_unit(a), _unit(b)), "doubling a must double"),
    ("02.3", lambda a, b: _cross(b, a), "b × a"),
    ("02.3", lambda a, b: np.sqrt(2) * couple(a[::-1], b[::-1], 1)[::-1], "mirrored order"),
    ("02.3", lambda a, b: _cross(a, b)[YZX], "(y, z, x)"),
    ("02.3", lambda a, b: _cross(a, b)[ZXY], "(z, x, y)"),
    ("02.3", lambda a, b: couple(a[YZX], b[YZX], 2)[:3], "not the cross product"),
    ("02.4", _power, "5 numbers"),
    ("02.4", lambda c: np.sum(c**3), "changes under rotation"),
    ("02.4", lambda c: couple(c[4:9], c[4:9], 3) @ c[9:16], "two equal factors"),
    ("02.4", lambda c: couple(c[9:16], c[9:16], 3) @ c[9:16], "vanishes identically"),
    ("02.4", lambda c: couple(c[1:4], c[4:9], 0) @ c[:1], "vanishes identically"),
    ("02.4", _odd, "turns its sign"),
    ("02.4", lambda c: _even(c) + _odd(c), "not under reflections"),
    ("02.4", lambda c: c[0] * _power(c)[4], "equal for both"),
    ("02.4", lambda c: couple(c[16:], c[16:], 4) @ c[16:], "equal for both"),
    ("02.4", lambda c: c[0] * _even(c), "multiplies it by 16"),
    ("02.4", lambda c: abs(_odd(c)), "it is no polynomial"),
    ("02.4", lambda c: _even(c) ** 2 / np.linalg.norm(c) ** 3, "it is no polynomial"),
]


test_a_right_answer_is_accepted, test_a_wrong_answer_is_refused_for_its_own_reason = judged(RIGHT, WRONG)


def test_the_pair_of_exercise_4_has_equal_power_and_is_joined_by_no_rotation_or_reflection():
    first, second = equal_power_pair()
    assert np.allclose(_power(first), _power(second), rtol=1e-13)
    assert np.isclose(_even(rotate_coefficients(first, -random_rotations(1, np.random.default_rng(0))[0])), _even(first))
    assert abs(_even(first) - _even(second)) > 0.1
