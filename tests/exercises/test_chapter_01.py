"""Chapter 01: the right answers pass, and each wrong one is refused for its own reason."""

import numpy as np
from judged import judged
from scipy.spatial.transform import Rotation


def qr(rng):
    q, r = np.linalg.qr(rng.normal(size=(3, 3)))
    return q, r


def haar(rng):
    q, r = qr(rng)
    q = q * np.sign(np.diag(r))
    return q * np.linalg.det(q)


def euler(rng):
    return Rotation.from_euler("ZYZ", rng.uniform(0, [2 * np.pi, np.pi, 2 * np.pi])).as_matrix()


def distances(x):
    return np.linalg.norm(x[:, None] - x, axis=-1)


def sums(x):
    return np.array([np.exp(-distances(x) ** 2 / w).sum() for w in (0.5, 1, 2, 4)])


def reynolds(f, group):
    return lambda x: sum(g.T @ f(x @ g.T) for g in group) / len(group)


def mean_kernel(kernel, x, y, group):
    return sum(kernel(x, y[:, p]) for p in group) / len(group)


RIGHT = {"01.1": (24, 1440), "01.2": haar, "01.3": sums, "01.4": reynolds, "01.5": mean_kernel}

WRONG = [
    ("01.1", (120, 1440), "exchanges the carbon with a hydrogen"),
    ("01.1", (12, 1440), "rotations of a tetrahedron"),
    ("01.1", (4, 1440), "one C and four H"),
    ("01.1", (24, 362880), "two C, six H and one O"),
    ("01.1", (24, 720), "the two carbons are alike"),
    ("01.2", euler, "crowd the poles"),
    ("01.2", lambda rng: (lambda q: q * np.linalg.det(q))(qr(rng)[0]), "make R's diagonal positive"),
    ("01.2", lambda rng: Rotation.from_rotvec((lambda v: v / np.linalg.norm(v))(rng.normal(size=3)) * rng.uniform(0, np.pi))
     .as_matrix(), "no uniform angle"),
    ("01.2", lambda rng: (lambda q, r: q * np.sign(np.diag(r)))(*qr(rng)), "determinant −1"),
    ("01.2", lambda rng: rng.normal(size=(3, 3)), "not orthonormal"),
    ("01.2", lambda rng: Rotation.random(rng=rng).as_quat(), "returns shape (4,)"),
    ("01.3", lambda x: x.ravel(), "a translation changes"),
    ("01.3", lambda x: np.sort(np.abs(x - x.mean(axis=0)).ravel()), "a rotation changes"),
    ("01.3", lambda x: distances(x)[np.triu_indices(5, 1)], "a permutation of the rows changes"),
    ("01.3", lambda x: np.linalg.det(x[1:4] - x[0]), "inversion, x → −x changes"),
    ("01.3", lambda x: np.ones(3), "a constant is invariant as well"),
    ("01.3", lambda x: np.sort(distances(x)[np.triu_indices(5, 1)]), "put a kink where two values"),
    ("01.3", lambda x: np.array([distances(x).max(), *sums(x)]), "put a kink where two values"),
    ("01.3", lambda x: np.array([distances(x)[np.triu_indices(5, 1)].min()]), "put a kink where two values"),
    ("01.3", lambda x: np.zeros(3), "all your features are zero"),
    ("01.4", lambda f, group: lambda x: sum(f(x @ g.T) for g in group) / len(group), "ρ(g)⁻¹ in front of f is missing"),
    ("01.4", lambda f, group: lambda x: sum(g.T @ f(x @ g.T) for g in group), "divide by |G|"),
    ("01.4", lambda f, group: lambda x: sum(g @ f(x @ g.T) for g in group) / len(group), "the inverse of g"),
    ("01.4", lambda f, group: lambda x: np.linalg.norm(f(x)), "returns shape ()"),
    ("01.4", lambda f, group: reynolds(f, group[:20]), "not equivariant"),
    ("01.5", lambda k, x, y, group: k(np.sort(x, axis=1), np.sort(y, axis=1)), "kernel of sorted features"),
    ("01.5", lambda k, x, y, group: k(x, y), "relabelling y changes"),
    ("01.5", lambda k, x, y, group: np.max([k(x, y[:, p]) for p in group], axis=0), "also the largest k(x, g y)"),
    ("01.5", lambda k, x, y, group: np.mean(mean_kernel(k, x, y, group)), "has shape ()"),
    ("01.5", lambda k, x, y, group: np.prod([k(x, y[:, p]) for p in group], axis=0) ** (1 / 6), "but not the mean"),
    ("01.5", lambda k, x, y, group: 6 * mean_kernel(k, x, y, group), "divide by its 6 elements"),
]


test_a_right_answer_is_accepted, test_a_wrong_answer_is_refused_for_its_own_reason = judged(
    [*RIGHT.items(), ("01.2", lambda rng: haar(rng).astype(np.float32))], WRONG)
