"""NequIP: atoms exchange messages that are tensors, and an energy learns from few data.

    x_i ← a_{Z_i}                                               scalars alone, an embedding of each element
    x_i ← gate(W″ (1/√N̄) Σ_j R(r_ij) Y(r̂_ij) ⊗ (W′ x_j) + W_{Z_i} x_i)      one interaction block of several
    E_i = W x_i                                                 of the scalars of the last

W mix channels label by label, W_Z with weights of each element (self-connection), R is a network of the distance, one number
for each path and channel, from Bessel functions times a cutoff polynomial; ⊗ is the tensor product with parity, and N̄ the mean
number of neighbours. Batzner, Musaelian, Sun, Geiger, Mailoa, Kornbluth, Molinari, Smidt & Kozinsky, Nat. Commun. 13, 2453
(2022) (arXiv 2101.03164), section "Methods". In the reference code, as here, `parity=False` keeps of each degree the label of
the harmonics, 0e 1o 2e …, which loses pseudotensors and no symmetry; there the first block has no self-connection W_Z.
"""

from collections.abc import Sequence

import torch

from course_lib.equivariant.interaction import SCALARS, Interaction
from course_lib.equivariant.linear import Gate, Perceptron
from course_lib.equivariant.tensor_product import feature_labels, harmonic_labels, harmonics
from course_lib.learning import GraphNetwork
from course_lib.structures import AtomBatch, BesselBasis, PolynomialCutoff


class NequIP(GraphNetwork):
    """Energies of atoms by `n_layers` interaction blocks.

    species: atomic numbers of all elements it shall know
    cutoff: Å
    n_features: channels of every label
    l_max: of features and of harmonics; 0 makes it a network of distances, as SchNet is
    parity: labels of both parities up to l_max; without, one of each degree, 0e 1o 2e …
    n_bessel, radial: number of Bessel functions, and widths of R's hidden layers
    p: exponent of the cutoff polynomial, `PolynomialCutoff`
    Set by the training data: N̄.
    """

    def __init__(self, species: Sequence[int], cutoff: float = 5.0, n_features: int = 32, l_max: int = 2, n_layers: int = 3,
                 parity: bool = False, n_bessel: int = 8, radial: Sequence[int] = (64,), p: int = 6) -> None:
        super().__init__(species, cutoff)
        self.n_features, self.l_max, self.n_layers, self.parity = n_features, l_max, n_layers, parity
        self.n_bessel, self.radial, self.p = n_bessel, radial, p
        if min(n_features, n_layers) < 1 or l_max < 0:
            raise ValueError("n_features and n_layers must be 1 or more, l_max 0 or more; "
                             f"got {n_features}, {n_layers} and {l_max}")
        self.basis, self.fades, filters = BesselBasis(cutoff, n_bessel), PolynomialCutoff(cutoff, p), harmonic_labels(l_max)
        hidden = feature_labels(l_max) if parity else filters
        self.embedding = torch.nn.Embedding(len(species), n_features)
        self.interactions, labels = torch.nn.ModuleList(), SCALARS
        for layer in range(n_layers):
            wanted = hidden if layer < n_layers - 1 else SCALARS
            self.interactions.append(Interaction(labels, filters, wanted, n_features, (n_bessel, *radial), Gate, len(species)))
            labels = self.interactions[-1].labels
        self.readout = Perceptron(n_features, 1)

    def forward(self, batch: AtomBatch) -> torch.Tensor:
        vectors, element = batch.edge_vectors(), self.elements(batch)
        r = vectors.norm(dim=1)
        Y, radial = harmonics(vectors, self.l_max), self.basis(r) * self.fades(r)[:, None]
        x = self.embedding(element)[:, None]
        for interaction in self.interactions:
            x = interaction(x, Y, radial, self.neighbours, batch, element)
        return self.readout(x[:, 0])[:, 0]
