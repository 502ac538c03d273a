"""Tensor field networks: points carry scalars, vectors and tensors, and filters are made of what turns as they do.

    F^{l₂}_cm(r) = R^path_c(r) Y^{l₂}_m(r̂)                      filter: the radial part is learned, the angular part is given
    V_i ← Σ_j F(r_ij) ⊗ V_j                                     convolution, by Clebsch–Gordan coefficients, every path
    V_i ← W V_i                                                 self-interaction: channels mix
    V_i ← V_i η(‖V_i‖ + b)/‖V_i‖                                nonlinearity of norms; of scalars η(V + b)

Thomas, Smidt, Kearnes, Yang, Li, Kohlhoff & Riley, arXiv 1802.08219, section "Tensor field network layers". Their labels are
degrees alone: 1 ⊗ 1 → 1, the cross product, makes of two vectors what only calls itself a vector, so a network may tell left
from right, and is equivariant under SE(3). With parities as labels it answers inversions too, and is so under E(3). Points
see each other up to a cutoff, where filters have faded.
"""

from collections.abc import Sequence
from dataclasses import replace

import torch

from course_lib.equivariant.interaction import SCALARS, Interaction
from course_lib.equivariant.linear import Gate, Mixing, NormActivation
from course_lib.equivariant.tensor_product import coupling, feature_labels, harmonic_labels, harmonics
from course_lib.learning import GraphNetwork
from course_lib.structures import AtomBatch, GaussianBasis, PolynomialCutoff
from course_lib.symmetry import E3_INVARIANT, Symmetry

DEGREES = {"energy": (0,), "scores": (0,), "vector": (1,), "tensor": (0, 2)}
"""Of the features that each output is read from."""
ACTIVATIONS = {"norm": NormActivation, "gate": Gate}


class TensorFieldNetwork(GraphNetwork):
    """What it says of a structure turns with it.

    species: atomic numbers of all elements it shall know; of bare points 0
    cutoff: Å, or in the unit of the points
    output: "energy", one an atom, for `NetworkPotential`; "vector" (M, 3) or "tensor" (M, 3, 3), symmetric, a sum over the
        atoms of each structure, for `NetworkRegressor`; or "scores" (M, outputs), a mean over them, for `NetworkClassifier`
    outputs: number of scores
    n_features: channels of every label
    l_max: of features and filters
    parity: labels have a parity each, all (l, ±) up to l_max; without, features are labelled by degree alone and what the
        network says may change under inversion
    n_rbf, radial: number of Gaussians of the distance, and widths of R's hidden layers
    nonlinearity: "norm" or "gate"
    Set by the training data: the mean number of neighbours.
    """

    def __init__(self, species: Sequence[int], cutoff: float = 5.0, output: str = "energy", outputs: int = 1,
                 n_features: int = 16, l_max: int = 1, n_layers: int = 3, parity: bool = True, n_rbf: int = 8,
                 radial: Sequence[int] = (32,), nonlinearity: str = "norm") -> None:
        super().__init__(species, cutoff)
        self.output, self.outputs, self.n_features, self.l_max, self.n_layers = output, outputs, n_features, l_max, n_layers
        self.parity, self.n_rbf, self.radial, self.nonlinearity = parity, n_rbf, radial, nonlinearity
        if output not in DEGREES or nonlinearity not in ACTIVATIONS:
            raise ValueError(f"output is {output!r} and nonlinearity {nonlinearity!r}; they must be one of "
                             f"{', '.join(map(repr, DEGREES))} and one of {', '.join(map(repr, ACTIVATIONS))}")
        if min(n_features, n_layers, outputs) < 1:
            raise ValueError("n_features, n_layers and outputs must be 1 or more; "
                             f"got {n_features}, {n_layers} and {outputs}")
        if l_max < max(DEGREES[output]):
            raise ValueError(f"a {output} is read from features of degree {max(DEGREES[output])}; l_max is {l_max}")
        self.basis, self.fades = GaussianBasis(cutoff, n_rbf), PolynomialCutoff(cutoff)
        filters = harmonic_labels(l_max, parity)
        last = [filters[degree] for degree in DEGREES[output]]
        self.embedding = torch.nn.Embedding(len(species), n_features)
        self.interactions, labels = torch.nn.ModuleList(), SCALARS
        for layer in range(n_layers):
            wanted = feature_labels(l_max, parity) if layer < n_layers - 1 else tuple(dict.fromkeys((*SCALARS, *last)))
            self.interactions.append(
                Interaction(labels, filters, wanted, n_features, (n_rbf, *radial), ACTIVATIONS[nonlinearity]))
            labels = self.interactions[-1].labels
        self.readout = Mixing(dict.fromkeys(labels, n_features), dict.fromkeys(last, outputs))
        self.bias = torch.nn.Parameter(torch.zeros(outputs)) if output == "scores" else None

    @property
    def symmetry(self) -> Symmetry:
        output = self.output if self.output in ("vector", "tensor") else "scalar"
        return replace(E3_INVARIANT, inversion=self.parity, output=output)

    def forward(self, batch: AtomBatch) -> torch.Tensor:
        blocks = self.readout(self.features(batch))
        if self.output == "energy":
            return blocks[0][:, 0, 0]
        sums = [block.new_zeros(batch.n_structures, *block.shape[1:]).index_add(0, batch.structure, block) for block in blocks]
        match self.output:
            case "scores":
                return sums[0][:, 0] / batch.structure.bincount(minlength=batch.n_structures)[:, None] + self.bias
            case "vector":
                return sums[0][:, :, 0]
        return sum(part[:, :, 0] @ torch.as_tensor(coupling(1, 1, degree).reshape(9, -1).T).to(part)
                   for degree, part in zip(DEGREES["tensor"], sums, strict=True)).unflatten(1, (3, 3))

    def features(self, batch: AtomBatch) -> list[torch.Tensor]:
        """Of each atom after the last layer: a block (N, 2l + 1, n_features) for each label of `interactions[-1].labels`."""
        vectors, element = batch.edge_vectors(), self.elements(batch)
        r = vectors.norm(dim=1)
        Y, radial = harmonics(vectors, self.l_max), self.basis(r) * self.fades(r)[:, None]
        x = self.embedding(element)[:, None]
        for interaction in self.interactions:
            x = interaction(x, Y, radial, self.neighbours, batch, element)
        return list(x.split([label.dim for label in interaction.labels], dim=1))
