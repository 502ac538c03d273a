"""Chapter 00: the right answers pass, and each wrong one is refused for its own reason."""

import numpy as np
import pytest
from judged import judged


def per_frame(function):
    return lambda frames: np.array([function(atoms) for atoms in frames])


def ring(*hours):
    angle = 2 * np.pi * np.array(hours) / 12
    return np.stack([np.cos(angle), np.sin(angle), 0 * angle], axis=1)


def pair_sum(atoms, power=1):
    return np.exp(-(atoms.get_all_distances() ** power)).sum()


def chirality(atoms):
    x = atoms.positions - atoms.positions.mean(axis=0)
    length = np.linalg.norm(x, axis=1, keepdims=True)
    return np.linalg.det([(x * length**k).sum(axis=0) for k in (1, 2, 3)])


FIRST, SECOND = ring(0, 1, 4, 6), ring(0, 1, 3, 7)

RIGHT = [("00.1", 43.36), ("00.1", 43.4), ("00.2", {"energy": set(), "dipole": {"turned", "mirrored"}}),
         ("00.2", {"energy": [], "dipole": ["mirrored", "turned"]}), ("00.3", lambda x, s, r, t: x[s] + t - x[r]),
         ("00.4", per_frame(lambda a: pair_sum(a, 2))),
         ("00.4", per_frame(lambda a: np.sort(a.get_all_distances().ravel())[-3:].sum())),
         ("00.5", (1, 1, 2)), ("00.6", (FIRST, SECOND)), ("00.6", (SECOND @ np.diag([1, 1, -1.0]) + 2, FIRST[::-1]))]

WRONG = [
    ("00.1", 23.06, "way back"),
    ("00.1", 0.04336, "in eV"),
    ("00.1", 10.364, "kJ"),
    ("00.1", 2.6114e25, "whole mole"),
    ("00.1", 100, "is not 100 meV"),
    ("00.2", {"energy": {"mirrored"}, "dipole": {"turned", "mirrored"}}, "left- and right-handed"),
    ("00.2", {"energy": {"turned"}, "dipole": {"turned", "mirrored"}}, "no marked place"),
    ("00.2", {"energy": set(), "dipole": {"turned", "mirrored", "relabelled"}}, "does not see their order"),
    ("00.2", {"energy": set(), "dipole": {"turned", "mirrored", "shifted"}}, "neutral molecule"),
    ("00.2", {"energy": set(), "dipole": set()}, "it turns along"),
    ("00.2", {"energy": set(), "dipole": {"turned"}}, "across the mirror"),
    ("00.2", {"energy": {"rotated"}, "dipole": set()}, "you name ['rotated']"),
    ("00.3", lambda x, s, r, t: x[r] - t - x[s], "from the neighbour to the centre"),
    ("00.3", lambda x, s, r, t: x[s] - x[r], "shifts are missing"),
    ("00.3", lambda x, s, r, t: x[s] - t - x[r], "shift has the wrong sign"),
    ("00.3", lambda x, s, r, t: x[r] + t - x[s], "are exchanged"),
    ("00.3", lambda x, s, r, t: np.linalg.norm(x[s] + t - x[r], axis=1), "these are lengths"),
    ("00.3", lambda x, s, r, t: (x[s] + t - x[r]).T, "returns shape (3,"),
    ("00.3", lambda x, s, r, t: (x[s] + t - x[r]) * 2, "an edge is off by"),
    ("00.4", per_frame(lambda a: 1.0), "whatever its shape"),
    ("00.4", per_frame(lambda a: 0.0), "whatever its shape"),
    ("00.4", per_frame(lambda a: float(a.numbers.sum())), "whatever its shape"),
    ("00.4", per_frame(lambda a: a.positions[:, 0].sum()), "translation is broken"),
    ("00.4", per_frame(lambda a: a.get_all_distances()[0, -1]), "permutation of like atoms is broken"),
    ("00.4", per_frame(chirality), "inversion, reflection is broken"),
    ("00.4", per_frame(lambda a: np.abs(a.positions - a.positions.mean(axis=0)).sum()), "proper rotation is broken"),
    ("00.4", per_frame(pair_sum), "this is the chapter's Σ exp(−r)"),
    ("00.4", lambda frames: pair_sum(frames[0]), "returns shape ()"),
    ("00.4", per_frame(lambda a: np.log(a.get_all_distances()).sum()), "diagonal"),
    ("00.5", (3, 1, 2), "rows are all alike"),
    ("00.5", (2, 1, 2), "the rank is not 2"),
    ("00.5", (1, 2, 2), "one direction"),
    ("00.5", (1, 0, 2), "a multiple of the other"),
    ("00.5", (1, 1, 1), "not a multiple of n"),
    ("00.5", (1, 1, 5), "rank 2 at most"),
    ("00.5", (1, 1, 0), "are independent"),
    ("00.6", (FIRST, FIRST[[2, 0, 3, 1]] @ np.array([[0, 1, 0], [0, 0, 1], [1, 0, 0.0]])), "two clouds are one"),
    ("00.6", (FIRST, -FIRST + 3), "two clouds are one"),
    ("00.6", (FIRST, ring(0, 1, 2, 6)), "sorted distances differ"),
    ("00.6", (ring(0, 0, 4, 6), ring(0, 0, 4, 6)), "at one place"),
    ("00.6", (FIRST[:, :2], SECOND[:, :2]), "each must be (4, 3)"),
]

pytestmark = pytest.mark.filterwarnings("ignore:divide by zero")
test_a_right_answer_is_accepted, test_a_wrong_answer_is_refused_for_its_own_reason = judged(RIGHT, WRONG)
