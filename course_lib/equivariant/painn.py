"""PaiNN: every atom carries numbers and arrows, and no tensor product is needed.

    s_i ← a_{Z_i},  v_i ← 0                                                          scalars and vectors, F of each
    s_i ← s_i + Σ_j φ_s(s_j) ∘ W_s(r_ij)                                             a message from every neighbour
    v_i ← v_i + Σ_j v_j ∘ φ_vv(s_j) ∘ W_vv(r_ij) + Σ_j r̂_ij φ_vs(s_j) ∘ W_vs(r_ij)
    s_i ← s_i + a_ss(s_i, ‖V v_i‖) + a_sv(s_i, ‖V v_i‖) ∘ ⟨U v_i, V v_i⟩             and an update, alone
    v_i ← v_i + a_vv(s_i, ‖V v_i‖) ∘ U v_i
    E_i = B₂ silu(B₁ s_i)                                                            read-out

φ and a are networks with one hidden layer, W linear in sin(nπr/c)/r times a cosine that ends at the cutoff c, and U and V mix
channels. Vectors are added, scaled and multiplied by their scalar product, and by nothing else: the cross product is left out,
so that all are true vectors, 1o. Schütt, Unke & Gastegger, ICML 2021 (arXiv 2102.03150), Fig. 2. Weights are laid out as in
SchNetPack (Schütt et al., JCP 158, 144801 (2023)), whose ‖x‖ is √(|x|² + ε), without a kink where symmetry makes x zero.
"""

from collections.abc import Sequence

import torch
from torch.nn import Linear, Sequential, SiLU

from course_lib.learning import GraphNetwork
from course_lib.structures import AtomBatch, BesselBasis, CosineCutoff


class Message(torch.nn.Module):
    """What an atom hears of its neighbours."""

    def __init__(self, n_features: int, n_rbf: int) -> None:
        super().__init__()
        self.phi = Sequential(Linear(n_features, n_features), SiLU(), Linear(n_features, 3 * n_features))
        self.W = Linear(n_rbf, 3 * n_features)

    def forward(self, s: torch.Tensor, v: torch.Tensor, radial: torch.Tensor, fading: torch.Tensor, directions: torch.Tensor,
                batch: AtomBatch) -> tuple[torch.Tensor, torch.Tensor]:
        """New s (N, F) and v (N, 3, F), from edges with radial (E, K), fading (E, 1) and directions (E, 3, 1)."""
        sent = self.phi(s).index_select(0, batch.senders) * (self.W(radial) * fading)
        scalars, arrows, passed = sent.split(s.shape[1], dim=1)
        vectors = arrows[:, None] * directions + passed[:, None] * v.index_select(0, batch.senders)
        return s.index_add(0, batch.receivers, scalars), v.index_add(0, batch.receivers, vectors)


class Update(torch.nn.Module):
    """What an atom makes of its own numbers and arrows."""

    def __init__(self, n_features: int, epsilon: float = 1e-8) -> None:
        super().__init__()
        self.VU, self.epsilon = Linear(n_features, 2 * n_features, bias=False), epsilon
        self.a = Sequential(Linear(2 * n_features, n_features), SiLU(), Linear(n_features, 3 * n_features))

    def forward(self, s: torch.Tensor, v: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        Vv, Uv = self.VU(v).chunk(2, dim=2)
        norm = (Vv.square().sum(dim=1) + self.epsilon).sqrt()
        ss, vv, sv = self.a(torch.cat([s, norm], dim=1)).chunk(3, dim=1)
        return s + ss + sv * (Uv * Vv).sum(dim=1), v + vv[:, None] * Uv


class PaiNN(GraphNetwork):
    """Energies of atoms by `n_interactions` messages and updates.

    species: atomic numbers of all elements it shall know
    cutoff: Å
    n_features, n_rbf: numbers of scalars, and of vectors, an atom; and of radial functions
    """

    def __init__(self, species: Sequence[int], cutoff: float = 5.0, n_features: int = 128, n_interactions: int = 3,
                 n_rbf: int = 20) -> None:
        super().__init__(species, cutoff)
        self.n_features, self.n_interactions, self.n_rbf = n_features, n_interactions, n_rbf
        if n_features < 2 or n_interactions < 1:
            raise ValueError("n_features must be 2 or more and n_interactions 1 or more; "
                             f"got {n_features} and {n_interactions}")
        self.basis, self.fades = BesselBasis(cutoff, n_rbf), CosineCutoff(cutoff)
        self.embedding = torch.nn.Embedding(len(species), n_features)
        self.messages = torch.nn.ModuleList(Message(n_features, n_rbf) for _ in range(n_interactions))
        self.updates = torch.nn.ModuleList(Update(n_features) for _ in range(n_interactions))
        self.readout = Sequential(Linear(n_features, n_features // 2), SiLU(), Linear(n_features // 2, 1))

    def forward(self, batch: AtomBatch) -> torch.Tensor:
        edges = batch.edge_vectors()
        r = edges.norm(dim=1)
        radial, fading, directions = self.basis(r), self.fades(r)[:, None], (edges / r[:, None])[:, :, None]
        s = self.embedding(self.elements(batch))
        v = s.new_zeros(len(s), 3, self.n_features)
        for message, update in zip(self.messages, self.updates, strict=True):
            s, v = update(*message(s, v, radial, fading, directions, batch))
        return self.readout(s)[:, 0]
