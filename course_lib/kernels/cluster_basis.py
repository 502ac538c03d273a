"""The basis of the atomic cluster expansion: all invariants of up to ν neighbours, at the cost of a sum over one.

    φ_znlm(r) = R_n(r) Y_lm(r̂)         one neighbour, of element z; R_n fades to zero at the cutoff
    A_znlm = Σ_j φ_znlm(r_j)           the atomic basis: every neighbour is met once
    A_v1 A_v2 … A_vν                   all ν-tuples of neighbours, those that name a neighbour twice included
    B_η = Σ C_η,m1…mν A_v1 … A_vν      what is left of these products after the average over O(3)

Drautz, Phys. Rev. B 99, 014104 (2019). C are the symmetrised couplings of Dusson et al., J. Comput. Phys. 454, 110946 (2022),
linearly independent as polynomials in A. R_n are the waves of `BesselBasis` under `PolynomialCutoff`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd
from ase import Atoms
from scipy.sparse import csr_array
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from course_lib.kernels.cluster_products import InvariantProducts
from course_lib.kernels.soap import Derivatives
from course_lib.structures import BesselBasis, PolynomialCutoff, check_species, check_structures, neighbour_graphs
from course_lib.symmetry import E3_INVARIANT, Symmetry, spherical_harmonics, spherical_harmonics_gradient

ATOMS = 64
"""How many atoms are evaluated together: few enough for the processor's cache."""


@dataclass(frozen=True, eq=False)
class Neighbourhoods:
    """Some atoms of one element, and the edges into them; rows count the atoms of all frames end to end.

    element: number of the element among the species
    atoms: (n,) rows
    places: (E,) 0 … n − 1, ascending, which of `atoms` is the centre
    neighbours: (E,) rows
    kinds: (E,) numbers of the neighbours' elements
    vectors: (E, 3) Å, from centre to neighbour
    """

    element: int
    atoms: np.ndarray
    places: np.ndarray
    neighbours: np.ndarray
    kinds: np.ndarray
    vectors: np.ndarray

    @property
    def directions(self) -> np.ndarray:
        return self.vectors / np.linalg.norm(self.vectors, axis=1, keepdims=True)


class ClusterBasis(TransformerMixin, BaseEstimator):
    """The invariants B of every atom's neighbours as features, of orders 1 … ν = len(n_max).

    cutoff: Å
    n_max: for each order, how many radial functions, n = 0 … n_max − 1
    l_max: for each order, the largest degree; at order 1 only l = 0 is invariant, whatever is given
    degree: for each order the largest Σ (n + l) of the factors; None: no bound
    species: atomic numbers of centres and neighbours; None: those met in `fit`
    Raises ValueError for bounds that are none or differ in length.
    """

    symmetry: Symmetry = E3_INVARIANT

    def __init__(self, cutoff: float = 5.0, n_max: Sequence[int] = (8, 4, 2), l_max: Sequence[int] = (0, 4, 2),
                 degree: Sequence[int] | None = None, species: Sequence[int] | None = None) -> None:
        self.cutoff, self.n_max, self.l_max, self.degree, self.species = cutoff, n_max, l_max, degree, species

    def fit(self, frames: Sequence[Atoms] | None = None, y: None = None) -> Self:
        """Find the invariants; looks at `frames` for their elements only, and not at all where `species` names them."""
        degree = [np.inf] * len(self.n_max) if self.degree is None else self.degree
        if not 0 < len(self.n_max) == len(self.l_max) == len(degree) or min(self.n_max) < 1 or min(*self.l_max, *degree) < 0:
            raise ValueError("n_max (from 1), l_max and degree (from 0) hold a number for each order; got n_max = "
                             f"{self.n_max}, l_max = {self.l_max}, degree = {self.degree}")
        if self.species is None:
            check_structures(frames)
            self.species_ = np.unique(np.concatenate([atoms.numbers for atoms in frames]))
        else:
            check_species(self.species)
            self.species_ = np.unique(self.species)
        self._radial, self._fade = BesselBasis(self.cutoff, max(self.n_max)), PolynomialCutoff(self.cutoff)
        degrees = (0, *self.l_max[1:])
        self._l_max = max(degrees)
        harmonics = (self._l_max + 1) ** 2
        self._waves = max(self.n_max) * harmonics  # φ_nlm of one element; number n (l_max + 1)² + l² + l + m
        labels = [{(int(z), n, l): kind * self._waves + n * harmonics + l * l
                   for kind, z in enumerate(self.species_) for n in range(N) for l in range(L + 1) if n + l <= D}
                  for N, L, D in zip(self.n_max, degrees, degree, strict=True)]
        self._products = InvariantProducts(len(self.species_) * self._waves, labels, degree)
        self._jacobians = [self._products.jacobians(kind * self._waves, self._waves) for kind in range(len(self.species_))]
        return self

    @property
    def features_(self) -> pd.DataFrame:
        """A row a feature: its order, and species, n and l of each factor; features alike in all of these differ in C."""
        names = [f"{name} {i}" for i in range(1, len(self.n_max) + 1) for name in ("species", "n", "l")]
        tables = [pd.DataFrame(np.column_stack([np.full(len(table), order), table.reshape(len(table), -1)]),
                               columns=["order", *names[:3 * order]], dtype="Int64")
                  for order, table in enumerate(self._products.functions, start=1)]
        return pd.concat(tables, ignore_index=True)

    def transform(self, frames: Sequence[Atoms]) -> np.ndarray:
        """(N, K): a row an atom, all frames end to end; an atom without neighbours has zeros.

        Raises ValueError for an element that is not among the species, and what `neighbour_graphs` raises.
        """
        features = np.empty((sum(map(len, frames)), self._size))
        for part in self._neighbourhoods(frames):
            Y = spherical_harmonics(self._l_max, part.vectors)
            products = self._products.values(self._atomic_basis(part, self._radial_functions(part)[:, 0], Y))
            features[part.atoms] = (self._products.coupling @ products).T
        return features

    def derivatives(self, frames: Sequence[Atoms]) -> Derivatives:
        """∂ features of every centre / ∂ position of each of its neighbours, image by image. Raises what `transform` raises.

        The array is large, 8 bytes times 3 K for each neighbour: go through many frames a few at a time.
        """
        pairs = []
        for part in self._neighbourhoods(frames):
            slopes = self._slopes_of_features(part)
            count = len(part.places)
            own = csr_array((-np.ones(count), (part.places, np.arange(count))), shape=(len(part.atoms), count))
            pairs.append((np.append(part.atoms[part.places], part.atoms), np.append(part.neighbours, part.atoms),
                          np.append(part.vectors, np.zeros((len(part.atoms), 3)), axis=0),
                          np.append(slopes, (own @ slopes.reshape(count, 3 * self._size)).reshape(-1, 3, self._size), axis=0)))
        return Derivatives(*(np.concatenate(parts) for parts in zip(*pairs, strict=True)))

    def contraction(self, coefficients: np.ndarray) -> list[tuple[np.ndarray, csr_array]]:
        """What `contract` needs of coefficients (S, K), a row an element of the centre: made once, used often."""
        return [self._products.contraction(row) for row in coefficients]

    def contract(self, frames: Sequence[Atoms], contraction: list[tuple[np.ndarray, csr_array]]
                 ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Σ_η c_η B_η of each atom (N,), and the slopes of a frame's total: by positions (N, 3), by strain (M, 3, 3).

        No feature is computed on the way: backwards from the sum to A, from A to the neighbours.
        """
        sizes = np.array([len(atoms) for atoms in frames])
        frame = np.repeat(np.arange(len(frames)), sizes)
        sums, gradient, virials = np.empty(len(frame)), np.zeros((len(frame), 3)), np.zeros((len(frames), 3, 3))
        for part in self._neighbourhoods(frames):
            weights, table = contraction[part.element]
            radial, (Y, dY) = self._radial_functions(part), spherical_harmonics_gradient(self._l_max, part.vectors)
            products = self._products.values(self._atomic_basis(part, radial[:, 0], Y))
            sums[part.atoms] = weights @ products
            pull = (table @ products).reshape(len(self.species_), max(self.n_max), -1, len(part.atoms))[
                part.kinds, ..., part.places]
            turning, stretching = (radial @ pull).swapaxes(0, 1)
            slopes = (np.einsum("eaq,eq->ea", dY, turning)
                      + part.directions * np.einsum("eq,eq->e", Y, stretching)[:, None])
            centres = part.atoms[part.places]
            np.add.at(gradient, part.neighbours, slopes)
            np.subtract.at(gradient, centres, slopes)
            np.add.at(virials, frame[centres], part.vectors[:, :, None] * slopes[:, None, :])
        return sums, gradient, virials

    @property
    def _size(self) -> int:
        check_is_fitted(self, "species_")
        return self._products.coupling.shape[0]

    def _neighbourhoods(self, frames: Sequence[Atoms]) -> Iterator[Neighbourhoods]:
        check_is_fitted(self, "species_")
        check_structures(frames, self.species_)
        graphs = neighbour_graphs(frames, self.cutoff)
        kinds = np.searchsorted(self.species_, np.concatenate([graph.species for graph in graphs]))
        before = np.cumsum([0, *(len(graph.species) for graph in graphs)])
        receivers = np.concatenate([graph.receivers + start for graph, start in zip(graphs, before, strict=False)])
        senders = np.concatenate([graph.senders + start for graph, start in zip(graphs, before, strict=False)])
        vectors = np.concatenate([graph.edge_vectors() for graph in graphs])
        for element in range(len(self.species_)):
            atoms, edges = np.flatnonzero(kinds == element), np.flatnonzero(kinds[receivers] == element)
            for start in range(0, len(atoms), ATOMS):
                some = atoms[start:start + ATOMS]
                into = edges[slice(*np.searchsorted(receivers[edges], [some[0], some[-1] + 1]))]
                yield Neighbourhoods(element, some, np.searchsorted(some, receivers[into]), senders[into],
                                     kinds[senders[into]], vectors[into])

    def _radial_functions(self, part: Neighbourhoods) -> np.ndarray:
        """R and dR/dr, (E, 2, n)."""
        distances = np.linalg.norm(part.vectors, axis=1)
        radial, fade = self._radial(distances), self._fade(distances)[:, None]
        slopes = self._radial.derivative(distances) * fade + radial * self._fade.derivative(distances)[:, None]
        return np.stack([radial * fade, slopes], axis=1)

    def _atomic_basis(self, part: Neighbourhoods, R: np.ndarray, Y: np.ndarray) -> np.ndarray:
        """A (V, n) of R (E, n) and Y (E, lm)."""
        n, edges = len(part.atoms), len(R)
        gather = csr_array((np.ones(edges), (part.kinds * n + part.places, np.arange(edges))),
                           shape=(len(self.species_) * n, edges))
        sums = gather @ (R[:, :, None] * Y[:, None]).reshape(edges, self._waves)
        return sums.reshape(len(self.species_), n, -1).swapaxes(1, 2).reshape(-1, n)

    def _slopes_of_features(self, part: Neighbourhoods) -> np.ndarray:
        """∂B of the centre / ∂ vector of the edge, (E, 3, K): all edges to one element at a time."""
        radial, (Y, dY) = self._radial_functions(part), spherical_harmonics_gradient(self._l_max, part.vectors)
        products = self._products.values(self._atomic_basis(part, radial[:, 0], Y))
        phi = (radial[:, 0, None, :, None] * dY[:, :, None]
               + (radial[:, 1, :, None] * Y[:, None])[:, None] * part.directions[:, :, None, None])
        phi = phi.reshape(len(Y), 3, self._waves)
        slopes = np.zeros((len(phi), 3, self._size))
        for kind, orders in enumerate(self._jacobians):
            edges = np.flatnonzero(part.kinds == kind)
            centres = part.places[edges]
            column = np.arange(len(edges)) - np.searchsorted(centres, centres)
            padded = np.zeros((len(part.atoms), column.max(initial=0) + 1, *phi.shape[1:]))
            padded[centres, column] = phi[edges]
            for functions, variables, table in orders:
                jacobian = np.ascontiguousarray((table @ products).T).reshape(len(padded), len(variables), -1)
                moved = padded[..., variables].reshape(len(padded), -1, len(variables)) @ jacobian
                slopes[np.ix_(edges, range(3), functions)] = moved.reshape(*padded.shape[:3], -1)[centres, column]
        return slopes
