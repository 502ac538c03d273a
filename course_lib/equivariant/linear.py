"""Between two tensor products: channels mix, numbers per label, and what does not turn decides how large the rest is.

By Schur's lemma the linear equivariant maps between features mix the channels of one label and nothing else: self-interaction
(Thomas et al., arXiv 1802.08219), a linear layer of every label, x'_kc' = Σ_c x_kc W^{lp}_cc'. A nonlinear function may act on
scalars, and scale the others: by gates, scalars of their own (Weiler et al., NeurIPS 2018), or by their norm. Blocks are lists
with a tensor (N, 2l + 1, channels) for each label. Weights are drawn with variance 1 and divided by √n in use, n the number of
terms in a sum, so that features keep their size and all weights have one sensible learning rate.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import sqrt

import torch
from torch.nn.functional import silu

from course_lib.equivariant.tensor_product import Label, Labels

SILU_SIZE, TANH_SIZE = 0.59647, 0.62793
"""√⟨η(z)²⟩ over normal z, by which an activation η is divided."""


class Mixing(torch.nn.Module):
    """Self-interaction of blocks: `before` and `after` hold numbers of channels by label. A label that `after` has and `before`
    has not is left out.

    n_species: weights of its own for each element; forward then takes the element of each atom, 0 … n_species − 1 (N,)
    """

    def __init__(self, before: Mapping[Label, int], after: Mapping[Label, int], n_species: int | None = None) -> None:
        super().__init__()
        self.labels, self.inputs = tuple(label for label in after if label in before), tuple(before)
        shape = () if n_species is None else (n_species,)
        self.weights = torch.nn.ParameterList(torch.randn(*shape, before[label], after[label]) for label in self.labels)

    def forward(self, blocks: Sequence[torch.Tensor], element: torch.Tensor | None = None) -> list[torch.Tensor]:
        """A block (N, 2l + 1, channels after) for each of `labels`."""
        given, mixed = dict(zip(self.inputs, blocks, strict=True)), []
        for label, W in zip(self.labels, self.weights, strict=True):
            W = W / sqrt(W.shape[-2])
            mixed.append(given[label] @ (W if element is None else W.index_select(0, element)))
        return mixed


class Perceptron(torch.nn.Module):
    """Layers of weights without biases, silu between them, of the given widths: zero where all inputs are, as radial functions
    at the cutoff must be.
    """

    def __init__(self, *widths: int) -> None:
        super().__init__()
        self.weights = torch.nn.ParameterList(torch.randn(a, b) for a, b in pairwise(widths))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for layer, W in enumerate(self.weights):
            x = (silu(x) / SILU_SIZE if layer else x) @ (W / sqrt(W.shape[0]))
        return x


class Gate(torch.nn.Module):
    """Scalars by silu, pseudoscalars by tanh (odd, as they are), other labels times the silu of one more scalar a channel.

    needed: the numbers of channels by label that it takes, gates among the scalars; after them all labels have n_channels
    """

    def __init__(self, labels: Labels, n_channels: int) -> None:
        super().__init__()
        self.labels, self.n_channels = labels, n_channels
        if Label(0, 1) not in labels:
            raise ValueError(f"a gate needs scalars, 0e; got {', '.join(map(str, labels))}")
        self.needed = dict.fromkeys(labels, n_channels)
        self.needed[Label(0, 1)] *= 1 + sum(label.l > 0 for label in labels)

    def forward(self, blocks: Sequence[torch.Tensor]) -> torch.Tensor:
        """Features (N, D, n_channels) of a block for each of `labels`."""
        scalars, *gates = blocks[self.labels.index(Label(0, 1))].split(self.n_channels, dim=2)
        gates, features = iter(gates), []
        for label, block in zip(self.labels, blocks, strict=True):
            match label:
                case Label(0, 1):
                    features.append(silu(scalars) / SILU_SIZE)
                case Label(0, -1):
                    features.append(torch.tanh(block) / TANH_SIZE)
                case _:
                    features.append(block * silu(next(gates)) / SILU_SIZE)
        return torch.cat(features, dim=1)


class NormActivation(torch.nn.Module):
    """Every channel of every label times η(‖x‖ + b)/‖x‖ with η = silu and a bias b of its own; scalars are silu(x + b).

    The norm is √(|x|²/(2l + 1) + ε²), so that nothing has a kink where x = 0.
    """

    needed: Mapping[Label, int]

    def __init__(self, labels: Labels, n_channels: int, epsilon: float = 1e-2) -> None:
        super().__init__()
        self.labels, self.epsilon, self.needed = labels, epsilon, dict.fromkeys(labels, n_channels)
        self.biases = torch.nn.ParameterList(torch.zeros(n_channels) for _ in labels)

    def forward(self, blocks: Sequence[torch.Tensor]) -> torch.Tensor:
        features = []
        for label, block, bias in zip(self.labels, blocks, self.biases, strict=True):
            if label == Label(0, 1):
                features.append(silu(block + bias) / SILU_SIZE)
            else:
                norm = (block.square().mean(dim=1, keepdim=True) + self.epsilon**2).sqrt()
                features.append(block * silu(norm + bias) / (norm * SILU_SIZE))
        return torch.cat(features, dim=1)
