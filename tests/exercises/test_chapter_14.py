"""Chapter 14: the right answers pass, and each wrong one is refused for its own reason."""

import numpy as np
from judged import judged

LEVI_CIVITA = np.linalg.det(np.eye(3)[np.indices((3, 3, 3)).reshape(3, -1).T]).reshape(3, 3, 3)


def bend(s, v):
    return np.tanh(s), v / (1 + (v**2).sum(axis=1, keepdims=True))


def norm(v):
    return np.linalg.norm(v, axis=1, keepdims=True)


def faulty(s, v):
    with np.errstate(invalid="ignore"):
        return s, v / norm(v)


def hollow(s, v):
    with np.errstate(divide="ignore", invalid="ignore"):
        return s / norm(v)[:, 0], v * norm(v)


def steep(s, v):
    return s, v / np.maximum(norm(v), 1e-300)


def volumes(points):
    a = points - points.mean(axis=0)
    return a, np.linalg.norm(a[:, None] - a, axis=-1), np.einsum("ia,jb,kc,abc->ijk", a, a, a, LEVI_CIVITA)


def hand(points):
    _, d, V = volumes(points)
    return np.einsum("ijk,ij,jk,ki->", V, d, d**2, d**3)


def by_lengths(points):
    a, _, V = volumes(points)
    r = np.linalg.norm(a, axis=1)
    return np.einsum("ijk,i,j,k->", V, r, r**2, r**3)


def vector_filter(n, h, order=(0, 1, 2), indexing="ij", middle=1.0, power=0):
    x = h * np.stack(np.meshgrid(*[np.arange(n) - n // 2] * 3, indexing=indexing))[list(order)]
    r = np.sqrt((x**2).sum(axis=0))
    with np.errstate(invalid="ignore"):
        return np.exp(-(r**2) / 2) * r**power * x / np.where(r > 0, r, middle)


def with_middle(n, h):
    found = vector_filter(n, h)
    found[0, n // 2, n // 2, n // 2] = 1
    return found


RIGHT = [("14.1", (11, 15, 30)), ("14.1", np.array([11.0, 15.0, 30.0])), ("14.2", bend), ("14.3", hand),
         ("14.3", lambda x: 1e-6 * hand(x)), ("14.4", vector_filter)]

WRONG = [
    ("14.1", (11, 15), "three numbers"),
    ("14.1", (11, 27, 30), "27 counts all triples"),
    ("14.1", (15, 15, 30), "(a) is not 15"),
    ("14.1", (11, 11, 30), "(b) is not 11"),
    ("14.1", (11, 15, 60), "both parities; p = p₁p₂ leaves one"),
    ("14.1", (11, 15, 120), "that has filters of both parities"),
    ("14.1", (11, 15, 22), "(c) is not 22"),
    ("14.1", (11.5, 15, 30), "(a) is not 11.5"),
    ("14.1", 11, "three numbers"),
    ("14.2", lambda s, v: (s, np.swapaxes(v, 1, 2)[:, :2]), "two arrays of these shapes"),
    ("14.2", lambda s, v: (s + v[:, 0], v), "your scalars change when the vectors turn"),
    ("14.2", lambda s, v: (s, np.tanh(v)), "a function of each component"),
    ("14.2", lambda s, v: (s, np.cross(v, np.roll(v, 1, axis=2), axis=1)), "pseudovectors"),
    ("14.2", lambda s, v: (s + np.linalg.det(v)[:, None], v * norm(v)), "a triple product is no scalar"),
    ("14.2", lambda s, v: (s, 0 * v), "all zero"),
    ("14.2", lambda s, v: (np.tanh(s), v * np.tanh(s)[:, None]), "linear in v"),
    ("14.2", faulty, "divide by zero"),
    ("14.2", hollow, "divide by zero"),
    ("14.2", steep, "your vectors jump"),
    ("14.3", lambda x: np.linalg.det(x[:3]), "all points are moved"),
    ("14.3", lambda x: (x - x.mean(axis=0)).max(), "all points are turned"),
    ("14.3", lambda x: np.linalg.det(x[1:4] - x[0]), "renumbered"),
    ("14.3", lambda x: volumes(x)[2].sum(), "meet its negative"),
    ("14.3", lambda x: np.abs(volumes(x)[2]).sum(), "the same in the mirror"),
    ("14.3", lambda x: hand(x) + volumes(x)[1].sum(), "change its sign in a mirror, and nothing else"),
    ("14.3", by_lengths, "a twofold axis"),
    ("14.3", lambda x: np.nan, "your number is nan"),
    ("14.4", lambda n, h: vector_filter(n, h)[0], "it must be (3, 5, 5, 5)"),
    ("14.4", lambda n, h: vector_filter(n, h, middle=0.0), "in the middle you divide by zero"),
    ("14.4", with_middle, "no way to point"),
    ("14.4", lambda n, h: vector_filter(n, h, order=(1, 2, 0)), "components in the order of its axes"),
    ("14.4", lambda n, h: vector_filter(n, h, indexing="xy"), "components in the order of its axes"),
    ("14.4", lambda n, h: -vector_filter(n, h), "turned round"),
    ("14.4", lambda n, h: vector_filter(n, h, power=1), "not w(r) r̂"),
    ("14.4", lambda n, h: vector_filter(n, 1.0), "counted in steps"),
    ("14.4", lambda n, h: 2 * vector_filter(n, h), "has 0.882"),
    ("14.4", lambda n, h: vector_filter(n, h) * (np.linalg.norm(np.indices((n, n, n)) - n // 2, axis=0) < 1.6), "farther out"),
]

test_a_right_answer_is_accepted, test_a_wrong_answer_is_refused_for_its_own_reason = judged(RIGHT, WRONG)
