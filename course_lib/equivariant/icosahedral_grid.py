"""The icosahedron as five sheets of hexagonal lattice, and how the sheets hang together.

Refined r times, with n = 2^r, an icosahedron has 10 n² + 2 = 5 · 2^(2r+1) + 2 vertices. Cut it open from pole to pole into five
strips of four triangles each; laid flat, a strip is a parallelogram of n × 2n vertices (row j, column i), and only the two
poles belong to none:

    vertex (j, i) of chart c lies at i e₁ + j e₂ from the north pole,   e₁ at 0°, e₂ at 60°,   j = 0 … n−1,  i = 1 … 2n

Each vertex has its six neighbours at 0°, 60°, …, 300° of its chart: that is its frame, the gauge. Where two charts meet their
frames may differ by a turn of 60°, so a field with a value for each of the six directions is turned, its six channels shifted
by one place, when it is carried across: G-padding. Only at the 12 corners, where five triangles meet and not six, no hexagon
exists. Cohen, Weiler, Kicanaoglu & Welling, ICML 2019 (arXiv 1902.04615), section "Icosahedral CNNs".
"""

from functools import cached_property

import numpy as np
import torch
from scipy.spatial import KDTree
from scipy.spatial.transform import Rotation

from course_lib.symmetry import icosahedral_rotations

STEPS = np.array([(1, 0), (0, 1), (-1, 1), (-1, 0), (0, -1), (1, -1)])
"""(6, 2): the neighbours at 0°, 60°, …, 300°, as steps in column and row, (i, j)."""


def g_pad(fields: torch.Tensor, poles: torch.Tensor | None = None) -> torch.Tensor:
    """Charts (M, 5, C, G, n, 2n) with a margin one vertex wide from the charts beside them, (M, 5, C, G, n + 2, 2n + 2).

    G is 1 for a scalar field and 6 for a regular one, whose channels are shifted by the turn between the two frames. `poles`
    (M, C, 2) are values at the north and the south pole of a scalar field; without them both are 0, as are the two places of
    the margin that no hexagon reaches.
    """
    n = fields.shape[-2]
    zero = torch.zeros_like(fields[..., 0, :1])
    north = south = zero
    if poles is not None:
        north, south = (pole[:, None, :, None, None].expand_as(zero) for pole in poles.unbind(-1))
    before, after, chart, turn = 1, -1, 1, 3  # what to roll by, and along which axes
    first, last, start, end = fields[..., 0, :], fields[..., -1, :], fields[..., 0], fields[..., -1]  # j = 0, n−1, i = 1, 2n
    left = torch.cat([north, first[..., :n].roll((before, 1), (chart, turn))], -1)
    right = torch.cat([last[..., n:].roll((after, 1), (chart, turn)), zero], -1)
    top = torch.cat([first[..., n:].roll(before, chart), end[..., 1:].roll((before, -1), (chart, turn)), south], -1)
    bottom = torch.cat([zero, start.roll((after, -1), (chart, turn)), last[..., :n].roll(after, chart), zero], -1)
    rows = torch.cat([fields, top[..., None, :]], -2)
    return torch.cat([bottom[..., None, :], torch.cat([left[..., None], rows, right[..., None]], -1)], -2)


class IcosahedralGrid:
    """Vertices, charts, neighbours and rotations at `refinement` r, 0 or more.

    Vertices are numbered chart by chart and row by row, then the north pole, then the south pole: V = 10 n² + 2.
    Raises ValueError for a refinement that is no whole number from 0 to 8.
    """

    def __init__(self, refinement: int) -> None:
        if refinement not in range(9):
            raise ValueError(f"refinement is {refinement!r}; it must be a whole number from 0 (12 vertices) to 8 (655362)")
        self.refinement, self.n = int(refinement), 2**int(refinement)
        self.size = 10 * self.n**2 + 2
        charts = self.n * (2 * self.n * np.arange(5)[:, None] + [1, 2]) - 1
        self.corners = np.append(charts.ravel(), [self.size - 2, self.size - 1])
        """(12,) the vertices of five neighbours."""

    @cached_property
    def padded(self) -> tuple[np.ndarray, np.ndarray]:
        """What `g_pad` puts where: the vertex, −1 for none, and by how many places its channels are shifted, both
        (5, n + 2, 2n + 2).
        """
        vertices = torch.arange(1, self.size - 1).reshape(1, 5, 1, 1, self.n, 2 * self.n)
        channels = torch.arange(6)[:, None, None].expand(1, 5, 1, 6, self.n, 2 * self.n)
        poles = torch.tensor([[[self.size - 1, self.size]]])
        return g_pad(vertices, poles)[0, :, 0, 0].numpy() - 1, -g_pad(channels)[0, :, 0, 0].numpy() % 6

    @cached_property
    def neighbours(self) -> np.ndarray:
        """(V, 6): the neighbour in each direction; −1 throughout at the corners."""
        return self._around(self.padded[0], -1)

    @cached_property
    def turns(self) -> np.ndarray:
        """(V, 6): by how many places, 0 to 5, the channels of that neighbour are shifted in the frame of the vertex."""
        return self._around(self.padded[1], 0)

    def _around(self, padded: np.ndarray, at_corners: int) -> np.ndarray:
        i, j = np.meshgrid(np.arange(1, 2 * self.n + 1), np.arange(1, self.n + 1))
        found = np.stack([padded[:, j + dj, i + di].ravel() for di, dj in STEPS], axis=1)
        found = np.vstack([found, np.full((2, 6), at_corners)])
        found[self.corners] = at_corners
        return found

    @cached_property
    def directions(self) -> np.ndarray:
        """(V, 3) unit vectors: the midpoints of all edges are pushed out to the sphere, r times. The poles lie on z."""
        azimuth = -2 * np.pi / 5 * np.arange(5)  # seen from outside, e₂ lies counterclockwise of e₁
        ring = np.stack([2 * np.cos(azimuth), 2 * np.sin(azimuth), np.ones(5)], axis=1) / 5**0.5
        pole = np.broadcast_to([0, 0, 1], (5, 3))
        lower = -np.roll(ring, 2, axis=0)  # vertex c of it lies between c and c + 1 of the upper one
        right = np.roll(ring, -1, axis=0), np.roll(lower, -1, axis=0)
        sheets = np.array([[pole, *right], [ring, lower, -pole]]).transpose(2, 0, 1, 3)
        for _ in range(self.refinement):
            finer = np.empty((5, 2 * sheets.shape[1] - 1, 2 * sheets.shape[2] - 1, 3))
            finer[:, ::2, ::2] = sheets
            finer[:, ::2, 1::2] = sheets[:, :, 1:] + sheets[:, :, :-1]
            finer[:, 1::2, ::2] = sheets[:, 1:] + sheets[:, :-1]
            finer[:, 1::2, 1::2] = sheets[:, :-1, 1:] + sheets[:, 1:, :-1]
            sheets = finer / np.linalg.norm(finer, axis=-1, keepdims=True)
        return np.vstack([sheets[:, :-1, 1:].reshape(-1, 3), [[0, 0, 1], [0, 0, -1]]])

    @cached_property
    def faces(self) -> np.ndarray:
        """(20 · 4^r, 3) vertices of each triangle, counterclockwise seen from outside."""
        sheets = self.padded[0][:, 1:, :-1]
        here, right, up, across = sheets[:, :-1, :-1], sheets[:, :-1, 1:], sheets[:, 1:, :-1], sheets[:, 1:, 1:]
        return np.array([[here, right, up], [right, across, up]]).transpose(2, 3, 4, 0, 1).reshape(-1, 3)

    @cached_property
    def rotations(self) -> np.ndarray:
        """(60, 3, 3): the rotations that take the grid to itself, the identity first."""
        group = icosahedral_rotations()
        turns = Rotation.from_matrix(group).as_rotvec()
        axes = turns[np.isclose(np.linalg.norm(turns, axis=1), 2 * np.pi / 5)] / (2 * np.pi / 5)
        near = axes[np.isclose(axes @ axes[0], 5**-0.5)][0]
        ours, _ = Rotation.align_vectors([[0, 0, 1], [2 / 5**0.5, 0, 5**-0.5]], [axes[0], near])
        aligned = ours.as_matrix() @ group @ ours.as_matrix().T
        return aligned[np.argsort(-np.trace(aligned, axis1=1, axis2=2), kind="stable")]

    @cached_property
    def permutations(self) -> np.ndarray:
        """(60, V): where each rotation takes each vertex."""
        distances, found = KDTree(self.directions).query(self.directions @ self.rotations.transpose(0, 2, 1))
        assert distances.max() < 1e-9
        return found

    @cached_property
    def shifts(self) -> np.ndarray:
        """(60, V): by how many places a rotation shifts the channels of what it carries away from a vertex; 0 at corners."""
        first = self.permutations[:, self.neighbours[:, 0]]
        shifts = (self.neighbours[self.permutations] == first[..., None]).argmax(axis=-1)
        shifts[:, self.corners] = 0
        return shifts

    def rotate(self, values: np.ndarray | torch.Tensor, element: int) -> np.ndarray | torch.Tensor:
        """The field (…, G, V) carried along by a rotation; G is 1, a scalar, or 6, regular and 0 at the corners."""
        back = np.argsort(self.permutations[element])
        channels = (np.arange(values.shape[-2])[:, None] - self.shifts[element, back]) % values.shape[-2]
        return values[..., channels, back]
