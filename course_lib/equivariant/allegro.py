"""Allegro: pairs carry tensors, and nothing is ever passed on to a neighbour.

    x_ij, w_ij, ω_ij ← P₀((c_{Z_i} ∥ n_{Z_j}) ∘ W e(r_ij))       the two-body latent: numbers of an ordered pair
    V_ij ← ω_ij Y(r̂_ij)                                          its tensors
    A_i = (1/√N̄) Σ_k w_ik Y(r̂_ik)                                the environment of the atom, k all its neighbours, j too
    V_ij ← V_ij ⊗ A_i                                            one layer of several: the pair meets all others at once
    x_ij, w_ij ← P(all x_ij so far ∥ scalars of V_ij)            and the numbers learn of it
    E_i = (1/√2N̄) Σ_j P_E(all x_ij)

P are perceptrons, e Bessel functions times a cutoff polynomial, c and n embeddings of the elements of centre and neighbour, Y
harmonics, and ⊗ the tensor product with parity, whose paths are mixed by weights for each channel. A tensor of a pair sees the
neighbours of its first atom alone: so E_i depends on what is within one cutoff, however many layers there are, and each layer
multiplies by one more sum over neighbours, so raises the body order by one. N̄ is the mean number of neighbours. Musaelian,
Batzner, Johansson, Sun, Owen, Kornbluth & Kozinsky, Nat. Commun. 14, 579 (2023) (arXiv 2204.05249), "Methods". As in the
authors' code today (0.8), elements and distance are multiplied, P has no biases and each P is given the numbers of all layers
before it; the paper has one network of both, times the cutoff function after every layer, and adds layers up.
"""

from collections.abc import Sequence
from functools import cache

import numpy as np
import torch

from course_lib.equivariant.interaction import SCALARS
from course_lib.equivariant.linear import Perceptron
from course_lib.equivariant.tensor_product import (
    Convolution,
    Labels,
    coupling,
    feature_labels,
    harmonic_labels,
    harmonics,
    places,
)
from course_lib.learning import GraphNetwork
from course_lib.structures import AtomBatch, BesselBasis, PolynomialCutoff


@cache
def product_table(before: Labels, filters: Labels, wanted: Labels, dtype: torch.dtype, device: torch.device) -> torch.Tensor:
    """Couplings (paths, D, D_filters, D_out) of `Convolution`'s paths, over √paths of an output: so sums keep their size."""
    paths = Convolution(before, filters, wanted).paths
    a, b, k = places(before), places(filters), places(tuple(paths))
    rows = [(a[left], b[right], k[out], coupling(left.l, right.l, out.l) / len(pairs) ** 0.5)
            for out, pairs in paths.items() for left, right in pairs]
    table = np.zeros((len(rows), a[before[-1]].stop, b[filters[-1]].stop, k[tuple(paths)[-1]].stop))
    for row, (*where, C) in zip(table, rows, strict=True):
        row[tuple(where)] = C
    return torch.as_tensor(table, dtype=dtype, device=device)


class PairProduct(torch.nn.Module):
    """V_ij ⊗ A_i, from labels `before` and `filters` to `labels`, those of `wanted` that can be reached."""

    def __init__(self, before: Labels, filters: Labels, wanted: Labels, n_channels: int) -> None:
        super().__init__()
        self.before, self.filters, convolution = before, filters, Convolution(before, filters, wanted)
        self.labels = convolution.outputs
        self.weights = torch.nn.Parameter(torch.randn(n_channels, convolution.n_paths))

    def forward(self, V: torch.Tensor, A: torch.Tensor, receivers: torch.Tensor) -> torch.Tensor:
        """Tensors (C, E, D_out) of V (C, E, D) and A (C, N, D_filters): a product of matrices for each channel."""
        table = product_table(self.before, self.filters, self.labels, V.dtype, V.device)
        T = (self.weights @ table.flatten(1)).view(len(V), -1, table.shape[3])
        pairs = V[:, :, :, None] * A.index_select(1, receivers)[:, :, None]
        return pairs.flatten(2) @ T


class Allegro(GraphNetwork):
    """Energies of atoms, from those of ordered pairs, by `n_layers` products with the environment.

    species: atomic numbers of all elements it shall know
    cutoff: Å
    n_scalars, n_tensors: how many numbers x, and channels of V, a pair has
    l_max: of harmonics and tensors
    parity: tensors of both parities up to l_max, which matter from three layers on; without, one of each degree, 0e 1o 2e …
    n_bessel, n_embedding: number of Bessel functions, and of numbers they and the elements become; the latter is even
    two_body, latent, readout: widths of the hidden layers of P₀, P and P_E
    p: exponent of the cutoff polynomial, `PolynomialCutoff`
    Set by the training data: N̄.
    """

    def __init__(self, species: Sequence[int], cutoff: float = 5.0, n_scalars: int = 64, n_tensors: int = 16, l_max: int = 2,
                 n_layers: int = 2, parity: bool = True, n_bessel: int = 8, n_embedding: int = 32,
                 two_body: Sequence[int] = (64, 64), latent: Sequence[int] = (64,), readout: Sequence[int] = (32,),
                 p: int = 6) -> None:
        super().__init__(species, cutoff)
        self.n_scalars, self.n_tensors, self.l_max, self.n_layers, self.parity = n_scalars, n_tensors, l_max, n_layers, parity
        self.n_bessel, self.n_embedding, self.two_body, self.latent = n_bessel, n_embedding, two_body, latent
        self.readout, self.p = readout, p
        if min(n_scalars, n_tensors, n_layers) < 1 or l_max < 0 or n_embedding < 2 or n_embedding % 2:
            raise ValueError("n_scalars, n_tensors and n_layers must be 1 or more, l_max 0 or more, and n_embedding even; got "
                             f"{n_scalars}, {n_tensors}, {n_layers}, {l_max} and {n_embedding}")
        self.basis, self.fades = BesselBasis(cutoff, n_bessel), PolynomialCutoff(cutoff, p)
        self.filters = harmonic_labels(l_max)
        self.of_centre, self.of_neighbour = (torch.nn.Embedding(len(species), n_embedding // 2) for _ in range(2))
        self.radial, weights = Perceptron(n_bessel, n_embedding), len(self.filters) * n_tensors
        self.pair = Perceptron(n_embedding, *two_body, n_scalars + 2 * weights)
        self.products, labels = torch.nn.ModuleList(), self.filters
        for wanted in self._wanted():
            self.products.append(PairProduct(labels, self.filters, wanted, n_tensors))
            labels = self.products[-1].labels
        told = [weights] * (n_layers - 1) + [0]
        self.latents = torch.nn.ModuleList(Perceptron(n_scalars * layer + n_tensors, *latent, n_scalars + more)
                                           for layer, more in enumerate(told, start=1))
        self.energy = Perceptron(n_scalars * (n_layers + 1), *readout, 1)
        self.register_buffer("degree", torch.tensor([l for l in range(l_max + 1) for _ in range(2 * l + 1)]), persistent=False)

    def _wanted(self) -> list[Labels]:
        """Labels after each layer: scalars after the last, before it those that a product with the environment leads there."""
        wanted = [SCALARS]
        for _ in range(self.n_layers - 1):
            allowed = feature_labels(self.l_max) if self.parity else self.filters
            wanted.insert(0, tuple(label for label in allowed if Convolution((label,), self.filters, wanted[0]).n_paths))
        return wanted

    def _spread(self, weights: torch.Tensor, Y: torch.Tensor) -> torch.Tensor:
        """w Y (C, E, D) of weights (E, labels · C), the same for all components of a label, and harmonics (E, D)."""
        return weights.unflatten(1, (-1, self.n_tensors)).permute(2, 0, 1).index_select(2, self.degree) * Y

    def forward(self, batch: AtomBatch) -> torch.Tensor:
        vectors, element, N, i = batch.edge_vectors(), self.elements(batch), len(batch.species), batch.receivers
        r = vectors.norm(dim=1)
        Y, radial = harmonics(vectors, self.l_max), self.basis(r) * self.fades(r)[:, None]
        elements = torch.cat([self.of_centre(element)[i], self.of_neighbour(element)[batch.senders]], dim=1)
        x, w, own = self._parts(self.pair(elements * self.radial(radial)))
        V, told = self._spread(own, Y), [x]
        for product, latent in zip(self.products, self.latents, strict=True):
            A = V.new_zeros(self.n_tensors, N, Y.shape[1]).index_add(1, i, self._spread(w, Y)) / self.neighbours.sqrt()
            V = product(V, A, i)
            x, w, _ = self._parts(latent(torch.cat([*told, V[:, :, 0].T], dim=1)))
            told.append(x)
        pairs = self.energy(torch.cat(told, dim=1))[:, 0]
        return pairs.new_zeros(N).index_add(0, i, pairs) / (2 * self.neighbours).sqrt()

    def _parts(self, numbers: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """x (E, n_scalars), w and ω (E, labels · C); empty where there are none."""
        weights = len(self.filters) * self.n_tensors
        return numbers[:, :self.n_scalars], *numbers[:, self.n_scalars:].tensor_split([weights], dim=1)
