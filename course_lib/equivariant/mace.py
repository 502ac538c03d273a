"""MACE: messages of many bodies, so that two layers are enough.

    h_i ← a_{Z_i}                                                    scalars alone, an embedding of each element
    A_i = W″ (1/N̄) Σ_j R(r_ij) Y(r̂_ij) ⊗ (W′ h_j)                    one neighbour at a time: two bodies
    m_i = Σ_η w_{Z_i η} B_η(A_i)                                      polynomials of A of degree 1 … ν: up to ν + 1 bodies
    h_i ← W m_i + W_{Z_i} h_i                                         the layer's end
    E_i = Σ_t f_t(h_i^(t))                                            of scalars; f_t is linear, in the last layer a perceptron

W mix channels label by label, W_Z and w have weights for each element, R is a network of the distance, one number for each path
and channel, from Bessel functions times a cutoff polynomial; ⊗ is the tensor product, B the product basis, and N̄ the mean
number of neighbours. Batatia, Kovács, Simm, Ortner & Csányi, NeurIPS 2022 (arXiv 2206.07697), eqs. 7 to 14; the design space
around it is that of Batatia et al., Nat. Mach. Intell. 7, 56 (2025) (arXiv 2205.06643). As in the authors' code features have
one label of each degree, 0e 1o 2e …: pseudotensors are left out.
"""

from collections.abc import Sequence
from itertools import pairwise

import torch

from course_lib.equivariant.interaction import SCALARS
from course_lib.equivariant.linear import Mixing, Perceptron
from course_lib.equivariant.product_basis import ProductBasis
from course_lib.equivariant.tensor_product import Convolution, Labels, harmonic_labels, harmonics
from course_lib.learning import GraphNetwork
from course_lib.structures import AtomBatch, BesselBasis, PolynomialCutoff


class Layer(torch.nn.Module):
    """From features with labels `before` to features with labels `after`, by products of A with labels `filters`."""

    def __init__(self, before: Labels, filters: Labels, after: Labels, correlation: int, n_features: int, n_bessel: int,
                 radial: Sequence[int], n_species: int) -> None:
        super().__init__()
        sent, gathered, made = (dict.fromkeys(labels, n_features) for labels in (before, filters, after))
        self.convolution = Convolution(before, filters, filters)
        paths = {label: n_features * len(pairs) for label, pairs in self.convolution.paths.items()}
        self.R = Perceptron(n_bessel, *radial, n_features * self.convolution.n_paths)
        self.inner, self.outer = Mixing(sent, sent), Mixing(paths, gathered)
        self.products = ProductBasis(filters[-1].l, after[-1].l, correlation, n_species, n_features)
        self.message, self.connection = Mixing(made, made), Mixing(sent, made, n_species)
        self.before, self.after = ([label.dim for label in labels] for labels in (before, after))

    def forward(self, h: torch.Tensor, Y: torch.Tensor, radial: torch.Tensor, neighbours: torch.Tensor, batch: AtomBatch,
                element: torch.Tensor) -> torch.Tensor:
        """Features (N, D', F) of h (N, D, F), with harmonics Y and radial functions of the edges."""
        blocks = h.split(self.before, dim=1)
        sent = torch.cat(self.inner(blocks), dim=1) / neighbours
        A = torch.cat(self.outer(self.convolution(sent, Y, self.R(radial), batch.senders, batch.receivers)), dim=1)
        messages = self.message(self.products(A, element).split(self.after, dim=1))
        own = self.connection(blocks, element)
        return torch.cat([message + own[l] if l < len(own) else message for l, message in enumerate(messages)], dim=1)


class MACE(GraphNetwork):
    """Energies of atoms by `n_layers` layers.

    species: atomic numbers of all elements it shall know
    cutoff: Å
    n_features: channels of every label
    l_max: of the features between layers; after the last, scalars are enough
    l_max_edge: of harmonics and of A
    correlation: ν, the largest number of factors; a layer's messages have up to ν + 1 bodies. 1 makes it a NequIP without gates
    n_bessel, radial: number of Bessel functions, and widths of R's hidden layers
    p: exponent of the cutoff polynomial, `PolynomialCutoff`
    n_readout: width of the last perceptron's hidden layer
    Set by the training data: N̄.
    """

    def __init__(self, species: Sequence[int], cutoff: float = 5.0, n_features: int = 32, l_max: int = 1, l_max_edge: int = 3,
                 correlation: int = 3, n_layers: int = 2, n_bessel: int = 8, radial: Sequence[int] = (64, 64, 64), p: int = 5,
                 n_readout: int = 16) -> None:
        super().__init__(species, cutoff)
        self.n_features, self.l_max, self.l_max_edge, self.correlation = n_features, l_max, l_max_edge, correlation
        self.n_layers, self.n_bessel, self.radial, self.p, self.n_readout = n_layers, n_bessel, radial, p, n_readout
        if min(n_features, correlation, n_layers, n_readout) < 1 or min(l_max, l_max_edge) < 0:
            raise ValueError(
                "n_features, correlation, n_layers and n_readout must be 1 or more, l_max and l_max_edge 0 or more; "
                f"got {n_features}, {correlation}, {n_layers}, {n_readout}, {l_max} and {l_max_edge}")
        self.basis, self.fades = BesselBasis(cutoff, n_bessel), PolynomialCutoff(cutoff, p=p)
        self.embedding = torch.nn.Embedding(len(species), n_features)
        labels = [SCALARS, *[harmonic_labels(l_max)] * (n_layers - 1), SCALARS]
        self.layers = torch.nn.ModuleList(
            Layer(before, harmonic_labels(l_max_edge), after, correlation, n_features, n_bessel, radial, len(species))
            for before, after in pairwise(labels))
        self.readouts = torch.nn.ModuleList(
            [*(Perceptron(n_features, 1) for _ in range(n_layers - 1)), Perceptron(n_features, n_readout, 1)])

    def forward(self, batch: AtomBatch) -> torch.Tensor:
        vectors, element = batch.edge_vectors(), self.elements(batch)
        r = vectors.norm(dim=1)
        Y, radial = harmonics(vectors, self.l_max_edge), self.basis(r) * self.fades(r)[:, None]
        h, energies = self.embedding(element)[:, None], 0
        for layer, readout in zip(self.layers, self.readouts, strict=True):
            h = layer(h, Y, radial, self.neighbours, batch, element)
            energies = energies + readout(h[:, 0])[:, 0]
        return energies
