"""The icosahedral CNN: convolution that does not care which way is up, because it tries all six ways at every vertex.

A regular field f has at each vertex p a value for each of the six directions of the frame there, k = 0 … 5; turn the frame by
60°, and the values move on by one place. A kernel may not depend on the frame that somebody happened to choose:

    f′_k(p) = b + Σ_t Σ_l K_kl(t) f_l(p + t)        t: the vertex itself and its six neighbours, f_l carried to the frame of p
    K_{k+1, l+1}(t turned by 60°) = K_kl(t)         the gauge constraint; a scalar field has one value, and no index

Solved, it leaves of the 7 numbers from scalar to scalar 2, of the 42 from scalar to regular 7, of the 252 from regular to
regular 42: the orbits of the sixfold turn, one weight each. On a chart the sum is a 3 × 3 convolution of a picture, with 0 in
two corners of the kernel, once `g_pad` has brought the neighbours' values (Cohen, Weiler, Kicanaoglu & Welling, ICML 2019,
arXiv 1902.04615). At the 12 corners, of five neighbours, no sixfold kernel fits: fields are set to 0 there after every layer.
That keeps the network exact under the 60 rotations of the icosahedron, whatever the weights.
"""

from collections.abc import Sequence
from math import sqrt

import numpy as np
import torch
from torch.nn.functional import conv2d, pad, relu

from course_lib.equivariant.icosahedral_grid import STEPS, IcosahedralGrid, g_pad
from course_lib.equivariant.signals import SignalNetwork

FIELDS = {"R2R": (6, False), "S2R": (6, True), "S2S": (1, False)}
"""Channels of a direction that a layer makes, and whether it then keeps only the largest of them."""


def kernel_orbits(G_out: int, G_in: int) -> np.ndarray:
    """(G_out, G_in, 7): which free weight stands where, 0, 1, …; the last index is t, the vertex itself and then 0°, 60°, …"""
    k, l, t = np.indices((G_out, G_in, 7))
    turned = [np.ravel_multi_index(((k + s) % G_out, (l + s) % G_in, np.where(t, (t - 1 + s) % 6 + 1, 0)), k.shape)
              for s in range(6)]
    return np.unique(np.min(turned, axis=0), return_inverse=True)[1].reshape(k.shape)


def zero_at_corners(fields: torch.Tensor) -> torch.Tensor:
    """The fields (…, n, 2n) where six neighbours are, and 0 at the two vertices of every chart which have five."""
    n = fields.shape[-2]
    hexagons = fields.new_ones(n, 2 * n)
    hexagons[0, [n - 1, -1]] = 0
    return fields * hexagons


class HexagonalConvolution(torch.nn.Module):
    """Fields (M, 5, C, G, n, 2n) with C_in channels to such with C_out, G_in and G_out being 1 (scalar) or 6 (regular).

    `weight` (C_out, C_in, 2, 7 or 42) holds the free weights. Without a bias: the normalisation after it has one.
    """

    def __init__(self, C_in: int, C_out: int, G_in: int, G_out: int) -> None:
        super().__init__()
        self.G_out, orbits = G_out, kernel_orbits(G_out, G_in)
        n_free = int(orbits.max()) + 1
        self.weight = torch.nn.Parameter(torch.randn(C_out, C_in, n_free) * sqrt(2 / (7 * C_in * G_in)))
        mask = np.full((G_out, G_in, 3, 3), n_free)  # beyond the last weight stands a 0
        for t, (di, dj) in enumerate([(0, 0), *STEPS]):
            mask[..., 1 + dj, 1 + di] = orbits[..., t]
        self.register_buffer("mask", torch.from_numpy(mask), persistent=False)

    def kernel(self) -> torch.Tensor:
        """(C_out, G_out, C_in, G_in, 3, 3), as the weights fill it."""
        return pad(self.weight, (0, 1))[..., self.mask].transpose(1, 2)

    def forward(self, fields: torch.Tensor, poles: torch.Tensor | None = None) -> torch.Tensor:
        M, five, _, _, n, width = fields.shape
        kernel = self.kernel().flatten(2, 3).flatten(0, 1)
        convolved = conv2d(g_pad(fields, poles).flatten(2, 3).flatten(0, 1), kernel)
        return zero_at_corners(convolved.reshape(M, five, -1, self.G_out, n, width))


class HexagonalPooling(torch.nn.Module):
    """To the grid of one refinement less: each vertex shares itself out among the nearest that remain."""

    def forward(self, fields: torch.Tensor) -> torch.Tensor:
        halves = g_pad(fields).unflatten(-1, (-1, 2)).unflatten(-3, (-1, 2)).unbind(-3)  # rows j odd, from −1; j even, from 0
        (odd, odd_odd), (kept, beside) = (half.unbind(-1) for half in halves)            # columns i even, from 0; i odd, from 1
        ring = beside[..., :-1, 1:] + beside[..., :-1, :-1] + odd[..., 1:, 1:] + odd[..., :-1, 1:] + odd_odd[..., 1:, :-1] \
            + odd_odd[..., :-1, 1:]
        return zero_at_corners(kept[..., :-1, 1:] / 4 + ring / 8)


class IcosahedralLayer(torch.nn.Module):
    """Convolution, batch normalisation of each channel over all its vertices and directions, ReLU, and 0 at the corners."""

    def __init__(self, C_in: int, C_out: int, G_in: int, G_out: int, orientation_pooling: bool) -> None:
        super().__init__()
        self.convolution, self.orientation_pooling = HexagonalConvolution(C_in, C_out, G_in, G_out), orientation_pooling
        self.normalisation = torch.nn.BatchNorm3d(C_out)

    def forward(self, fields: torch.Tensor, poles: torch.Tensor | None = None) -> torch.Tensor:
        convolved = self.convolution(fields, poles)
        fields = zero_at_corners(relu(self.normalisation(convolved.flatten(0, 1))).reshape(convolved.shape))
        return fields.amax(dim=3, keepdim=True) if self.orientation_pooling else fields


class IcosahedralCNN(SignalNetwork):
    """Classes of signals on the sphere, given at the vertices of the icosahedron: scores (M, outputs).

    outputs: number of classes
    refinement: r, 10 · 4^r + 2 vertices; their `directions` (V, 3) say where a signal is to be sampled
    channels: of the layers, a tuple for each refinement r, r − 1, …; between two of them the grid is halved
    fields: "R2R", regular fields throughout; "S2R", only the largest of the six directions is kept after each layer;
        "S2S", scalar fields and kernels that are rings

    The signals are scalar. At the end come the largest of the six directions, the mean over vertices and a linear map, so that
    the scores are the same for all 60 rotations of a signal. `trunk` gives the fields before that.
    """

    def __init__(self, outputs: int, refinement: int = 4, channels: Sequence[Sequence[int]] = ((8,), (8,), (16, 16), (32,)),
                 fields: str = "R2R") -> None:
        super().__init__()
        self.outputs, self.refinement, self.channels, self.fields = outputs, refinement, channels, fields
        if fields not in FIELDS:
            raise ValueError(f"fields is {fields!r}; it must be 'R2R', 'S2R' or 'S2S'")
        self.grid = IcosahedralGrid(refinement)
        if not channels or not all(channels) or len(channels) > refinement:
            raise ValueError(f"channels are {channels}; give one or more for each of at most r = {refinement} grids, since one "
                             "without refinement has corners only")
        G, pools = FIELDS[fields]
        widths, G_in, layers = 1, 1, []
        for grid, several in enumerate(channels):
            layers += [HexagonalPooling()] if grid else []
            for C in several:
                layers.append(IcosahedralLayer(widths, C, G_in, G, pools))
                widths, G_in = C, 1 if pools else G
        self.first, self.layers = layers[0], torch.nn.ModuleList(layers[1:])
        self.head = torch.nn.Linear(widths, outputs)

    @property
    def size(self) -> int:
        return self.grid.size

    @property
    def directions(self) -> np.ndarray:
        """(V, 3) unit vectors."""
        return self.grid.directions

    def trunk(self, signals: torch.Tensor) -> torch.Tensor:
        """The last fields of signals (M, V): (M, 5, C, G, m, 2m) on the coarsest grid."""
        n = self.grid.n
        fields = self.first(signals[:, :-2].reshape(-1, 5, 1, 1, n, 2 * n), signals[:, None, -2:])
        for layer in self.layers:
            fields = layer(fields)
        return fields

    def forward(self, signals: torch.Tensor) -> torch.Tensor:
        return self.head(self.trunk(signals).amax(dim=3).mean(dim=(1, 3, 4)))
