"""The Clebsch–Gordan network: a spherical CNN that never leaves Fourier space, and so never breaks the symmetry.

    g_path^l = C^{l₁l₂l} (a^{l₁} ⊗ b^{l₂}),  |l₁ − l₂| ≤ l ≤ l₁ + l₂,       x^l ← W^l g^l / ‖g‖

Kondor, Lin & Trivedi, NeurIPS 2018, arXiv 1806.09231, section 4: an activation is, for each degree l, a list of vectors which
turn with D^l. Their products by Clebsch–Gordan coefficients are such vectors again: that is the nonlinearity. Then the vectors
of one degree are mixed, all 2l + 1 components by the same weights. Nothing is ever put on a grid, nothing is aliased. *Exact*,
to rounding, is the whole way from the coefficients of the signal to the output; what sampling does to a signal with degrees
beyond l_max, it does here too. What turns with D⁰ does not turn: those numbers of every layer are the invariants.
Two departures: the paper multiplies every pair of channels; here a and b are mixtures of the channels, and the c-th of a meets
the c-th of b, which after W spans the same functions if there are channels enough. And where the paper normalises each batch,
here each signal is divided by its own norm, which no rotation changes.
"""

from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from math import sqrt

import numpy as np
import torch

from course_lib.equivariant.spherical_cnn import SphericalNetwork, mlp
from course_lib.symmetry import clebsch_gordan


class ClebschGordanLayer(torch.nn.Module):
    """From x (M, c_in, (l_max + 1)²) to (M, c_out, (l_max + 1)²) of norm about 1 a channel and component."""

    def __init__(self, c_in: int, c_out: int, l_max: int) -> None:
        super().__init__()
        self.l_max = l_max
        paths = [sum(l in reached for _, _, reached in pairs(l_max)) for l in range(l_max + 1)]
        self.a, self.b = (torch.nn.Parameter(torch.randn(l_max + 1, c_in, c_out)) for _ in "ab")
        self.W = torch.nn.ParameterList(torch.randn(n * c_out, c_out) for n in paths)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        degrees = [x[..., l * l:(l + 1) ** 2] for l in range(self.l_max + 1)]
        a, b = ([W.T @ part / sqrt(len(W)) for W, part in zip(weights, degrees, strict=True)] for weights in (self.a, self.b))
        products: list[list[torch.Tensor]] = [[] for _ in degrees]
        for l1, l2, reached in pairs(self.l_max):
            outer = (a[l1][..., :, None] * b[l2][..., None, :]).flatten(2)
            together = outer @ _couplings(l1, l2, reached, x.dtype, x.device)
            for l, product in zip(reached, together.split([2 * l + 1 for l in reached], dim=2), strict=True):
                products[l].append(product)
        mixed = torch.cat([W.T @ torch.cat(parts, dim=1) / sqrt(len(W))
                           for W, parts in zip(self.W, products, strict=True)], dim=2)
        return mixed / (mixed.square().mean(dim=(1, 2), keepdim=True) + 1e-12).sqrt()


class ClebschGordanNetwork(SphericalNetwork):
    """Classes, or other numbers that no rotation changes, of signals on the sphere (M, V): scores (M, outputs).

    l_max: largest degree, of the signal and of every product
    channels: of each layer, so many products, one after the other
    head: widths of the hidden layers that see the invariants of all layers
    sampling: degree of the quadrature at whose `directions` signals are given, 8 l_max by default
    """

    def __init__(self, outputs: int, l_max: int = 6, channels: Sequence[int] = (8, 8, 8), head: Sequence[int] = (64,),
                 sampling: int | None = None) -> None:
        super().__init__(outputs, l_max, sampling)
        self.l_max, self.channels, self.head = l_max, channels, head
        self.layers = torch.nn.ModuleList(ClebschGordanLayer(*sizes, l_max) for sizes in pairwise([1, *channels]))
        self.readout = mlp(1 + sum(channels), *head, outputs)

    def fields(self, signals: torch.Tensor) -> list[torch.Tensor]:
        """x of the signal and of each layer, (M, channels, (l_max + 1)²): what turns along."""
        x = self.fourier.analysis(signals)[:, None] / self.scale
        fields = [x]
        for layer in self.layers:
            fields.append(layer(fields[-1]))
        return fields

    def invariants(self, signals: torch.Tensor) -> torch.Tensor:
        """The parts of degree 0, (M, 1 + Σ channels)."""
        return torch.cat([x[..., 0] for x in self.fields(signals)], dim=1)

    def forward(self, signals: torch.Tensor) -> torch.Tensor:
        return self.readout(self.invariants(signals))


def pairs(l_max: int) -> list[tuple[int, int, tuple[int, ...]]]:
    """l₁ ≤ l₂ ≤ l_max, and the degrees up to l_max that they multiply into."""
    return [(l1, l2, tuple(range(l2 - l1, min(l1 + l2, l_max) + 1))) for l2 in range(l_max + 1) for l1 in range(l2 + 1)]


@cache
def _couplings(l1: int, l2: int, degrees: tuple[int, ...], dtype: torch.dtype, device: torch.device) -> torch.Tensor:
    """C ((2l₁ + 1)(2l₂ + 1), Σ_l (2l + 1))."""
    tables = [clebsch_gordan(l1, l2, l).reshape(-1, 2 * l + 1) for l in degrees]
    return torch.tensor(np.concatenate(tables, axis=1), dtype=dtype, device=device)
