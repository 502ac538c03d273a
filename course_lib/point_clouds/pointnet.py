"""PointNet: a function of each point, a maximum over points, a function of that; and small networks that align the input.

    f(X) = γ( max_i h(A x_i) ),  A = T(X) a matrix that a smaller PointNet, the T-net, reads off the set

Qi, Su, Mo & Guibas, CVPR 2017 (arXiv 1612.00593), without its batch normalisation and dropout. A T-net may learn to turn a
shape upright. Nothing holds it to that: alignment that is learned is no invariance.
"""

from collections.abc import Iterable, Sequence

import torch

from course_lib.point_clouds.point_sets import PointSets, SetNetwork, Standardised, mlp


class TNet(torch.nn.Module):
    """A matrix (M, c, c) for every set, from its values (N, c); the identity before training."""

    def __init__(self, channels: int, phi: Sequence[int], rho: Sequence[int]) -> None:
        super().__init__()
        self.channels = channels
        self.points, self.matrix = mlp(channels, *phi), mlp(phi[-1], *rho, channels**2)
        torch.nn.init.zeros_(self.matrix[-1].weight)
        with torch.no_grad():
            self.matrix[-1].bias.copy_(torch.eye(channels).flatten())

    def forward(self, sets: PointSets, values: torch.Tensor) -> torch.Tensor:
        return self.matrix(sets.pool(self.points(values), "max")).unflatten(1, (self.channels, self.channels))


class PointNet(SetNetwork):
    """γ of the maximum over points, of sets of any size.

    outputs: numbers a set
    dimension: d, numbers a point
    local, deep, head: widths of the shared layers before and after the second alignment, and of the layers after the maximum
    align_points, align_features: whether T-nets give a matrix (d, d) for the points, and one for their local features
    orthogonality: weight of ‖1 − A Aᵀ‖² of the matrix for features, which is added to the loss: `penalty`
    """

    def __init__(self, outputs: int, dimension: int = 3, local: Sequence[int] = (64, 64), deep: Sequence[int] = (64, 128, 1024),
                 head: Sequence[int] = (512, 256), align_points: bool = True, align_features: bool = True,
                 orthogonality: float = 1e-3) -> None:
        super().__init__(outputs, dimension)
        self.local, self.deep, self.head, self.orthogonality = local, deep, head, orthogonality
        self.align_points, self.align_features = align_points, align_features
        self.standardised = Standardised(dimension)
        self.point_alignment = TNet(dimension, deep, head) if align_points else None
        self.near = mlp(dimension, *local)
        self.feature_alignment = TNet(local[-1], deep, head) if align_features else None
        self.far, self.readout = mlp(local[-1], *deep), mlp(deep[-1], *head, outputs)
        self.penalty: torch.Tensor | float = 0.0

    def adapt(self, batches: Iterable[PointSets]) -> None:
        """Set the means and widths of the coordinates."""
        self.standardised.learn(sets.values for sets in batches)

    def forward(self, sets: PointSets) -> torch.Tensor:
        """(M, outputs); leaves `penalty` (M,) behind."""
        values = self.standardised(sets.values)
        if self.align_points:
            values = _turned(values, self.point_alignment(sets, values), sets)
        values = torch.nn.functional.silu(self.near(values))
        if self.align_features:
            matrices = self.feature_alignment(sets, values)
            defect = torch.eye(self.local[-1], dtype=values.dtype, device=values.device) - matrices @ matrices.mT
            self.penalty = self.orthogonality * (defect**2).sum(dim=(1, 2))
            values = _turned(values, matrices, sets)
        return self.readout(sets.pool(self.far(values), "max"))


def _turned(values: torch.Tensor, matrices: torch.Tensor, sets: PointSets) -> torch.Tensor:
    """(N, c): each point times the matrix of its set."""
    dense, absent = sets.padded(values)
    return (dense @ matrices.mT)[~absent]
