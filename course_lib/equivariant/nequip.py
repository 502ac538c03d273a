"""NequIP: atoms exchange messages that are tensors, and an energy learns from few data.

    x_i ← a_{Z_i}                                               scalars alone, an embedding of each element
    x_i ← gate(W″ (1/√N̄) Σ_j R(r_ij) Y(r̂_ij) ⊗ (W′ x_j) + W_{Z_i} x_i)      one interaction block of several
    E_i = W x_i                                                 of the scalars of the last

W mix channels label by label, W_Z with weights of each element (self-connection), R is a network of the distance, one number
for each path and channel, from Bessel functions times a cutoff polynomial; ⊗ is the tensor product with parity, and N̄ the mean
number of neighbours. Batzner, Musaelian, Sun, Geiger, Mailoa, Kornbluth, Molinari, Smidt & Kozinsky, Nat. Commun. 13, 2453
(2022) (arXiv 2101.03164), section "Methods". Gates are those of e3nn; in the reference code, as here, `parity=False` keeps of
each degree the label of the harmonics, 0e 1o 2e …, which loses pseudotensors and no symmetry.
"""

from collections.abc import Iterable, Sequence

import torch

from course_lib.equivariant.linear import Gate, Mixing, Perceptron
from course_lib.equivariant.tensor_product import Convolution, Label, Labels, feature_labels, harmonic_labels, harmonics
from course_lib.learning import GraphNetwork
from course_lib.structures import AtomBatch, BesselBasis, PolynomialCutoff

SCALAR: Labels = (Label(0, 1),)


class InteractionBlock(torch.nn.Module):
    """From features with labels `before` to features with those of `wanted` that can be reached."""

    def __init__(self, before: Labels, filters: Labels, wanted: Labels, n_features: int, n_bessel: int,
                 radial: Sequence[int], n_species: int) -> None:
        super().__init__()
        channels = dict.fromkeys(before, n_features)
        self.convolution = Convolution(before, filters, wanted)
        paths = {label: n_features * len(pairs) for label, pairs in self.convolution.paths.items()}
        self.gate = Gate(self.convolution.outputs, n_features)
        self.R = Perceptron(n_bessel, *radial, n_features * self.convolution.n_paths)
        self.inner = Mixing(channels, channels)
        self.outer = Mixing(paths, self.gate.needed)
        self.connection = Mixing(channels, self.gate.needed, n_species)
        self.sizes = [label.dim for label in before]

    def forward(self, x: torch.Tensor, Y: torch.Tensor, radial: torch.Tensor, neighbours: torch.Tensor, batch: AtomBatch,
                element: torch.Tensor) -> torch.Tensor:
        """Features (N, D', F) of x (N, D, F), with harmonics Y and radial functions of the edges."""
        before = x.split(self.sizes, dim=1)
        sent = torch.cat(self.inner(before), dim=1) / neighbours.sqrt()
        after = self.outer(self.convolution(sent, Y, self.R(radial), batch.senders, batch.receivers))
        own = dict(zip(self.connection.labels, self.connection(before, element), strict=True))
        return self.gate([block + own[label] if label in own else block
                          for label, block in zip(self.outer.labels, after, strict=True)])


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
        self.register_buffer("neighbours", torch.ones(()))
        self.embedding = torch.nn.Embedding(len(species), n_features)
        self.blocks, labels = torch.nn.ModuleList(), SCALAR
        for layer in range(n_layers):
            wanted = hidden if layer < n_layers - 1 else SCALAR
            self.blocks.append(InteractionBlock(labels, filters, wanted, n_features, n_bessel, radial, len(species)))
            labels = self.blocks[-1].gate.labels
        self.readout = Perceptron(n_features, 1)

    def adapt(self, batches: Iterable[AtomBatch]) -> None:
        """Set N̄."""
        edges, atoms = map(sum, zip(*((len(batch.senders), len(batch.species)) for batch in batches), strict=True))
        self.neighbours.fill_(max(edges / atoms, 1))

    def forward(self, batch: AtomBatch) -> torch.Tensor:
        vectors, element = batch.edge_vectors(), self.elements(batch)
        r = vectors.norm(dim=1)
        Y, radial = harmonics(vectors, self.l_max), self.basis(r) * self.fades(r)[:, None]
        x = self.embedding(element)[:, None]
        for block in self.blocks:
            x = block(x, Y, radial, self.neighbours, batch, element)
        return self.readout(x[:, 0])[:, 0]
