"""The density of an atom's neighbours, as coefficients that turn with it: what SOAP, λ-SOAP and the bispectrum are made of.

Every neighbour j of atom i is a Gaussian, and those of one element a are one density, faded out at the cutoff,

    ρ_ia(x) = Σ_{j ∈ a} f_c(r_ij) (πσ²)^(−3/4) exp(−|x − r_ij|² / 2σ²) = Σ_nlm c_ianlm R_nl(x) Y_lm(x̂),

whose coefficients are c_ianlm = Σ_j f_c(r_ij) g_nl(r_ij) Y_lm(r̂_ij): sums over neighbours, so no order of atoms matters, that
turn with D^l. Bartók, Kondor, Csányi, Phys. Rev. B 87, 184115 (2013); signs and factors are those of featomic, and the
centre itself belongs to the density, as it does there.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import Self

import numpy as np
import pandas as pd
from ase import Atoms
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from course_lib.kernels.neighbours import Neighbours
from course_lib.kernels.radial_integrals import RadialTable, radial_integrals
from course_lib.structures import (
    CosineCutoff,
    GaussianTypeOrbitals,
    PolynomialBasis,
    check_species,
    check_structures,
    neighbour_graphs,
)
from course_lib.symmetry import spherical_harmonics, spherical_harmonics_gradient

ATOMS = 256
"""How many atoms are worked on together: few enough for the processor's cache."""


@dataclass(frozen=True, eq=False)
class SlopedExpansion:
    """c and what its derivative is made of, ∂c/∂r_j = ∇g Y + g ∇Y for one neighbour j, with the cutoff function in g.

    radial, radial_slope: g (E, l_max + 1, n) and ∇g (E, 3, l_max + 1, n)
    angular, angular_slope: Y (E, (l_max + 1)²) and ∇Y (E, 3, (l_max + 1)²)
    density: c (N, (l_max + 1)², B, n)
    """

    radial: np.ndarray
    radial_slope: np.ndarray
    angular: np.ndarray
    angular_slope: np.ndarray
    density: np.ndarray


class DensityExpansion(TransformerMixin, BaseEstimator):
    """The coefficients c_ianlm of every atom, and the base of the features made of them.

    cutoff: Å; neighbours fade over the last `smoothing` Å by a shifted cosine
    n_max, l_max: number of radial functions, largest degree of the harmonics
    width: σ of the Gaussians, Å
    basis: "gto" (featomic's Gaussian orbitals), "polynomial", or a radial basis with n_max functions
    species: atomic numbers the features know; learned in `fit` when None
    mixing: makes fewer pseudo-species out of many species, ρ_b = Σ_a W_ab ρ_a (Willatt, Musil, Ceriotti, Phys. Chem. Chem.
        Phys. 20, 29661 (2018)): W (S, B), its rows in the order of `species_`, or B for random normal W of variance 1/B, which
        keeps dot products on average (`seed` draws it)
    """

    def __init__(self, cutoff: float = 5.0, n_max: int = 8, l_max: int = 6, width: float = 0.5, smoothing: float = 0.5,
                 basis="gto", species: Sequence[int] | None = None, mixing=None, seed: int = 0) -> None:
        self.cutoff, self.n_max, self.l_max, self.width = cutoff, n_max, l_max, width
        self.smoothing, self.basis, self.species, self.mixing, self.seed = smoothing, basis, species, mixing, seed

    def fit(self, frames: Sequence[Atoms] | None = None, y: None = None) -> Self:
        """Learn the species and tabulate the radial integrals; with `species` given it needs no frames.

        Raises ValueError for settings that make no sense, and for frames with a species that is not among those given.
        """
        whole = isinstance(self.n_max, Integral) and isinstance(self.l_max, Integral)
        if not whole or self.n_max < 1 or self.l_max < 0 or not self.width > 0 or not 0 < self.smoothing <= self.cutoff:
            raise ValueError("a density needs whole numbers n_max ≥ 1 and l_max ≥ 0, width > 0 and 0 < smoothing ≤ cutoff; got "
                             f"{self.n_max}, {self.l_max}, {self.width}, {self.smoothing} and {self.cutoff}")
        if self.species is not None:
            check_species(self.species)
        if frames is not None or self.species is None:
            check_structures(frames, self.species)
        self.species_ = np.unique(self.species if self.species is not None else
                                  np.concatenate([atoms.numbers for atoms in frames]))
        self.weights_ = self._weights()
        basis, scale = self._radial_basis(), (np.pi * self.width**2) ** -0.75
        self.series_ = RadialTable.of(lambda r: scale * radial_integrals(basis, self.l_max, self.width, r), self.cutoff).series
        return self

    def transform(self, frames: Sequence[Atoms]) -> np.ndarray:
        """(N, S, n_max, (l_max + 1)²): c of all atoms of all frames, entry l² + l + m of the last axis.

        Raises ValueError for a species that was not in `fit`, and what `neighbour_graphs` raises.
        """
        return np.concatenate([self._expand(near) for near in self._blocks(frames)]).transpose(0, 2, 3, 1)

    def _radial_basis(self):
        if isinstance(self.basis, str):
            makers = {"gto": GaussianTypeOrbitals.featomic, "polynomial": PolynomialBasis}
            if self.basis not in makers:
                raise ValueError(f"basis is {self.basis!r}; it must be one of {', '.join(makers)}, or a radial basis")
            return makers[self.basis](self.cutoff, self.n_max)
        shape = self.basis(np.ones(1)).shape[1:]
        if shape not in [(self.n_max,), (1, self.n_max), (self.l_max + 1, self.n_max)]:
            raise ValueError(f"the basis has functions of shape {shape}, but n_max is {self.n_max} and l_max is {self.l_max}; "
                             "make them agree")
        return self.basis

    def _weights(self) -> np.ndarray:
        """W (S, B); the unit matrix when species are not mixed."""
        known = len(self.species_)
        if self.mixing is None:
            return np.eye(known)
        weights = np.asarray(self.mixing, float)
        if weights.ndim == 0 and self.mixing >= 1:
            weights = np.random.default_rng(self.seed).normal(size=(known, self.mixing)) / np.sqrt(self.mixing)
        if weights.shape != (known, max(weights.size // known, 1)) or not np.isfinite(weights).all():
            raise ValueError(f"mixing is {self.mixing}; it needs a finite row for each of the {known} species, or how many "
                             "pseudo-species there shall be, 1 or more")
        return weights

    def _blocks(self, frames: Sequence[Atoms]) -> Iterator[Neighbours]:
        """Frames in blocks of about ATOMS atoms, at least one frame each."""
        check_is_fitted(self, "series_")
        check_structures(frames, self.species_)
        graphs = neighbour_graphs(frames, self.cutoff)
        block = np.cumsum([len(graph.species) for graph in graphs]) // ATOMS
        for part in np.split(np.arange(len(graphs)), np.flatnonzero(np.diff(block)) + 1):
            yield Neighbours.of([graphs[index] for index in part], self.species_)

    def _expand(self, near: Neighbours) -> np.ndarray:
        """c as (N, (l_max + 1)², B, n): what one degree needs lies together."""
        radial = self._table(near.distances) * self._fade(near.distances)[:, None, None]
        return self._with_centre(near, self._sum(near, radial, spherical_harmonics(self.l_max, near.vectors)))

    def _expand_with_slopes(self, near: Neighbours) -> "SlopedExpansion":
        r = near.distances
        radial, slope = self._table.with_slopes(r)
        slope = slope * self._fade(r)[:, None, None] + radial * self._fade.derivative(r)[:, None, None]
        radial *= self._fade(r)[:, None, None]
        angular, turn = spherical_harmonics_gradient(self.l_max, near.vectors)
        density = self._with_centre(near, self._sum(near, radial, angular))
        return SlopedExpansion(radial, slope[:, None] * (near.vectors / r[:, None])[:, :, None, None], angular, turn, density)

    def _with_centre(self, near: Neighbours, sums: np.ndarray) -> np.ndarray:
        """Add the Gaussian of the centre itself, which only l = 0 knows."""
        sums[:, 0] += self.weights_[near.kinds, :, None] * self._table(np.zeros(1))[0, 0] / np.sqrt(4 * np.pi)
        return sums

    def _sum(self, near: Neighbours, radial: np.ndarray, angular: np.ndarray) -> np.ndarray:
        """Σ over neighbours of W radial ⊗ angular, (E, l_max + 1, n) and (E, (l_max + 1)²): (N, (l_max + 1)², B, n)."""
        total = np.zeros((len(near.kinds), angular.shape[1], len(self.species_), self.n_max))
        for kind, count, rows in near.shapes:
            centres = near.centres[rows][::count]
            sums = np.empty((len(centres), angular.shape[1], self.n_max))
            for l, degree in enumerate(self._degrees):
                np.matmul(angular[rows, degree].reshape(len(centres), count, -1).swapaxes(1, 2),
                          radial[rows, l].reshape(len(centres), count, -1), out=sums[:, degree])
            total[centres, :, kind] = sums
        return total if self.mixing is None else self.weights_.T @ total

    @property
    def _table(self) -> RadialTable:
        return RadialTable(self.cutoff, self.series_)

    @property
    def _degrees(self) -> list[slice]:
        return [slice(l * l, (l + 1) ** 2) for l in range(self.l_max + 1)]

    @property
    def _fade(self) -> CosineCutoff:
        return CosineCutoff(self.cutoff, onset=self.cutoff - self.smoothing)

    @property
    def _channels(self) -> int:
        """How many (b, n) there are; q = b n_max + n numbers them."""
        return self.weights_.shape[1] * self.n_max

    def _channel_pairs(self) -> np.ndarray:
        """(2, pairs): the unordered pairs of channels, one pair of species after another."""
        channels = np.arange(self._channels).reshape(-1, self.n_max)
        pairs = np.concatenate([np.stack(np.meshgrid(first, second, indexing="ij")).reshape(2, -1)
                                for b, first in enumerate(channels) for second in channels[b:]], axis=1)
        return pairs[:, pairs[0] <= pairs[1]]

    def _channel_table(self, *factors: tuple[int, np.ndarray]) -> pd.DataFrame:
        """What products of coefficients are made of: a degree and channels (F,) for each factor."""
        names = self.species_ if self.mixing is None else np.arange(self.weights_.shape[1])
        return pd.DataFrame({f"{name} {i}": values for i, (l, channels) in enumerate(factors, start=1) for name, values in
                             [("l", np.full(len(channels), l)), ("species", names[channels // self.n_max]),
                              ("n", channels % self.n_max)]})


def split(array: np.ndarray, sizes: Sequence[int], axis: int = 0) -> list[np.ndarray]:
    """Consecutive parts, views, of the given sizes."""
    return np.split(array, np.cumsum(sizes)[:-1], axis)
