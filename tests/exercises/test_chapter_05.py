"""Chapter 05: the right answers pass, and each wrong one is refused for its own reason."""

import numpy as np
from judged import judged

from course_lib.kernels import GAP, SOAP


def units(*arrays):
    return [a / np.linalg.norm(a, axis=1, keepdims=True) for a in arrays]


def like(numbers, others):
    return numbers[:, None] == others


def cosines(p, q):
    p, q = units(p, q)
    return p @ q.T


def atom_kernel(p, numbers, q, others, zeta):
    return cosines(p, q) ** zeta * like(numbers, others)


def stress(centres, vectors, values, g, volume):
    return np.einsum("pxf,pf->px", values, g[centres]).T @ vectors / volume


def chosen(width=0.3, cutoff=3.0, zeta=2, n_sparse=80, **settings):
    return GAP(SOAP(cutoff, 6, 4, width, smoothing=1.0), n_sparse=n_sparse, zeta=zeta, **settings)


RIGHT = {"05.1": (1176, 2100), "05.2": atom_kernel, "05.3": stress, "05.4": chosen()}

WRONG = [
    ("05.1", (168, 2100), "each degree l has 2l + 1"),
    ("05.1", (312, 2100), "l = 6 alone"),
    ("05.1", (49, 2100), "49 is not 3 elements"),
    ("05.1", (1176, 4032), "counts each pair of different channels twice"),
    ("05.1", (1176, 1512), "are two different features"),
    ("05.1", (1176, 2688), "within one element too"),
    ("05.1", (1176, 1800), "l = 0 is a degree too"),
    ("05.1", (1176, 756), "pairs of two elements"),
    ("05.1", (1176, 300), "do not have 300 unordered pairs"),
    ("05.2", lambda p, a, q, b, z: atom_kernel(p, a, q, b, z).T, "it must be (5, 4)"),
    ("05.2", lambda p, a, q, b, z: cosines(p, q) ** z, "their kernel is zero"),
    ("05.2", lambda p, a, q, b, z: (p @ q.T) ** z * like(a, b), "are not normalised"),
    ("05.2", lambda p, a, q, b, z: (p @ q.T / np.linalg.norm(p) / np.linalg.norm(q)) ** z * like(a, b), "by one length"),
    ("05.2", lambda p, a, q, b, z: cosines(p, q) * like(a, b), "zeta is missing"),
    ("05.2", lambda p, a, q, b, z: units(p)[0] ** z @ (units(q)[0] ** z).T * like(a, b), "not the features"),
    ("05.2", lambda p, a, q, b, z: atom_kernel(p, a, q, b, z) + 1e-2, "first two carbons should be"),
    ("05.2", lambda p, a, q, b, z: atom_kernel(p, a, q, b, 3), "use the zeta that is given"),
    ("05.3", lambda c, r, v, g, volume: -stress(c, r, v, g, volume), "stress is the slope"),
    ("05.3", lambda c, r, v, g, volume: stress(c, r, v, g, 1), "divide by the volume"),
    ("05.3", lambda c, r, v, g, volume: stress(c, r, v, g, 2 * volume), "no factor ½"),
    ("05.3", lambda c, r, v, g, volume: stress(1 - c, r, v, g, volume), "not to the neighbour"),
    ("05.3", lambda c, r, v, g, volume: stress(0 * c, r, v, g.sum(axis=0)[None], volume), "adds up all centres"),
    ("05.3", lambda c, r, v, g, volume: stress(c, r, v, g, volume)[0], "yours (3,)"),
    ("05.3", lambda c, r, v, g, volume: stress(c, r**2, v, g, volume), "finite difference"),
    ("05.4", SOAP(), "not a SOAP"),
    ("05.4", GAP(), "give the GAP a SOAP"),
    ("05.4", chosen(n_sparse=500), "another game"),
    ("05.4", GAP(SOAP(3.0, 20, 4, 0.3), n_sparse=80), "keep n_max"),
    ("05.4", chosen(cutoff=2.0), "the angles between bonds are lost"),
    ("05.4", chosen(width=0.5), "blur what moves"),
    ("05.4", chosen(width=0.4, cutoff=4.0, zeta=4), "not below 0.15"),
]


test_a_right_answer_is_accepted, test_a_wrong_answer_is_refused_for_its_own_reason = judged(list(RIGHT.items()), WRONG)
