"""The atomic cluster expansion as a potential: energies linear in the invariants of each atom's neighbours.

E = Σ_i ε_z(i) + Σ_i Σ_η c_z(i),η B_η(i), where z(i) is the element of atom i (Drautz, Phys. Rev. B 99, 014104 (2019)): a body-
ordered expansion, with orders 1 … ν up to ν + 1 bodies. Energies, forces and stresses σ are linear in c, which minimises

    w_E² |E(c) − E|² / N + w_F² |F(c) − F|² + w_S² V² |σ(c) − σ|² / N     summed over frames of N atoms and volume V
    + λ² Σ_η (s_η c_η)²,    s_η = rms of B_η over the training atoms · (1 + Σ_factors (n² + l²)),

so that λ is an energy, and what is rough must earn its place. QR folds the equations into a triangle, some frames at a time.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from ase import Atoms
from ase.data import chemical_symbols
from scipy.linalg import solve_triangular
from scipy.linalg.lapack import dtpqrt
from scipy.sparse import csr_array
from sklearn.base import clone
from tqdm import tqdm

from course_lib.kernels.cluster_basis import ClusterBasis
from course_lib.learning import CompositionBaseline, Potential, Prediction, labels

CHUNK = 64
"""Atoms whose derivatives are held at once, or one frame."""
VANISHING = 1e-9
"""Of the largest rms: functions below it are zero but for rounding, by an identity or for want of such neighbours."""
UPPER = np.triu_indices(3)


class AtomicClusterExpansion(Potential):
    """A linear body-ordered potential of molecules and crystals, of order ν = len(n_max).

    cutoff, n_max, l_max, degree: as for `ClusterBasis`; with K unknowns a fit holds two triangles of 8 K² bytes, and K grows
        like a power ν + 1 of the number of elements: by default, of three, K = 2715; with (8, 5, 3, 2), (0, 4, 3, 2) 22449
    isolated: energies ε of isolated atoms, by symbol, eV; None: fitted, so that they are known only as far as the compositions
        of the training set tell them apart
    energy_weight (1/eV), force_weight (Å/eV), stress_weight (1/eV): w_E, w_F, w_S; forces and stresses are used where frames
        have them
    ridge: λ, eV
    Raises ValueError for an element without ε, weights below zero or with nothing left to fit, a ridge not above zero.
    Fitted, a row an element of `species_`: `coefficients_` (S, K), eV, as `ClusterBasis.features_` has them, and `isolated_`
        (S,), eV.
    """

    def __init__(self, cutoff: float = 5.0, n_max: Sequence[int] = (8, 4, 2), l_max: Sequence[int] = (0, 4, 2),
                 degree: Sequence[int] | None = None, isolated: Mapping[str, float] | None = None, energy_weight: float = 10.0,
                 force_weight: float = 1.0, stress_weight: float = 1.0, ridge: float = 1e-3) -> None:
        self.cutoff, self.n_max, self.l_max, self.degree, self.isolated = cutoff, n_max, l_max, degree, isolated
        self.energy_weight, self.force_weight, self.stress_weight = energy_weight, force_weight, stress_weight
        self.ridge = ridge

    def _fit(self, frames: Sequence[Atoms], validation: Sequence[Atoms] | None, progress: bool) -> None:
        truth = labels(frames)
        slopes = ((truth.forces is not None and self.force_weight > 0)
                  or (truth.stresses is not None and self.stress_weight > 0))
        self._check(slopes)
        self.isolated_ = self._energies_of_isolated_atoms(frames)
        self.basis_ = ClusterBasis(self.cutoff, self.n_max, self.l_max, self.degree, self.species_.tolist())
        features = self._basis().transform(frames)
        features = np.column_stack([features, np.full(len(features), float(self.isolated is None))])
        kinds, sizes = self._kinds(frames), np.array([len(atoms) for atoms in frames])
        spread = np.array([np.sqrt(np.mean(features[kinds == kind] ** 2, axis=0)) for kind in range(len(self.species_))])
        rough = 1 + (self._basis().features_.filter(regex="^[nl]") ** 2).sum(axis=1).to_numpy(float)
        used = np.flatnonzero(spread > VANISHING * spread.max())
        penalty = (self.ridge * spread * np.append(rough, 1)).ravel()[used]
        energies = self._columns(features[:, None], np.repeat(np.arange(len(frames)), sizes), kinds)[:, used]
        excess = truth.energies - np.bincount(np.repeat(np.arange(len(frames)), sizes), self.isolated_[kinds])
        triangle = np.asfortranarray(np.diag([*penalty, 0]))
        triangle = _fold(triangle, self.energy_weight / np.sqrt(sizes)[:, None] * np.column_stack([energies, excess]))
        part = np.cumsum(sizes) // CHUNK
        chunks = np.split(np.arange(len(frames)), np.flatnonzero(np.diff(part)) + 1) if slopes else []
        for chunk in tqdm(chunks, desc="ACE", unit="chunk", disable=not progress):
            for rows in self._slope_equations([frames[i] for i in chunk], used):
                triangle = _fold(triangle, rows)
        solution = np.zeros(spread.shape)
        solution.flat[used] = solve_triangular(triangle[:-1, :-1], triangle[:-1, -1])
        self.coefficients_ = solution[:, :-1].copy()
        self.isolated_ = self.isolated_ + solution[:, -1]
        terms = np.einsum("ik,ik->i", np.abs(features), np.abs(solution[kinds]))
        self.amplification_ = float(max(terms.max() / np.abs(truth.energies / sizes).max(initial=1e-3), 1))

    @property
    def amplification(self) -> float:
        """How many times larger than an atom's energy the terms c_η B_η are that add up to it: the audit's allowance."""
        return self.amplification_

    def _check(self, slopes: bool) -> None:
        weights = self.energy_weight, self.force_weight, self.stress_weight
        if not (np.isfinite(weights).all() and min(weights) >= 0):
            raise ValueError(f"weights of energies, forces and stresses must be finite and 0 or more, got {weights}")
        if not (slopes or self.energy_weight):
            raise ValueError("nothing to fit: the energy weight is 0, and forces and stresses are missing or weigh nothing")
        if not 0 < self.ridge < np.inf:
            raise ValueError(f"the ridge must be above zero and finite, got {self.ridge}")

    def _energies_of_isolated_atoms(self, frames: Sequence[Atoms]) -> np.ndarray:
        if self.isolated is None:
            return CompositionBaseline().fit(frames).energies_
        symbols = [chemical_symbols[number] for number in self.species_]
        if missing := [symbol for symbol in symbols if symbol not in self.isolated]:
            raise ValueError(f"no energy of an isolated atom is given for {', '.join(missing)}; add it to isolated={{…}}, "
                             "or leave isolated=None to have them fitted")
        return np.array([self.isolated[symbol] for symbol in symbols], float)

    def _kinds(self, frames: Sequence[Atoms]) -> np.ndarray:
        return np.searchsorted(self.species_, np.concatenate([atoms.numbers for atoms in frames]))

    def _columns(self, values: np.ndarray, rows: np.ndarray, kinds: np.ndarray) -> np.ndarray:
        """Sums of values (P, a, K), by row and element, as a matrix (rows · a, S · K)."""
        S, P, a, K = len(self.species_), *values.shape
        gather = csr_array((np.ones(P), (rows * S + kinds, np.arange(P))), shape=((rows.max() + 1) * S, P))
        return (gather @ values.reshape(P, -1)).reshape(-1, S, a, K).swapaxes(1, 2).reshape(-1, S * K)

    def _slope_equations(self, frames: Sequence[Atoms], used: np.ndarray) -> list[np.ndarray]:
        """Weighted rows (design | label) of gradients and virials."""
        truth, sizes, slopes = labels(frames), np.array([len(atoms) for atoms in frames]), self._basis().derivatives(frames)
        kinds, values = self._kinds(frames)[slopes.centres], np.pad(slopes.values, [(0, 0), (0, 0), (0, 1)])
        blocks = []
        if truth.forces is not None and self.force_weight > 0:
            gradient = self._columns(values, slopes.neighbours, kinds)[:, used]
            blocks.append(self.force_weight * np.column_stack([gradient, -np.concatenate(truth.forces).ravel()]))
        if truth.stresses is not None and self.stress_weight > 0:
            frame = np.repeat(np.arange(len(frames)), sizes)[slopes.centres]
            strained = self._columns(values[:, UPPER[0]] * slopes.vectors[:, UPPER[1], None], frame, kinds)[:, used]
            virial = (truth.stresses * np.array([atoms.cell.volume for atoms in frames])[:, None, None])[:, *UPPER].ravel()
            rows = self.stress_weight / np.sqrt(np.repeat(sizes, 6))[:, None] * np.column_stack([strained, virial])
            blocks.append(rows[np.isfinite(virial)])
        return blocks

    def _predict(self, frames: Sequence[Atoms]) -> Prediction:
        sums, gradient, virials = self._basis().contract(frames, self._contraction())
        sizes = np.array([len(atoms) for atoms in frames])
        energies = np.bincount(np.repeat(np.arange(len(frames)), sizes), sums + self.isolated_[self._kinds(frames)])
        volumes = np.array([atoms.cell.volume if atoms.cell.rank == 3 else np.inf for atoms in frames])
        return Prediction(energies, np.split(-gradient, np.cumsum(sizes)[:-1]), virials / volumes[:, None, None])

    def _basis(self) -> ClusterBasis:
        if getattr(self, "_ready", (None,))[0] is not self.basis_:
            self._ready = self.basis_, clone(self.basis_).fit()
        return self._ready[1]

    def _contraction(self) -> list:
        if getattr(self, "_prepared", (None,))[0] is not self.coefficients_:
            self._prepared = self.coefficients_, self._basis().contraction(self.coefficients_)
        return self._prepared[1]


def _fold(triangle: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """The triangle R of QR = (triangle over rows), by LAPACK's routine that knows one of them as a triangle."""
    return dtpqrt(0, min(32, len(triangle)), triangle, np.asfortranarray(rows), overwrite_a=True, overwrite_b=True)[0]
