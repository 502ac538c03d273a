"""The spherical CNN: signals on the sphere are correlated with filters, and from then on live on the group of rotations.

    F₁ = ψ₁ ⋆ f,   F_{k+1} = ψ_{k+1} ⋆ σ(N_k F_k),   output = MLP(∫ σ(N_K F_K) dR)

Cohen, Geiger, Köhler & Welling, ICLR 2018, arXiv 1801.10130. Correlations are products of coefficients, and *exactly*
equivariant. σ is not: it acts on values, on a grid of rotations, and what it makes has degrees without end. Those which a grid
cannot hold are *aliased*, and the output moves a little when the signal turns. The error falls with the number of rotations
in the grid (`oversampling`), faster for a smooth σ than for a kink; for σ a polynomial of degree 2 it vanishes, to rounding,
from oversampling 1.5 on, for then σ is a Clebsch–Gordan product in disguise. The integral over all rotations is what makes the
output invariant. N normalises a batch, a factor and a constant for each channel. Reflections are no rotations: nothing is
claimed of them.
"""

from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from math import ceil

import numpy as np
import torch

from course_lib.equivariant.correlation import RotationCorrelation, RotationNorm, SphereCorrelation
from course_lib.equivariant.rotation_fourier import RotationFourier
from course_lib.equivariant.signals import SignalNetwork
from course_lib.equivariant.spherical_fourier import SphericalFourier, checked_degree

ACTIVATIONS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "relu": torch.relu, "silu": torch.nn.functional.silu, "quadratic": lambda x: x + x.square() / 2}


class SphericalNetwork(SignalNetwork):
    """What the networks of signals on the sphere share: the `directions` (V, 3) where a signal is to be given, V = `size`.

    They are a quadrature of degree `sampling`. Signals with degrees up to sampling − l_max are seen exactly; one with finer
    detail, such as a picture's edge, is seen a little differently in each orientation. `scale` is the root mean square of the
    signals on the sphere, which `adapt` learns.
    """

    def __init__(self, outputs: int, l_max: int, sampling: int | None) -> None:
        super().__init__()
        self.outputs, self.sampling = outputs, sampling
        self.fourier = SphericalFourier(l_max, 8 * l_max if sampling is None else sampling)
        self.register_buffer("scale", torch.ones(()))

    @property
    def directions(self) -> np.ndarray:
        return self.fourier.directions

    @property
    def size(self) -> int:
        return len(self.directions)

    @torch.no_grad()
    def adapt(self, batches: Iterable[torch.Tensor]) -> None:
        """Set the scale of the signals."""
        squares = torch.cat([self.fourier.analysis(signals).square().sum(dim=1) for signals in batches])
        self.scale.copy_((squares.mean() / (4 * torch.pi)).sqrt().clamp(min=1e-12))


class SphericalCNN(SphericalNetwork):
    """Classes, or other numbers that no rotation changes, of signals on the sphere (M, V): scores (M, outputs).

    l_max: largest degree that each layer keeps, the bandwidth of the paper less one: first that of the signal; it may fall from
        layer to layer, as pictures get coarser
    channels: of each layer, one for each l_max
    head: widths of the hidden layers behind the integral
    reach: how far from the pole the filters extend, radians
    activation: σ, "silu", "relu" as in the paper, or "quadratic", x + x²/2
    oversampling: the grids of rotations are exact up to degree 2 l_max times this; 1 or more
    sampling: degree of the quadrature at whose `directions` signals are given, 8 l_max by default
    """

    def __init__(self, outputs: int, l_max: Sequence[int] = (8, 6, 4), channels: Sequence[int] = (8, 12, 32),
                 head: Sequence[int] = (64,), reach: float = 0.7, activation: str = "silu", oversampling: float = 1.0,
                 sampling: int | None = None) -> None:
        if len(l_max) != len(channels) or not len(l_max) or list(l_max) != sorted(l_max, reverse=True):
            raise ValueError(f"l_max is {l_max} and channels {channels}; give one of each a layer, l_max never rising")
        if activation not in ACTIVATIONS:
            raise ValueError(f"activation is {activation!r}; it must be {', '.join(map(repr, ACTIVATIONS))}")
        if not oversampling >= 1:
            raise ValueError(f"oversampling is {oversampling}; below 1 a grid does not hold what the correlation gives")
        super().__init__(outputs, l_max[0], sampling)
        self.l_max, self.channels, self.head, self.activation = l_max, channels, head, activation
        self.oversampling, self.reach = oversampling, reach
        self.lift = SphereCorrelation(1, channels[0], l_max[0], reach)
        self.layers = torch.nn.ModuleList(RotationCorrelation(a, b, l, reach) for (a, b), l in zip(
            pairwise(channels), l_max[1:], strict=True))
        self.norms = torch.nn.ModuleList(RotationNorm(c, l) for c, l in zip(channels, l_max, strict=True))
        degrees = [checked_degree(ceil(oversampling * l), None) for l in l_max]
        self.grids = [RotationFourier(l, degree) for l, degree in zip(l_max, degrees, strict=True)]
        self.coarser = [RotationFourier(l, degree) for l, degree in zip([*l_max[1:], 0], degrees, strict=True)]
        self.readout = mlp(channels[-1], *head, outputs)

    def fields(self, signals: torch.Tensor) -> list[torch.Tensor]:
        """F̂_k of each layer k before its σ (M, channels[k], Σ (2l + 1)²), of signals (M, V): what turns along."""
        F = self.lift(self.fourier.analysis(signals)[:, None] / self.scale)
        fields = [F]
        for k, layer in enumerate(self.layers):
            F = layer(self._bent(k, F))
            fields.append(F)
        return fields

    def invariants(self, signals: torch.Tensor) -> torch.Tensor:
        """∫ σ(N_K F_K) dR, (M, channels[-1])."""
        return self._bent(len(self.layers), self.fields(signals)[-1])[..., 0]

    def forward(self, signals: torch.Tensor) -> torch.Tensor:
        return self.readout(self.invariants(signals))

    def _bent(self, k: int, F: torch.Tensor) -> torch.Tensor:
        """Coefficients of σ(N F), as many as the next layer keeps; of the last one the mean."""
        values = self.grids[k].synthesis(self.norms[k](F))
        return self.coarser[k].analysis(ACTIVATIONS[self.activation](values))


def mlp(*widths: int) -> torch.nn.Sequential:
    """Invariants normalised by batches, then linear maps between these widths with SiLU between them."""
    layers = [layer for sizes in pairwise(widths) for layer in (torch.nn.Linear(*sizes), torch.nn.SiLU())]
    return torch.nn.Sequential(torch.nn.BatchNorm1d(widths[0]), *layers[:-1])
