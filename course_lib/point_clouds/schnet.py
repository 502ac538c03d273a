"""SchNet: atoms exchange messages through filters which are learned functions of distance.

    x_i ← a_{Z_i}                                                    embedding: a vector of features for each element
    x_i ← x_i + A₂ ssp(A₁ Σ_j (A₀ x_j) ∘ W(r_ij) f_c(r_ij))          one interaction of several, each with weights of its own
    E_i = B₂ ssp(B₁ x_i)                                             read-out

W(r) = C₂ ssp(C₁ e(r)) with e_k(r) = exp(−(r − μ_k)² / 2w²), a network of one variable: the continuous filter. A, B and C are
dense layers, of biases but for A₀, and ssp(x) = ln(½eˣ + ½). Schütt, Kindermans, Sauceda, Chmiela, Tkatchenko & Müller,
NeurIPS 2017 (arXiv 1706.08566); Schütt, Sauceda, Kindermans, Tkatchenko & Müller, JCP 148, 241722 (2018). The cutoff function
f_c and a filter network that ends without ssp are those of SchNetPack (Schütt et al., JCTC 15, 448 (2019)).
"""

from collections.abc import Sequence
from math import log

import torch
from torch.nn.functional import softplus

from course_lib.learning import Network
from course_lib.structures import AtomBatch, CosineCutoff, GaussianBasis, QuinticSwitch

ENVELOPES = {"cosine": CosineCutoff, "quintic": QuinticSwitch, None: lambda cutoff: torch.ones_like}


class ShiftedSoftplus(torch.nn.Module):
    """ssp(x) = ln(½eˣ + ½): smooth to any order, and 0 at 0."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return softplus(x) - log(2)


def dense(n_in: int, n_out: int, bias: bool = True) -> torch.nn.Linear:
    """x A + b with A drawn uniformly so that sizes are kept (Glorot & Bengio, AISTATS 2010), and b = 0."""
    layer = torch.nn.Linear(n_in, n_out, bias)
    torch.nn.init.xavier_uniform_(layer.weight)
    if bias:
        torch.nn.init.zeros_(layer.bias)
    return layer


class Interaction(torch.nn.Module):
    """One message from every neighbour: the continuous-filter convolution between two atom-wise layers."""

    def __init__(self, n_features: int, n_rbf: int) -> None:
        super().__init__()
        self.filter = torch.nn.Sequential(dense(n_rbf, n_features), ShiftedSoftplus(), dense(n_features, n_features))
        self.inner = dense(n_features, n_features, bias=False)
        self.outer = torch.nn.Sequential(dense(n_features, n_features), ShiftedSoftplus(), dense(n_features, n_features))

    def forward(self, x: torch.Tensor, radial: torch.Tensor, fading: torch.Tensor, i: torch.Tensor, j: torch.Tensor):
        """What is added to the features x (N, F), from pairs i, j (P,) with radial (P, K) and fading (P, 1)."""
        W = self.filter(radial) * fading
        y = self.inner(x)
        received = torch.zeros_like(y).index_add(0, i, y.index_select(0, j) * W).index_add(0, j, y.index_select(0, i) * W)
        return self.outer(received)


class SchNet(Network):
    """Energies of atoms by `n_interactions` continuous-filter convolutions.

    species: atomic numbers of all elements it shall know
    cutoff: Å
    n_features, n_rbf: numbers of features an atom, and of Gaussians on [0, cutoff], as wide as they are apart
    envelope: f_c, "cosine" (energies once continuously differentiable), "quintic" (twice), or None: neighbours count in full
        up to the cutoff and the energy jumps where one crosses it
    The graph must hold every edge in both directions, as `neighbour_graphs` has it: W is computed once for both.
    """

    def __init__(self, species: Sequence[int], cutoff: float = 5.0, n_features: int = 128, n_interactions: int = 3,
                 n_rbf: int = 20, envelope: str | None = "cosine") -> None:
        super().__init__()
        self.species, self.cutoff, self.n_features, self.n_interactions = species, cutoff, n_features, n_interactions
        self.n_rbf, self.envelope = n_rbf, envelope
        if len(set(species)) < len(species) or not len(species):
            raise ValueError(f"species are {list(species)}; give each element once, as an atomic number")
        if envelope not in ENVELOPES:
            raise ValueError(f"envelope is {envelope!r}; it must be 'cosine', 'quintic' or None")
        if min(n_features, n_interactions) < 1:
            raise ValueError(f"n_features and n_interactions must be 1 or more; got {n_features} and {n_interactions}")
        self.basis, self.fades = GaussianBasis(cutoff, n_rbf), ENVELOPES[envelope](cutoff)
        self.register_buffer("numbers", torch.tensor(sorted(species)), persistent=False)
        self.embedding = torch.nn.Embedding(len(species), n_features)
        self.interactions = torch.nn.ModuleList(Interaction(n_features, n_rbf) for _ in range(n_interactions))
        self.readout = torch.nn.Sequential(dense(n_features, n_features // 2), ShiftedSoftplus(), dense(n_features // 2, 1))

    def forward(self, batch: AtomBatch) -> torch.Tensor:
        i, j, r = pairs(batch)
        radial, fading = self.basis(r), self.fades(r)[:, None]
        x = self.embedding(torch.searchsorted(self.numbers, batch.species))
        for interaction in self.interactions:
            x = x + interaction(x, radial, fading, i, j)
        return self.readout(x)[:, 0]

    @torch.no_grad()
    def filters(self, distances: torch.Tensor) -> torch.Tensor:
        """W(r) f_c(r) of every interaction, to look at: (n_interactions, R, n_features) of distances (R,) Å."""
        radial, fading = self.basis(distances), self.fades(distances)[:, None]
        return torch.stack([interaction.filter(radial) * fading for interaction in self.interactions])


def pairs(batch: AtomBatch) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """One edge of every two that are each other's reverse: atoms i and j (P,), and their distance (P,) Å.

    That with i < j; where an atom meets its own image, that whose shift has a positive first number other than 0.
    """
    x, y, z = batch.shifts.detach().unbind(1)
    ahead = torch.where(x != 0, x, torch.where(y != 0, y, z)) > 0
    chosen = ((batch.receivers < batch.senders) | (batch.receivers == batch.senders) & ahead).nonzero()[:, 0]
    i, j = batch.receivers.index_select(0, chosen), batch.senders.index_select(0, chosen)
    ends = batch.positions.index_select(0, j) + batch.shifts.index_select(0, chosen)
    return i, j, (ends - batch.positions.index_select(0, i)).norm(dim=1)
