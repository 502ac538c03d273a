"""One layer of a tensor field network: mix channels, convolve, mix again, add what the atom itself has, and bend.

    x_i ← η(W″ (1/√N̄) Σ_j R(r_ij) Y(r̂_ij) ⊗ (W′ x_j) + W x_i)

with N̄ the mean number of neighbours, so that sums keep their size.
"""

from collections.abc import Callable, Sequence

import torch

from course_lib.equivariant.linear import Gate, Mixing, NormActivation, Perceptron
from course_lib.equivariant.tensor_product import Convolution, Label, Labels
from course_lib.structures import AtomBatch

SCALARS: Labels = (Label(0, 1),)


class Interaction(torch.nn.Module):
    """From features with labels `before` to features with `labels`, those of `wanted` that can be reached.

    radial: widths of the network R, from the number of radial functions to that of the last hidden layer
    activation: η, makes `Gate` or `NormActivation` of labels and a number of channels
    n_species: the own features are mixed by weights W of each element; None has one W for all
    """

    def __init__(self, before: Labels, filters: Labels, wanted: Labels, n_features: int, radial: Sequence[int],
                 activation: Callable[[Labels, int], Gate | NormActivation], n_species: int | None = None) -> None:
        super().__init__()
        self.dims, channels = [label.dim for label in before], dict.fromkeys(before, n_features)
        self.convolution = Convolution(before, filters, wanted)
        self.labels, self.per_element = self.convolution.outputs, n_species is not None
        self.activation = activation(self.labels, n_features)
        self.R = Perceptron(*radial, n_features * self.convolution.n_paths)
        self.inner = Mixing(channels, channels)
        self.outer = Mixing({label: n_features * len(pairs) for label, pairs in self.convolution.paths.items()},
                            self.activation.needed)
        self.own = Mixing(channels, self.activation.needed, n_species)

    def forward(self, x: torch.Tensor, Y: torch.Tensor, radial: torch.Tensor, neighbours: torch.Tensor, batch: AtomBatch,
                element: torch.Tensor) -> torch.Tensor:
        """Features (N, D', F) of x (N, D, F), with harmonics Y and radial functions of the edges, and N̄."""
        before = x.split(self.dims, dim=1)
        sent = torch.cat(self.inner(before), dim=1) / neighbours.sqrt()
        received = self.outer(self.convolution(sent, Y, self.R(radial), batch.senders, batch.receivers))
        own = dict(zip(self.own.labels, self.own(before, element if self.per_element else None), strict=True))
        return self.activation([block + own[label] if label in own else block
                                for label, block in zip(self.labels, received, strict=True)])
