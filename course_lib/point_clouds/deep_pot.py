"""DeepPot-SE: an environment as a matrix, made invariant by a product with itself, and smooth where neighbours come and go.

    R̃_j = (s, s x/r, s y/r, s z/r)          a row for each neighbour j of atom i, s(r) = f_c(r)/r
    A = (1/N_c) Σ_j G(s_j) ⊗ R̃_j             G: the embedding network, M numbers from one; the sum forgets the order
    D = A A_<ᵀ                               M × M_<, with A_< the first M_< rows of A, the axis neurons: rotations cancel
    E_i = F_{Z_i}(D)                         the fitting network of the element

Zhang, Han, Wang, Saidi, Car & E, NeurIPS 2018 (arXiv 1805.09003). f_c is the quintic switch of DeePMD-kit or the cosine of
the paper; 1/N_c and residual layers are those of DeePMD-kit (Wang, Zhang, Han & E, Comput. Phys. Commun. 228, 178 (2018)).
Its statistics shift s as well; here rows are scaled only, so that a neighbour at the cutoff is a row of zeros and no padding
is needed.
"""

from collections.abc import Iterable, Sequence
from itertools import pairwise

import torch

from course_lib.learning import Network
from course_lib.point_clouds.pieces import in_pieces
from course_lib.structures import AtomBatch, CosineCutoff, QuinticSwitch, check_species

SWITCHES = {"quintic": QuinticSwitch, "cosine": CosineCutoff, None: lambda cutoff, onset: torch.ones_like}
ATOMS_AT_ONCE = 256
"""Outside training: intermediate results of so many atoms stay in the processor's and the allocator's reach."""


class Residual(torch.nn.Module):
    """tanh(x W + b) plus x, or x twice, where widths allow; with `step`, the tanh is times a vector which is learned."""

    def __init__(self, n_in: int, n_out: int, step: bool = False) -> None:
        super().__init__()
        self.copies = n_out // n_in if n_out in (n_in, 2 * n_in) else 0
        self.weight = torch.nn.Parameter(torch.randn(n_in, n_out) / (n_in + n_out) ** 0.5)
        self.bias = torch.nn.Parameter(torch.randn(n_out))
        self.step = torch.nn.Parameter(0.1 + 0.001 * torch.randn(n_out)) if step and n_in == n_out else None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = torch.tanh(torch.addmm(self.bias, x, self.weight))
        y = y if self.step is None else y * self.step
        return y + x.repeat(1, self.copies) if self.copies else y


class DeepPotSE(Network):
    """Energies of atoms from embedded environments.

    species: atomic numbers of all elements it shall know
    cutoff, onset: Å; s(r) is 1/r up to `onset`
    embedding: widths of G's layers, the last of which is M; there is a G for each element of the neighbour, and with
        `type_one_side=False` for each pair of elements of atom and neighbour
    n_axis: M_<
    fitting: widths of F's hidden layers
    switch: f_c, "quintic" (energies twice continuously differentiable), "cosine" (once), or None: neighbours count in full up
        to the cutoff and the energy jumps where one crosses it

    Set by the training data: N_c, the mean number of neighbours, and for the atoms of each element the root mean squares of s
    and of the other columns of R̃, by which these are divided.
    """

    def __init__(self, species: Sequence[int], cutoff: float = 6.0, onset: float = 0.5,
                 embedding: Sequence[int] = (25, 50, 100), n_axis: int = 16, fitting: Sequence[int] = (240, 240, 240),
                 switch: str | None = "quintic", type_one_side: bool = True) -> None:
        super().__init__()
        self.species, self.cutoff, self.onset, self.embedding, self.n_axis = species, cutoff, onset, embedding, n_axis
        self.fitting, self.switch, self.type_one_side = fitting, switch, type_one_side
        check_species(species)
        if len(set(species)) < len(species):
            raise ValueError(f"species are {list(species)}; give each element once")
        if switch not in SWITCHES:
            raise ValueError(f"switch is {switch!r}; it must be 'quintic', 'cosine' or None")
        if not embedding or not 1 <= n_axis <= embedding[-1]:
            raise ValueError(f"n_axis is {n_axis}; it must lie between 1 and the last width of {list(embedding)}")
        self.fades, S = SWITCHES[switch](cutoff, onset=onset), len(species)
        self.register_buffer("numbers", torch.tensor(sorted(species)), persistent=False)
        self.register_buffer("neighbours", torch.ones(()))
        self.register_buffer("scales", torch.ones(S, 2))
        self.embeddings = torch.nn.ModuleList(torch.nn.Sequential(
            *(Residual(*widths) for widths in pairwise([1, *embedding]))) for _ in range(S if type_one_side else S * S))
        widths = [embedding[-1] * n_axis, *fitting]
        self.fittings = torch.nn.ModuleList(torch.nn.Sequential(
            *(Residual(*pair, step=True) for pair in pairwise(widths)), torch.nn.Linear(widths[-1], 1)) for _ in range(S))

    @torch.no_grad()
    def adapt(self, batches: Iterable[AtomBatch]) -> None:
        """Set N_c and the scales."""
        atoms, counts, sums = 0, torch.zeros_like(self.scales), torch.zeros_like(self.scales)
        for batch in batches:
            element, rows = self._elements(batch), self._environments(batch)
            squares = torch.stack([rows[:, 0] ** 2, (rows[:, 1:] ** 2).mean(dim=1)], dim=1)
            sums.index_add_(0, element[batch.receivers], squares)
            counts.index_add_(0, element[batch.receivers], torch.ones_like(squares))
            atoms += len(batch.species)
        self.neighbours.copy_((counts[:, 0].sum() / atoms).clamp(min=1))
        self.scales.copy_(torch.where(sums > 0, (sums / counts.clamp(min=1)).sqrt(), 1))

    def forward(self, batch: AtomBatch) -> torch.Tensor:
        element, rows, N = self._elements(batch), self._environments(batch), len(batch.species)

        def energies(rows: torch.Tensor, atoms: slice, edges: slice) -> torch.Tensor:
            centres = batch.receivers[edges] - atoms.start
            D, order = self._descriptors(element[atoms], rows, centres, element[batch.senders[edges]])
            parts = D.flatten(start_dim=1).split(element[atoms].bincount(minlength=len(self.fittings)).tolist())
            each = torch.cat([network(D) for network, D in zip(self.fittings, parts, strict=True)])[:, 0]
            return each.index_select(0, order.argsort())

        if self.training or N <= ATOMS_AT_ONCE:
            return energies(rows, slice(0, N), slice(0, len(rows)))
        return in_pieces(energies, rows, batch.receivers, N, ATOMS_AT_ONCE)

    def descriptors(self, batch: AtomBatch) -> torch.Tensor:
        """D (N, M, M_<) of every atom."""
        element = self._elements(batch)
        D, order = self._descriptors(element, self._environments(batch), batch.receivers, element[batch.senders])
        return D[order.argsort()]

    def _descriptors(self, element: torch.Tensor, rows: torch.Tensor, centres: torch.Tensor,
                     neighbour: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """D of the atoms ordered by element, and that order (N,): so each network has its atoms, or edges, in one piece.

        element: (N,); rows: (E, 4); centres: (E,), rows of `element`; neighbour: (E,), the elements of the other ends
        """
        centre = element[centres]
        kind = neighbour if self.type_one_side else centre * len(self.numbers) + neighbour
        edges, atoms = kind.argsort(stable=True), element.argsort(stable=True)
        R = (rows / self.scales[centre][:, [0, 1, 1, 1]]).index_select(0, edges)
        parts = R[:, :1].split(kind.bincount(minlength=len(self.embeddings)).tolist())
        G = torch.cat([network(s) for network, s in zip(self.embeddings, parts, strict=True)])
        A = outer_sums(G, R, atoms.argsort()[centres[edges]], len(atoms)) / self.neighbours
        return A @ A[:, :self.n_axis].mT, atoms

    def _elements(self, batch: AtomBatch) -> torch.Tensor:
        """(N,), places in `numbers`."""
        return torch.searchsorted(self.numbers, batch.species)

    def _environments(self, batch: AtomBatch) -> torch.Tensor:
        """Rows (E, 4) of R̃, 1/Å, before scaling."""
        vectors = batch.edge_vectors()
        r = vectors.norm(dim=1, keepdim=True)
        s = self.fades(r) / r
        return torch.cat([s, s * vectors / r], dim=1)


def outer_sums(G: torch.Tensor, R: torch.Tensor, receivers: torch.Tensor, N: int) -> torch.Tensor:
    """Σ_j G_j ⊗ R_j (N, M, 4) over the edges of each receiver: rows laid side by side, empty places being zeros."""
    counts = receivers.bincount(minlength=N)
    order, most = receivers.argsort(stable=True), int(counts.max())
    place = torch.empty_like(receivers)
    place[order] = torch.arange(len(order), device=order.device) - (counts.cumsum(0) - counts)[receivers[order]]
    place += receivers * most
    G, R = (rows.new_zeros(N * most, rows.shape[1]).index_copy(0, place, rows).view(N, most, rows.shape[1]) for rows in (G, R))
    return G.mT @ R
