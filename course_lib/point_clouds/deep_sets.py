"""Deep Sets: f(X) = ρ(Σ_{x∈X} φ(x)), the same φ for every point, and a sum that does not know their order.

Zaheer, Kottur, Ravanbakhsh, Póczos, Salakhutdinov & Smola, NeurIPS 2017 (arXiv 1703.06114). The only linear maps of n
numbers that commute with every permutation are λ 1 + γ 11ᵀ; with channels, λ and γ are matrices Λ and Γ.
"""

from collections.abc import Iterable, Sequence

import torch

from course_lib.point_clouds.point_sets import POOLINGS, PointSets, SetNetwork, Standardised, mlp
from course_lib.symmetry import Symmetry

O3_INVARIANT = Symmetry(permutation=True, translation=False, rotation=True, inversion=True, periodic=False)
"""Of a set of vectors seen by their inner products, with the centre at the origin."""
SEEN = ("coordinates", "inner products")


class EquivariantSetLayer(torch.nn.Module):
    """y_i = x_i Λ + pool_j(x_j) Γ + b: the linear map of sets to sets, of c_in channels to c_out.

    pooling: "sum" is the map of the theorem; "mean" and "max" commute with permutations too
    """

    def __init__(self, c_in: int, c_out: int, pooling: str = "mean") -> None:
        super().__init__()
        self.pooling = checked_pooling(pooling)
        self.own, self.all = torch.nn.Linear(c_in, c_out), torch.nn.Linear(c_in, c_out, bias=False)

    def forward(self, sets: PointSets, values: torch.Tensor) -> torch.Tensor:
        """(N, c_out) of values (N, c_in)."""
        return self.own(values) + self.all(sets.pool(values, self.pooling))[sets.sets]


class DeepSets(SetNetwork):
    """ρ(pool_i φ(x_i)), of sets of any size.

    outputs: numbers a set
    dimension: d, numbers a point
    phi, rho: widths of the hidden layers of φ, the last of which is the latent dimension, and of ρ
    pooling: "sum", which can count; "mean"; "max"
    mixing: φ made of layers Λ, Γ instead, so that points know of each other before they are pooled
    seen: "coordinates", or "inner products": of a point only |x|², which no rotation about the origin changes
    sharpness: how far apart φ, before training, finds points one standard deviation apart; without it fine shells blur
    """

    def __init__(self, outputs: int, dimension: int = 3, phi: Sequence[int] = (64, 64), rho: Sequence[int] = (64,),
                 pooling: str = "sum", mixing: bool = False, seen: str = "coordinates",
                 sharpness: float = 4.0) -> None:
        super().__init__(outputs, dimension)
        self.phi, self.rho, self.pooling, self.mixing = phi, rho, checked_pooling(pooling), mixing
        self.seen, self.sharpness = seen, sharpness
        n_seen = seen_features(1, dimension, seen)
        self.standardised = Standardised(n_seen, sharpness)
        widths = [n_seen, *phi]
        self.layers = torch.nn.ModuleList(
            EquivariantSetLayer(*sizes) if mixing else torch.nn.Linear(*sizes) for sizes in zip(widths, phi, strict=False))
        self.pooled, self.readout = Standardised(widths[-1]), mlp(widths[-1], *rho, outputs)

    @property
    def symmetry(self) -> Symmetry:
        return O3_INVARIANT if self.seen == "inner products" else SetNetwork.symmetry

    def adapt(self, batches: Iterable[PointSets]) -> None:
        """Set the means and widths of the inputs, and of what fresh weights make of them in the latent space."""
        batches = list(batches)
        self.standardised.learn(self._inputs(sets) for sets in batches)
        self.pooled.learn(map(self.latent, batches))

    def forward(self, sets: PointSets) -> torch.Tensor:
        return self.readout(self.pooled(self.latent(sets)))

    def latent(self, sets: PointSets) -> torch.Tensor:
        """pool_i φ(x_i), (M, phi[-1])."""
        values = self.standardised(self._inputs(sets))
        for layer in self.layers:
            values = torch.nn.functional.silu(layer(sets, values) if self.mixing else layer(values))
        return sets.pool(values, self.pooling)

    def _inputs(self, sets: PointSets) -> torch.Tensor:
        return seen_of(sets.values[:, None], self.seen)


def seen_features(k: int, dimension: int, seen: str) -> int:
    """How many numbers `seen_of` gives of k points. Raises ValueError for another `seen`."""
    if seen not in SEEN:
        raise ValueError(f"seen is {seen!r}; it must be {' or '.join(map(repr, SEEN))}")
    return k * dimension if seen == "coordinates" else k * (k + 1) // 2


def seen_of(points: torch.Tensor, seen: str) -> torch.Tensor:
    """(T, ·) of k points each (T, k, d): their coordinates, or x_a·x_b for a ≤ b, all that O(d) leaves of them (Weyl)."""
    if seen == "coordinates":
        return points.flatten(1)
    a, b = torch.triu_indices(points.shape[1], points.shape[1], device=points.device)
    return (points[:, a] * points[:, b]).sum(dim=2)


def checked_pooling(how: str) -> str:
    if how not in POOLINGS:
        raise ValueError(f"pooling is {how!r}; it must be {', '.join(map(repr, POOLINGS))}")
    return how
