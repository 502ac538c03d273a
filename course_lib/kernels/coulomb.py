"""Global descriptors: a whole molecule as one list of numbers that does not depend on how its atoms are numbered.

The Coulomb matrix, M_ii = ½ Z_i^2.4 and M_ij = Z_i Z_j / |R_i − R_j|, knows the molecule up to a mirror image, but its rows
carry the atoms' order. Three ways out: sort the rows by their norm, keep the eigenvalues alone (Rupp et al., PRL 108, 058301
(2012)), or sort the entries of each pair of elements in a bag of their own (Hansen et al., JPCL 6, 2326 (2015)). Each pays:
sorting kinks and jumps where two keys cross, n eigenvalues cannot tell 3n − 6 coordinates, bags know pairs but not which
pairs meet in one atom.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, Self

import numpy as np
from ase import Atoms
from ase.data import atomic_numbers, chemical_symbols
from ase.units import Bohr
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from course_lib.structures import check_structures
from course_lib.symmetry import E3_INVARIANT, Symmetry

LENGTHS = {"bohr": Bohr, "Å": 1.0}
CHUNK = 64
"""How many molecules are worked on together: few enough for the processor's cache."""


class CoulombMatrix(TransformerMixin, BaseEstimator):
    """Molecules as sorted Coulomb matrices or their spectra, zeros filling up to `n_atoms` rows.

    kind: "sorted": rows and columns in the order of falling row norm, the upper triangle row by row, n_atoms(n_atoms + 1)/2
        numbers; "eigenvalues": in the order of falling magnitude, n_atoms numbers
    length_unit: of the distances, "bohr" as published or "Å"; the diagonal stays as it is, so this is no overall factor
    n_atoms: rows; the largest molecule of `fit` unless given
    """

    symmetry: Symmetry = E3_INVARIANT

    def __init__(self, kind: Literal["sorted", "eigenvalues"] = "sorted", length_unit: Literal["bohr", "Å"] = "bohr",
                 n_atoms: int | None = None) -> None:
        self.kind, self.length_unit, self.n_atoms = kind, length_unit, n_atoms

    def fit(self, frames: Sequence[Atoms], y: None = None) -> Self:
        """Learn `n_atoms_`; no label is used, so frames to be predicted may be among them."""
        if self.kind not in ("sorted", "eigenvalues"):
            raise ValueError(f"kind is {self.kind!r}; a Coulomb matrix is 'sorted' or reduced to its 'eigenvalues'")
        _check(frames, self.length_unit)
        self.n_atoms_ = self.n_atoms if self.n_atoms is not None else max(map(len, frames))
        return self

    def transform(self, frames: Sequence[Atoms]) -> np.ndarray:
        """(M, features). Raises ValueError for a periodic frame, one of more than `n_atoms_` atoms, two atoms at one place."""
        check_is_fitted(self, "n_atoms_")
        _check(frames, self.length_unit)
        for index, atoms in enumerate(frames):
            if len(atoms) > self.n_atoms_:
                raise ValueError(f"frame {index}, {atoms.get_chemical_formula()}, has {len(atoms)} atoms, these matrices have "
                                 f"{self.n_atoms_} rows; fit on it as well, or set n_atoms={len(atoms)}")
        describe = self._sorted if self.kind == "sorted" else self._eigenvalues
        return np.concatenate([describe(matrices) for _, matrices in _matrices(frames, self.n_atoms_, self.length_unit)])

    @staticmethod
    def _sorted(matrices: np.ndarray) -> np.ndarray:
        order = np.argsort(-np.linalg.norm(matrices, axis=2), axis=1, kind="stable")
        one = np.arange(len(matrices))[:, None, None]
        return matrices[one, order[:, :, None], order[:, None, :]][(slice(None), *np.triu_indices(order.shape[1]))]

    @staticmethod
    def _eigenvalues(matrices: np.ndarray) -> np.ndarray:
        values = np.linalg.eigvalsh(matrices)
        return np.take_along_axis(values, np.argsort(-np.abs(values), axis=1, kind="stable"), axis=1)


class BagOfBonds(TransformerMixin, BaseEstimator):
    """Molecules as bags of Coulomb matrix entries: one bag an element (½ Z^2.4, so many as atoms), then one for each pair of
    elements (Z_i Z_j / R_ij), every bag sorted from the largest entry down and filled with zeros.

    length_unit: of the distances, "bohr" or "Å"
    counts: the largest number of atoms of each element, as {"C": 7, "H": 16}; what is met in `fit` unless given
    """

    symmetry: Symmetry = E3_INVARIANT

    def __init__(self, length_unit: Literal["bohr", "Å"] = "bohr", counts: Mapping[str, int] | None = None) -> None:
        self.length_unit, self.counts = length_unit, counts

    def fit(self, frames: Sequence[Atoms], y: None = None) -> Self:
        """Learn `species_` (S,) and `sizes_` (S(S + 3)/2,) of the bags; no label is used."""
        _check(frames, self.length_unit)
        if self.counts is None:
            self.species_ = np.unique(np.concatenate([atoms.numbers for atoms in frames]))
            counts = np.array([(atoms.numbers[:, None] == self.species_).sum(axis=0) for atoms in frames])
        else:
            given = {atomic_numbers[symbol]: count for symbol, count in self.counts.items()}
            self.species_ = np.array(sorted(given))
            counts = np.array([[given[number] for number in self.species_]])
        first, second = np.triu_indices(len(self.species_))
        pairs = counts[:, first] * (counts[:, second] - (first == second)) // (1 + (first == second))
        self.sizes_ = np.hstack([counts, pairs]).max(axis=0)
        return self

    def transform(self, frames: Sequence[Atoms]) -> np.ndarray:
        """(M, Σ sizes_). Raises ValueError for a periodic frame, an unknown element, a full bag, two atoms at one place."""
        check_is_fitted(self, "sizes_")
        _check(frames, self.length_unit)
        check_structures(frames, self.species_)
        S, bags, starts = len(self.species_), len(self.sizes_), np.cumsum(self.sizes_) - self.sizes_
        bag_of = np.empty((S, S), int)
        first, second = np.triu_indices(S)
        bag_of[first, second] = bag_of[second, first] = S + np.arange(bags - S)
        features, done = np.zeros((len(frames), self.sizes_.sum())), 0
        for numbers, matrices in _matrices(frames, max(map(len, frames)), self.length_unit):
            kind = np.searchsorted(self.species_, numbers)
            frame, i, j = np.nonzero(np.triu(matrices))
            bag = np.where(i == j, kind[frame, i], bag_of[kind[frame, i], kind[frame, j]])
            entry, place = matrices[frame, i, j], frame * bags + bag
            order = np.lexsort((-entry, place))
            entry, place = entry[order], place[order]
            rank = np.arange(len(place)) - np.searchsorted(place, place)
            frame, bag = np.divmod(place, bags)
            if (rank >= self.sizes_[bag]).any():
                index = done + frame[np.argmax(rank >= self.sizes_[bag])]
                raise ValueError(f"frame {index}, {frames[index].get_chemical_formula()}, overflows a bag: "
                                 f"of {', '.join(chemical_symbols[z] for z in self.species_)} no more than "
                                 f"{self.sizes_[:S].tolist()} atoms are expected; fit on it as well, or set `counts`")
            features[done + frame, starts[bag] + rank] = entry
            done += len(numbers)
        return features


def _check(frames: Sequence[Atoms], length_unit: str) -> None:
    if length_unit not in LENGTHS:
        raise ValueError(f"length_unit is {length_unit!r}; it is 'bohr' or 'Å'")
    check_structures(frames)
    for index, atoms in enumerate(frames):
        if atoms.pbc.any():
            raise ValueError(f"frame {index} is periodic; a Coulomb matrix is of a molecule: set pbc=False if it is one")


def _matrices(frames: Sequence[Atoms], rows: int, length_unit: str) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Atomic numbers (m, rows) and Coulomb matrices (m, rows, rows) of successive chunks, zero where there is no atom."""
    own = np.arange(rows)
    for start in range(0, len(frames), CHUNK):
        chunk = frames[start:start + CHUNK]
        there = own < np.array([len(atoms) for atoms in chunk])[:, None]
        numbers, positions = np.zeros(there.shape, int), np.full((3, *there.shape), 1e9 * (1 + own))  # far apart, no charge
        numbers[there] = np.concatenate([atoms.numbers for atoms in chunk])
        positions[:, there] = np.concatenate([atoms.positions for atoms in chunk]).T / LENGTHS[length_unit]
        distances = np.sqrt(sum(np.square(x[:, :, None] - x[:, None]) for x in positions))
        distances[:, own, own] = 1
        if not distances.all():
            frame, i, j = np.argwhere(distances == 0)[0]
            raise ValueError(f"frame {start + frame}: atoms {i} and {j} are at one place; move or delete one")
        matrices = numbers[:, :, None] * numbers[:, None] / distances
        matrices[:, own, own] = 0.5 * numbers**2.4
        yield numbers, matrices
