"""Symmetry functions and the first neural network potential: sums over one neighbour, over two, and a network an element.

    G²_i = Σ_j exp(−η (r_ij − R_s)²) f_c(r_ij)
    G⁴_i = 2^(1−ζ) Σ_{j<k} (1 + λ cos θ_jik)^ζ exp(−η (r_ij² + r_ik² + r_jk²)) f_c(r_ij) f_c(r_ik) f_c(r_jk)
    E = Σ_i N_{s_i}(G_i)

with f_c the cosine cutoff (Behler & Parrinello, Phys. Rev. Lett. 98, 146401 (2007); the names G² and G⁴ are those of Behler,
J. Chem. Phys. 134, 074106 (2011)). Every pair of neighbours counts once, j < k: a sum over all j ≠ k is twice ours. There is
a G² for each element of j and a G⁴ for each unordered pair of elements of j and k; the element of i chooses the network.
"""

from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np
import torch
from ase import Atoms
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from course_lib.learning import Network
from course_lib.learning.network_potential import chunks
from course_lib.structures import AtomBatch, CosineCutoff, check_species, check_structures
from course_lib.symmetry import E3_INVARIANT, Symmetry

Grid = Sequence[Sequence[float]]


def radial_grid(cutoff: float, n: int = 20) -> list[tuple[float, float]]:
    """(η, R_s), 1/Å² and Å, of n Gaussians from 0.5 Å to 0.5 Å before the cutoff, as wide as they are apart.

    The pattern that Gastegger, Schwiedrzik, Bittermann, Berzsenyi & Marquetand, JCP 148, 241709 (2018), call shifted.
    """
    shifts, spacing = np.linspace(0.5, cutoff - 0.5, n, retstep=True)
    return [(0.5 / float(spacing) ** 2, shift) for shift in shifts.tolist()]


def angular_grid(cutoff: float, n: int = 3, zetas: Sequence[int] = (1, 4, 16)) -> list[tuple[float, int, int]]:
    """(η, ζ, λ) with η = 1/2R² for n sizes R from 1.5 Å to the cutoff, each with every ζ and λ = ±1: centred, not shifted."""
    sizes = np.linspace(1.5, cutoff, n).tolist()
    return [(0.5 / size**2, zeta, sign) for size in sizes for zeta in zetas for sign in (1, -1)]


def symmetry_functions(batch: AtomBatch, species: Sequence[int], cutoff: float, radial: Grid, angular: Grid) -> torch.Tensor:
    """(N, S R + S (S + 1)/2 A), differentiable: R values of G² an element, then A of G⁴ a pair of elements.

    species: S atomic numbers in ascending order, among them all of the batch; pairs are ordered 11, 12, … 1S, 22, …
    radial: R rows (η, R_s); angular: A rows (η, ζ, λ) with ζ a whole number
    """
    N, S, pairs = len(batch.species), len(species), len(species) * (len(species) + 1) // 2
    vectors, f_c = batch.edge_vectors(), CosineCutoff(cutoff)
    element = torch.searchsorted(batch.species.new_tensor(species), batch.species)[batch.senders]
    r = vectors.norm(dim=1)
    f = f_c(r)

    eta, shift = vectors.new_tensor(radial).T.contiguous()
    terms = torch.exp(-eta * (r[:, None] - shift) ** 2) * f[:, None]
    G2 = terms.new_zeros(N * S, len(radial)).index_add(0, batch.receivers * S + element, terms)

    j, k = edge_pairs(batch.receivers)
    r_jk = (vectors.index_select(0, j) - vectors.index_select(0, k)).norm(dim=1)
    near = (r_jk < cutoff).nonzero()[:, 0]
    j, k, r_jk = j.index_select(0, near), k.index_select(0, near), r_jk.index_select(0, near)
    r_j, r_k = r.index_select(0, j), r.index_select(0, k)
    cos = (vectors.index_select(0, j) * vectors.index_select(0, k)).sum(dim=1) / (r_j * r_k)
    eta, zeta, sign = vectors.new_tensor(angular).T.contiguous()
    fading = f.index_select(0, j) * f.index_select(0, k) * f_c(r_jk)
    sizes = torch.exp(-eta * (r_j**2 + r_k**2 + r_jk**2)[:, None]) * fading[:, None]
    terms = 2 ** (1 - zeta) * (1 + sign * cos[:, None]) ** zeta * sizes
    low, high = torch.minimum(element[j], element[k]), torch.maximum(element[j], element[k])
    pair = low * S - low * (low + 1) // 2 + high
    G4 = terms.new_zeros(N * pairs, len(angular)).index_add(0, batch.receivers[j] * pairs + pair, terms)
    return torch.cat([G2.reshape(N, -1), G4.reshape(N, -1)], dim=1)


def edge_pairs(receivers: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Every unordered pair of edges that share their receiver: indices (T,) and (T,) of edges."""
    order = receivers.argsort(stable=True)
    place = torch.arange(len(order), device=order.device)
    later = receivers.bincount().cumsum(0)[receivers[order]] - 1 - place
    first = place.repeat_interleave(later)
    second = first + 1 + torch.arange(len(first), device=order.device) - (later.cumsum(0) - later)[first]
    return order[first], order[second]


class SymmetryFunctions(TransformerMixin, BaseEstimator):
    """G² and G⁴ of every atom, as features.

    cutoff: Å
    species: atomic numbers; None: those met in `fit`
    radial: rows (η, R_s), 1/Å² and Å; None: `radial_grid(cutoff)`
    angular: rows (η, ζ, λ), 1/Å², a whole number of 1 or more, ±1; None: `angular_grid(cutoff)`
    """

    symmetry: Symmetry = E3_INVARIANT

    def __init__(self, cutoff: float = 6.0, species: Sequence[int] | None = None, radial: Grid | None = None,
                 angular: Grid | None = None) -> None:
        self.cutoff, self.species, self.radial, self.angular = cutoff, species, radial, angular

    def fit(self, frames: Sequence[Atoms], y: None = None) -> "SymmetryFunctions":
        """Learn which elements there are. Raises ValueError for functions without meaning, and for unknown elements."""
        if self.species is not None:
            check_species(self.species)
        check_structures(frames, self.species)
        self.radial_, self.angular_ = _grids(self.cutoff, self.radial, self.angular)
        found = self.species if self.species is not None else np.concatenate([atoms.numbers for atoms in frames])
        self.species_ = np.unique(found)
        return self

    @torch.no_grad()
    def transform(self, frames: Sequence[Atoms]) -> np.ndarray:
        """(N, S R + S (S + 1)/2 A) float64 of all N atoms, columns as in `symmetry_functions`. Raises ValueError for an
        element that is not in `species_`.
        """
        check_is_fitted(self, "species_")
        check_structures(frames, self.species_)
        return np.concatenate([symmetry_functions(
            AtomBatch.from_frames(frames[rows], self.cutoff, torch.float64), self.species_, self.cutoff, self.radial_,
            self.angular_).numpy() for rows in chunks(frames, 512)])


class BehlerParrinello(Network):
    """E_i = N_{s_i}((G_i − μ_{s_i}) / w_{s_i}): a small network for each element, on standardised symmetry functions.

    species: atomic numbers of all elements it shall know
    cutoff, radial, angular: as for `SymmetryFunctions`
    hidden: widths of the hidden layers, each followed by tanh
    μ and w are mean and standard deviation over the training set's atoms of the element; a w below a thousandth of the
    element's largest is raised to that, since what hardly varied in training says nothing of what it would mean.
    """

    def __init__(self, species: Sequence[int], cutoff: float = 6.0, hidden: Sequence[int] = (50, 50),
                 radial: Grid | None = None, angular: Grid | None = None) -> None:
        super().__init__()
        self.species, self.cutoff, self.hidden, self.radial, self.angular = species, cutoff, hidden, radial, angular
        check_species(species)
        if len(set(species)) < len(species):
            raise ValueError(f"species are {list(species)}; give each element once")
        self.grids = _grids(cutoff, radial, angular)
        S, R, A = len(species), *map(len, self.grids)
        widths = [S * R + S * (S + 1) // 2 * A, *hidden]
        self.register_buffer("means", torch.zeros(S, widths[0]))
        self.register_buffer("widths", torch.ones(S, widths[0]))
        self.networks = torch.nn.ModuleList(torch.nn.Sequential(
            *(layer for sizes in pairwise(widths) for layer in (torch.nn.Linear(*sizes), torch.nn.Tanh())),
            torch.nn.Linear(widths[-1], 1)) for _ in species)

    @torch.no_grad()
    def adapt(self, batches: Iterable[AtomBatch]) -> None:
        """Set μ and w."""
        features, species = map(torch.cat, zip(*((self._features(batch), batch.species) for batch in batches), strict=True))
        for s, number in enumerate(sorted(self.species)):
            if len(rows := features[species == number]):
                width = rows.std(dim=0, correction=0)
                width = width.clamp(min=1e-3 * width.max())
                self.means[s], self.widths[s] = rows.mean(dim=0), torch.where(width > 0, width, 1)

    def forward(self, batch: AtomBatch) -> torch.Tensor:
        features = self._features(batch)
        energies = features.new_zeros(len(features))
        for s, number in enumerate(sorted(self.species)):
            rows = (batch.species == number).nonzero()[:, 0]
            inputs = (features.index_select(0, rows) - self.means[s]) / self.widths[s]
            energies = energies.index_add(0, rows, self.networks[s](inputs)[:, 0])
        return energies

    def _features(self, batch: AtomBatch) -> torch.Tensor:
        return symmetry_functions(batch, sorted(self.species), self.cutoff, *self.grids)


def _grids(cutoff: float, radial: Grid | None, angular: Grid | None) -> tuple[Grid, Grid]:
    radial = radial_grid(cutoff) if radial is None else radial
    angular = angular_grid(cutoff) if angular is None else angular
    for name, rows, columns in (("radial", radial, "(η, R_s)"), ("angular", angular, "(η, ζ, λ)")):
        if not len(rows) or {len(row) for row in rows} != {columns.count(",") + 1} or not np.isfinite(rows).all():
            raise ValueError(f"{name} functions are rows of finite numbers {columns}; got {rows}")
    for eta, zeta, sign in angular:
        if zeta != int(zeta) or zeta < 1 or sign not in (-1, 1):
            raise ValueError(f"angular function (η, ζ, λ) = {eta, zeta, sign}: ζ must be a whole number of 1 or more, λ ±1")
    return radial, angular
