"""Continuous convolution of a point cloud: a filter that is a function of space, for points that lie on no grid.

    g_i = Σ_j S_j W(x_j − x_i) f_j,  W(δ) = Σ_k b_k(δ) W_k  with matrices W_k

What the b_k are tells the methods apart. PointConv (Wu, Qi & Li, CVPR 2019, arXiv 1811.07246): a small network of δ, and S_j a
function of the inverse density of points at j, so that the sum stands for an integral. KPConv (Thomas et al., ICCV 2019,
arXiv 1904.08889): b_k(δ) = max(0, 1 − |δ − x̃_k|/σ), k-th of K kernel points. Radial: b_k depends on |δ| alone, as in SchNet;
that one is invariant under rotations, the others are tied to x, y and z. Every neighbourhood holds its own centre, δ = 0.
"""

from collections.abc import Iterable, Sequence

import torch

from course_lib.learning import GraphNetwork
from course_lib.point_clouds.deep_sets import checked_pooling
from course_lib.point_clouds.point_sets import mlp, pool
from course_lib.structures import AtomBatch, GaussianBasis
from course_lib.symmetry import E3_INVARIANT, Symmetry

KERNELS = ("mlp", "kernel_points", "radial")
TRANSLATION_INVARIANT = Symmetry(permutation=True, translation=True, rotation=False, inversion=False, periodic=True)


class KernelPoints(torch.nn.Module):
    """b_k(δ) = max(0, 1 − |δ − x̃_k|/σ): (E, K) of vectors (E, 3).

    One kernel point is the centre, the others lie on a spherical Fibonacci lattice of radius 3/4 cutoff; σ is 0.65 cutoff.
    """

    def __init__(self, n: int, cutoff: float) -> None:
        super().__init__()
        heights = 1 - (2 * torch.arange(n - 1) + 1) / (n - 1)
        turns = torch.arange(n - 1) * torch.pi * (1 + 5**0.5)
        shell = torch.stack([(1 - heights**2).sqrt() * turns.cos(), (1 - heights**2).sqrt() * turns.sin(), heights], dim=1)
        self.register_buffer("points", torch.cat([torch.zeros(1, 3), 0.75 * cutoff * shell]))
        self.sigma = 0.65 * cutoff

    def forward(self, vectors: torch.Tensor) -> torch.Tensor:
        return (1 - torch.cdist(vectors, self.points) / self.sigma).clamp(min=0)


class ContinuousConvolution(torch.nn.Module):
    """g_i = Σ_j Σ_k b_k(δ_ij) W_k f_j of c_in channels to c_out; `basis` gives b (E, n) of vectors δ (E, 3)."""

    def __init__(self, c_in: int, c_out: int, basis: torch.nn.Module, n: int) -> None:
        super().__init__()
        self.basis, self.filter = basis, torch.nn.Linear(n * c_in, c_out, bias=False)

    def forward(self, features: torch.Tensor, vectors: torch.Tensor, senders: torch.Tensor, receivers: torch.Tensor,
                scale: torch.Tensor | float = 1.0) -> torch.Tensor:
        """(N, c_out) of features (N, c_in) along edges with vectors (E, 3); `scale` (E, 1) multiplies what they carry."""
        b = self.basis(vectors) * scale
        carried = (b[:, :, None] * features.index_select(0, senders)[:, None]).flatten(1)
        return self.filter(carried.new_zeros(len(features), carried.shape[1]).index_add(0, receivers, carried))


class PointConvolution(GraphNetwork):
    """Layers of continuous convolution, each with SiLU; then a pooling over points and a small network.

    outputs: numbers a cloud
    cutoff: how far a filter reaches, in the unit of the positions
    kernel: "mlp" (PointConv), "kernel_points" (KPConv) or "radial", which sees distances only
    channels: widths of the layers
    n: basis functions a filter: hidden channels of PointConv's network, K of KPConv, Gaussians of the radial filter
    head: widths of the hidden layers after the pooling
    pooling: "mean", "sum" or "max"
    species: atomic numbers it tells apart; of bare points 0, the X of ASE
    """

    def __init__(self, outputs: int, cutoff: float, kernel: str = "mlp", channels: Sequence[int] = (32, 64), n: int = 15,
                 head: Sequence[int] = (64,), pooling: str = "mean", species: Sequence[int] = (0,)) -> None:
        super().__init__(species, cutoff)
        self.outputs, self.kernel, self.channels, self.n = outputs, kernel, channels, n
        self.head, self.pooling = head, checked_pooling(pooling)
        if kernel not in KERNELS:
            raise ValueError(f"kernel is {kernel!r}; it must be one of {', '.join(map(repr, KERNELS))}")
        widths = [len(species), *channels]
        self.layers = torch.nn.ModuleList(ContinuousConvolution(a, b, self._basis(), n)
                                          for a, b in zip(widths, channels, strict=False))
        self.biases = torch.nn.ParameterList(torch.zeros(width) for width in channels)
        self.density = torch.nn.Sequential(mlp(1, 16, 1), torch.nn.Softplus()) if kernel == "mlp" else None
        self.readout = mlp(widths[-1], *head, outputs)

    def _basis(self) -> torch.nn.Module:
        match self.kernel:
            case "mlp":
                return mlp(3, 32, self.n)
            case "kernel_points":
                return KernelPoints(self.n, self.cutoff)
        return Radial(self.n, self.cutoff)

    @property
    def symmetry(self) -> Symmetry:
        return E3_INVARIANT if self.kernel == "radial" else TRANSLATION_INVARIANT

    def adapt(self, batches: Iterable[AtomBatch]) -> None:
        """Set the mean number of neighbours, by which sums are divided."""
        edges, atoms = map(sum, zip(*((len(batch.senders), len(batch.species)) for batch in batches), strict=True))
        self.neighbours.fill_(1 + edges / atoms)

    def forward(self, batch: AtomBatch) -> torch.Tensor:
        own = torch.arange(len(batch.species), device=batch.species.device)
        senders, receivers = torch.cat([batch.senders, own]), torch.cat([batch.receivers, own])
        vectors = torch.cat([batch.edge_vectors(), batch.positions.new_zeros(len(own), 3)])
        scale = self._inverse_density(vectors, receivers)[senders] if self.density else 1.0
        features = (batch.species[:, None] == batch.species.new_tensor(self.species)).to(vectors.dtype)
        for layer, bias in zip(self.layers, self.biases, strict=True):
            sums = layer(features, vectors, senders, receivers, scale) / self.neighbours
            features = torch.nn.functional.silu(sums + bias)
        return self.readout(pool(features, batch.structure, batch.n_structures, self.pooling))

    def _inverse_density(self, vectors: torch.Tensor, receivers: torch.Tensor) -> torch.Tensor:
        """S (N, 1): a small network of 1/ρ, with ρ_i = Σ_j exp(−|δ_ij|²/2w²), w a quarter of the cutoff."""
        near = torch.exp(-8 * (vectors**2).sum(dim=1, keepdim=True) / self.cutoff**2)
        return self.density(1 / near.new_zeros(int(receivers.max()) + 1, 1).index_add(0, receivers, near))


class Radial(torch.nn.Module):
    """Gaussians of the distance, (E, n) of vectors (E, 3)."""

    def __init__(self, n: int, cutoff: float) -> None:
        super().__init__()
        self.gaussians = GaussianBasis(cutoff, n)

    def forward(self, vectors: torch.Tensor) -> torch.Tensor:
        return self.gaussians(vectors.norm(dim=1))
