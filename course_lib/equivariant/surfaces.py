"""Curved surfaces as triangle meshes: a frame at each vertex, where neighbours lie in it, and how to carry arrows along edges.

At a vertex p with unit normal n_p, two tangent vectors e₁, e₂ with e₁ × e₂ = n_p are the frame. Nobody can choose them well
everywhere, so nothing that counts may depend on them. A neighbour q is seen in the direction of the logarithmic map, the edge
laid down in the tangent plane,

    θ_pq = angle of (1 − n_p n_pᵀ)(q − p) in the frame at p,

and a vector is carried from q to p by the shortest rotation that turns n_q to n_p; in the frames this is a turn of the plane
by the angle g_{q→p}. de Haan, Weiler, Cohen & Welling, ICLR 2021 (arXiv 2003.05425). On a sphere, with its own normals, this is
parallel transport along the great circle, exactly. Round a loop the angles add up to the curvature inside: the holonomy.
A mesh is `vertices` (V, 3), in any unit, and `faces` (F, 3), counterclockwise seen from outside.
"""

import numpy as np


def edges(faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Senders q and receivers p (E,) of all edges, once in each direction, ordered by receiver."""
    pairs = np.concatenate([faces[:, [a, b]] for a, b in ((0, 1), (1, 2), (2, 0), (1, 0), (2, 1), (0, 2))])
    p, q = np.unique(pairs, axis=0).T
    return q, p


def vertex_normals(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """(V, 3) unit vectors: the mean of the faces around each vertex, by area. Raises ValueError where there is none."""
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    normals = np.zeros_like(vertices, dtype=float)
    for k in range(3):
        np.add.at(normals, faces[:, k], np.cross(b - a, c - a))
    lengths = np.linalg.norm(normals, axis=1)
    if (lengths == 0).any():
        raise ValueError(f"vertex {int(np.argmin(lengths))} has no normal: it is of no face, or its faces cancel; "
                         "check that `faces` are ordered alike and every vertex is used")
    return normals / lengths[:, None]


def tangent_frames(normals: np.ndarray, angles: np.ndarray | float = 0.0) -> np.ndarray:
    """(V, 2, 3): e₁ and e₂ at each normal. e₁ is the coordinate axis farthest from it, laid down, then turned by `angles`."""
    axes = np.eye(3)[np.abs(normals).argmin(axis=1)]
    first = axes - (axes * normals).sum(axis=1, keepdims=True) * normals
    first /= np.linalg.norm(first, axis=1, keepdims=True)
    second = np.cross(normals, first)
    c, s = np.broadcast_to(np.cos(angles), len(normals))[:, None], np.broadcast_to(np.sin(angles), len(normals))[:, None]
    return np.stack([c * first + s * second, c * second - s * first], axis=1)


def log_map(vertices: np.ndarray, frames: np.ndarray, senders: np.ndarray, receivers: np.ndarray) -> np.ndarray:
    """(E,) θ_pq, the angle at which p, the receiver, sees q, the sender, in its frame; radians."""
    x, y = np.einsum("eac,ec->ae", frames[receivers], vertices[senders] - vertices[receivers])
    return np.arctan2(y, x)


def transporters(frames: np.ndarray, senders: np.ndarray, receivers: np.ndarray) -> np.ndarray:
    """(E,) g_{q→p}: an arrow at angle α in the frame at q arrives at α + g in the frame at p; radians.

    The shortest rotation from n_q to n_p is 1 + [v]ₓ + [v]ₓ² / (1 + n_q · n_p) with v = n_q × n_p.
    """
    first = frames[senders, 0]
    n_q, n_p = (np.cross(frames[ends, 0], frames[ends, 1]) for ends in (senders, receivers))
    v = np.cross(n_q, n_p)
    carried = first + np.cross(v, first) + np.cross(v, np.cross(v, first)) / (1 + (n_q * n_p).sum(axis=1, keepdims=True))
    x, y = np.einsum("eac,ec->ae", frames[receivers], carried)
    return np.arctan2(y, x)


def holonomy(frames: np.ndarray, loop: np.ndarray) -> float:
    """By how much an arrow is turned, in (−π, π], that is carried from vertex to vertex of the closed `loop` (L,)."""
    loop = np.asarray(loop)
    return float(np.angle(np.exp(1j * transporters(frames, loop, np.roll(loop, -1)).sum())))


def angle_defects(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """(V,) 2π less the angles of the triangles at each vertex: the holonomy of a walk round it on the flat faces.

    Over a closed surface they sum to 2π times its Euler characteristic (Gauss and Bonnet): 4π for a sphere, 0 for a torus.
    """
    defects = np.full(len(vertices), 2 * np.pi)
    for k in range(3):
        here, a, b = (vertices[faces[:, (k + m) % 3]] for m in range(3))
        u, v = a - here, b - here
        np.add.at(defects, faces[:, k], -np.arctan2(np.linalg.norm(np.cross(u, v), axis=1), (u * v).sum(axis=1)))
    return defects
