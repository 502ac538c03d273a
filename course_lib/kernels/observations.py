"""What is known of a function that is never seen itself: sums of its values, and of its slopes.

Data on ε need not be values of it: y = Lᵀε with any linear L is Gaussian if ε is, and its covariance is Lᵀ k L (Bartók &
Csányi, IJQC 115, 1051 (2015)). An energy is a sum of ε over atoms or pairs, cov(E, E') = Σ_ij k(x_i, x_j); a force is a slope
of it, cov(F_a, E) = −Σ ∂_a k.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from ase import Atoms
from scipy.sparse import csr_array, eye_array, vstack

from course_lib.kernels.kernel_functions import Kernel
from course_lib.structures import neighbour_graphs


@dataclass(frozen=True, eq=False)
class Observations:
    """Labels linear in ε: y_n = Σ_p values_np ε(x_p) + Σ_pi slopes_n,pi ∂ε(x_p)/∂x_i.

    points: (P, d)
    values: sparse (n, P)
    slopes: sparse (n, P·d), or None where no label is a slope
    """

    points: np.ndarray
    values: csr_array
    slopes: csr_array | None = None

    def __post_init__(self) -> None:
        P, d = self.points.shape
        n = self.values.shape[0]
        if self.values.shape[1] != P or (self.slopes is not None and self.slopes.shape != (n, P * d)):
            raise ValueError(f"{P} points of dimension {d} need values ({n}, {P}) and slopes ({n}, {P * d}); got "
                             f"{self.values.shape} and {None if self.slopes is None else self.slopes.shape}")

    @classmethod
    def of_structures(cls, points: np.ndarray, structure: np.ndarray, n_structures: int,
                      jacobian: csr_array | None = None) -> Self:
        """Energies E = Σ ε(x_p) over the points of a structure; then, given ∂x/∂r, the force components −∂E/∂r.

        structure: (P,) whose point each is, 0 … n_structures − 1
        jacobian: sparse (P·d, C), ∂x_pi/∂r_c in 1/Å for the C coordinates of all atoms
        """
        P, M = len(points), n_structures
        sums = csr_array((np.ones(P), (structure, np.arange(P))), shape=(M, P))
        if jacobian is None:
            return cls(points, sums)
        rows, C = jacobian.shape
        return cls(points, vstack([sums, csr_array((C, P))], format="csr"),
                   vstack([csr_array((M, rows)), -csr_array(jacobian.T)], format="csr"))


def pair_observations(frames: Sequence[Atoms], cutoff: float, forces: bool = True) -> Observations:
    """E = Σ_{i<j} ε(r_ij) of molecules, one label a frame, then, on request, three force components an atom.

    The points are the distances below `cutoff`, (P, 1) Å. Raises ValueError for a periodic frame, and as `neighbour_graphs`.
    """
    graphs = neighbour_graphs(frames, cutoff)
    for index, atoms in enumerate(frames):
        if atoms.pbc.any():
            raise ValueError(f"frame {index} is periodic; pairs are counted in molecules only: set pbc=False if it is one")
    halves = [graph.receivers < graph.senders for graph in graphs]
    structure = np.repeat(np.arange(len(frames)), [half.sum() for half in halves])
    vectors = np.concatenate([graph.edge_vectors()[half] for graph, half in zip(graphs, halves, strict=True)])
    distances = np.linalg.norm(vectors, axis=1)
    if not forces:
        return Observations.of_structures(distances[:, None], structure, len(frames))
    ends = np.concatenate([np.stack([graph.senders, graph.receivers])[:, half]
                           for graph, half in zip(graphs, halves, strict=True)], axis=1)
    first = np.cumsum([0, *map(len, frames)])
    columns = 3 * (first[structure] + ends)[..., None] + np.arange(3)
    rows = np.broadcast_to(np.arange(len(vectors))[:, None], columns.shape)
    outward = vectors / distances[:, None]
    jacobian = csr_array((np.stack([outward, -outward]).ravel(), (rows.ravel(), columns.ravel())),
                         shape=(len(vectors), 3 * first[-1]))
    return Observations.of_structures(distances[:, None], structure, len(frames), jacobian)


def covariance(kernel: Kernel, X: np.ndarray | Observations, Y: np.ndarray | Observations) -> np.ndarray:
    """cov(y, y') (n, m) a priori; an array (P, d) stands for the values at its points."""
    if isinstance(X, np.ndarray) and isinstance(Y, np.ndarray):
        return kernel(X, Y)
    X, Y = (Observations(Z, eye_array(len(Z), format="csr")) if isinstance(Z, np.ndarray) else Z for Z in (X, Y))
    a, b = X.points, Y.points
    K = X.values @ kernel(a, b) @ Y.values.T
    if X.slopes is not None:
        K = K + X.slopes @ kernel.slopes(a, b).reshape(-1, len(b)) @ Y.values.T
    if Y.slopes is not None:
        K = K + X.values @ kernel.slopes(b, a).reshape(-1, len(a)).T @ Y.slopes.T
    if X.slopes is not None and Y.slopes is not None:
        K = K + X.slopes @ kernel.curvatures(a, b).reshape(a.size, b.size) @ Y.slopes.T
    return K
