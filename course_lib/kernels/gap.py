"""Gaussian approximation potentials: an energy an atom, learned from totals and their slopes.

E_A = Σ_i ε(x_i) + baseline, and ε is a Gaussian process with the kernel k(x, x') = δ² (p̂·p̂')^ζ between atoms of one element,
zero between elements; p̂ is the descriptor of an atom's surroundings scaled to unit length (Bartók, Payne, Kondor & Csányi,
PRL 104, 136403 (2010); Bartók, Kondor & Csányi, PRB 87, 184115 (2013)). The process is projected on M atoms of the training
set, the sparse points: ε(x) = Σ_m c_m k(x, x_m), and energies, forces and virials are sums and derivatives of it, so

    c = argmin ‖Λ^(−1/2) (y − K_NM c)‖² + cᵀ K_MM c.

It is solved by QR, chunk of frames by chunk of frames, and never by the normal matrix, which squares the condition number
(Foster et al., J. Mach. Learn. Res. 10, 857 (2009)).
"""

from collections.abc import Iterator, Sequence

import numpy as np
from ase import Atoms
from scipy.linalg import solve_triangular
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.utils.validation import check_is_fitted
from skmatter.sample_selection import CUR, FPS
from tqdm import tqdm

from course_lib.kernels.soap import SOAP
from course_lib.learning import CompositionBaseline, Potential, Prediction, labels
from course_lib.structures import check_structures

CHUNK = 100
"""Atoms whose derivatives are held at once."""
FLOOR = 1e-10
"""Of K_MM's eigenvalues, in δ²: combinations of sparse points below it cannot be told from zero."""
SELECTIONS = {"fps": lambda n: FPS(n_to_select=n, initialize=0), "cur": lambda n: CUR(n_to_select=n, recompute_every=0)}
UPPER = np.triu_indices(3)


class GAP(Potential):
    """A sparse Gaussian process on energies, forces and stresses of molecules and crystals.

    descriptor: a transformer with a row an atom, `derivatives` and `pull_back`; SOAP with its defaults if None
    n_sparse: sparse points of each element, all its atoms where there are fewer
    zeta: power ζ of the kernel; delta: its scale δ in eV
    energy_noise, force_noise, stress_noise: Λ: eV for an energy, growing as √N with the atoms; eV/Å for a force; eV for a
    virial (stress times volume), growing as √N too. Forces and stresses are used where the frames have them.
    selection: of the sparse points: "fps", farthest points of the descriptor first; "cur", by leverage; or rows of the atoms of
    all training frames end to end, instead of n_sparse
    Raises ValueError for noises, powers or a selection that are none.

    Fitted: `sparse_` (M, n_features), unit vectors, of the elements `sparse_species_` (M,); `coefficients_` (M,) in 1/eV.
    """

    def __init__(self, descriptor: SOAP | None = None, n_sparse: int = 200, zeta: int = 4, delta: float = 1.0,
                 energy_noise: float = 1e-3, force_noise: float = 0.05, stress_noise: float = 0.05,
                 selection: str | Sequence[int] = "fps") -> None:
        self.descriptor, self.n_sparse, self.zeta, self.delta = descriptor, n_sparse, zeta, delta
        self.energy_noise, self.force_noise, self.stress_noise = energy_noise, force_noise, stress_noise
        self.selection = selection

    def _fit(self, frames: Sequence[Atoms], validation: Sequence[Atoms] | None, progress: bool) -> None:
        self._check()
        self.baseline_ = CompositionBaseline().fit(frames)
        self.descriptor_ = clone(SOAP() if self.descriptor is None else self.descriptor).fit(frames)
        numbers = np.concatenate([atoms.numbers for atoms in frames])
        directions, _ = _directions(self.descriptor_.transform(frames))
        chosen = self._chosen(directions, numbers)
        self.sparse_, self.sparse_species_ = directions[chosen], numbers[chosen]
        K_MM = self._kernel(self.sparse_ @ self.sparse_.T, self.sparse_species_)
        values, vectors = np.linalg.eigh(K_MM)
        self.root_ = np.sqrt(np.maximum(values, FLOOR * self.delta**2))[:, None] * vectors.T
        R = np.column_stack([self.root_, np.zeros(len(chosen))])
        for chunk in tqdm(list(_chunks(frames)), desc="GAP", unit="chunk", disable=not progress):
            R = np.linalg.qr(np.vstack([R, self._equations(chunk)]), mode="r")
        self.factor_ = R[:len(chosen), :-1]
        self.coefficients_ = solve_triangular(self.factor_, R[:len(chosen), -1])
        per_atom = np.abs([energy / len(atoms) for energy, atoms in zip(labels(frames).energies, frames, strict=True)])
        self.amplification_ = float((np.abs(K_MM) @ np.abs(self.coefficients_)).max() / per_atom.max(initial=1e-3))

    @property
    def amplification(self) -> float:
        """How many times larger than an atom's energy the terms c_m k(x, x_m) are that add up to it: the audit's allowance."""
        return self.amplification_

    def _check(self) -> None:
        for name in ("n_sparse", "zeta", "delta", "energy_noise", "force_noise", "stress_noise"):
            if not 0 < getattr(self, name) < np.inf:
                raise ValueError(f"{name} must be above zero and finite, got {getattr(self, name)}")
        if self.n_sparse != int(self.n_sparse):
            raise ValueError(f"n_sparse must be a whole number, got {self.n_sparse}")
        if isinstance(self.selection, str) and self.selection not in SELECTIONS:
            raise ValueError(f"selection is {self.selection!r}; it must be one of {', '.join(map(repr, SELECTIONS))}, or rows")

    def _chosen(self, directions: np.ndarray, numbers: np.ndarray) -> np.ndarray:
        """Rows of the sparse points, one element after another."""
        if not isinstance(self.selection, str):
            chosen = np.unique(self.selection)
            if not (chosen.dtype.kind in "iu" and len(chosen) and chosen[0] >= 0 and chosen[-1] < len(numbers)):
                raise ValueError(f"selection holds rows, whole numbers, of the {len(numbers)} atoms of the training frames; "
                                 f"got {chosen}")
            return chosen
        of_element = [np.flatnonzero(numbers == species) for species in self.species_]
        return np.concatenate([rows if len(rows) <= self.n_sparse else
                               rows[SELECTIONS[self.selection](self.n_sparse).fit(directions[rows]).selected_idx_]
                               for rows in of_element])

    def _kernel(self, cosines: np.ndarray, numbers: np.ndarray) -> np.ndarray:
        """k of atoms with the sparse points, (N, M) in eV², from p̂_i·p̂_m."""
        return np.where(numbers[:, None] == self.sparse_species_, self.delta**2 * cosines**self.zeta, 0)

    def _slope(self, cosines: np.ndarray, numbers: np.ndarray) -> np.ndarray:
        """∂k / ∂(p̂_i·p̂_m)."""
        like = numbers[:, None] == self.sparse_species_
        return np.where(like, self.zeta * self.delta**2 * cosines ** (self.zeta - 1), 0)

    def _equations(self, frames: Sequence[Atoms]) -> np.ndarray:
        """Rows (energies, gradients, virials) of [K_NM | y], each divided by its noise."""
        truth, numbers = labels(frames), np.concatenate([atoms.numbers for atoms in frames])
        sizes = np.array([len(atoms) for atoms in frames])
        directions, norms = _directions(self.descriptor_.transform(frames))
        cosines = directions @ self.sparse_.T
        energies = truth.energies - self.baseline_.predict(frames).energies
        blocks = [np.column_stack([_totals(self._kernel(cosines, numbers), sizes), energies])
                  / (self.energy_noise * np.sqrt(sizes))[:, None]]
        if truth.forces is None and truth.stresses is None:
            return blocks[0]
        slopes = self.descriptor_.derivatives(frames)
        centres = slopes.centres
        outward = np.einsum("pxf,pf->px", slopes.values, directions[centres])
        turning = slopes.values @ self.sparse_.T - outward[:, :, None] * cosines[centres, None]
        pairs = (self._slope(cosines, numbers) / norms)[centres, None] * turning  # (P, 3, M)
        if truth.forces is not None:
            gradient = _gathered(pairs, slopes.neighbours, len(numbers)).reshape(3 * len(numbers), -1)
            blocks.append(np.column_stack([gradient, -np.concatenate(truth.forces).ravel()]) / self.force_noise)
        if truth.stresses is not None:
            known = np.isfinite(truth.stresses).all(axis=(1, 2))
            strained = pairs[:, UPPER[0]] * slopes.vectors[:, UPPER[1], None]
            virial = _gathered(strained, np.repeat(np.arange(len(frames)), sizes)[centres], len(frames))[known]
            volumes = np.array([atoms.cell.volume for atoms in frames])[known]
            target = (truth.stresses[known] * volumes[:, None, None])[:, *UPPER]
            noise = self.stress_noise * np.sqrt(sizes[known])
            blocks.append((np.concatenate([virial, target[..., None]], axis=-1) / noise[:, None, None])
                          .reshape(-1, len(self.sparse_) + 1))
        return np.concatenate(blocks)

    def _predict(self, frames: Sequence[Atoms]) -> Prediction:
        parts = [self._answer(chunk) for chunk in _chunks(frames)]
        return Prediction(self.baseline_.predict(frames).energies + np.concatenate([part.energies for part in parts]),
                          [forces for part in parts for forces in part.forces],
                          np.concatenate([part.stresses for part in parts]))

    def _answer(self, frames: Sequence[Atoms]) -> Prediction:
        numbers, sizes = np.concatenate([atoms.numbers for atoms in frames]), np.array([len(atoms) for atoms in frames])
        directions, norms = _directions(self.descriptor_.transform(frames))
        cosines = directions @ self.sparse_.T
        energies = _totals(self._kernel(cosines, numbers) @ self.coefficients_, sizes)
        toward = (self._slope(cosines, numbers) * self.coefficients_) @ self.sparse_
        toward -= np.einsum("if,if->i", toward, directions)[:, None] * directions
        slopes = self.descriptor_.pull_back(frames, toward / norms)
        gradient = _gathered(slopes.values, slopes.neighbours, len(numbers))
        frame = np.repeat(np.arange(len(frames)), sizes)[slopes.centres]
        virial = _gathered(slopes.values[:, :, None] * slopes.vectors[:, None, :], frame, len(frames))
        volumes = np.array([atoms.cell.volume if atoms.cell.rank == 3 else np.inf for atoms in frames])
        return Prediction(energies, np.split(-gradient, np.cumsum(sizes)[:-1]), virial / volumes[:, None, None])

    def deviation(self, frames: Sequence[Atoms]) -> np.ndarray:
        """(M,) eV: the standard deviation that the process claims for the energies of frames, without noise.

        k(A, A) − k_AM K_MM⁻¹ k_MA + k_AM (K_MM + K_MN Λ⁻¹ K_NM)⁻¹ k_MA: the deterministic training conditional of Quiñonero-
        Candela & Rasmussen, J. Mach. Learn. Res. 6, 1939 (2005), which far from the sparse points returns to the prior.
        Raises as `predict` does.
        """
        check_is_fitted(self, "species_")
        check_structures(frames, self.species_)
        variances = []
        for atoms in frames:
            directions, _ = _directions(self.descriptor_.transform([atoms]))
            like = atoms.numbers[:, None] == atoms.numbers
            prior = self.delta**2 * (like * (directions @ directions.T) ** self.zeta).sum()
            row = self._kernel(directions @ self.sparse_.T, atoms.numbers).sum(axis=0)
            known = np.linalg.solve(self.root_.T, row)
            left = solve_triangular(self.factor_, row, trans="T")
            variances.append(prior - known @ known + left @ left)
        return np.sqrt(np.maximum(variances, 0))


def _directions(features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Unit vectors (N, n_features) and their lengths (N, 1). An atom without neighbours has the centre's own density; if mixing
    weights of zero hide that too, zeros and 1."""
    norms = np.linalg.norm(features, axis=1, keepdims=True)
    norms = np.where(norms > 0, norms, 1)
    return features / norms, norms


def _chunks(frames: Sequence[Atoms]) -> Iterator[Sequence[Atoms]]:
    """Consecutive frames of about CHUNK atoms together, at least one frame."""
    part = np.cumsum([len(atoms) for atoms in frames]) // CHUNK
    yield from (frames[rows[0]:rows[-1] + 1] for rows in np.split(np.arange(len(frames)), np.flatnonzero(np.diff(part)) + 1))


def _totals(values: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Sums of atoms' values (N, …) over each frame."""
    return np.add.reduceat(values, np.cumsum(sizes) - sizes, axis=0)


def _gathered(values: np.ndarray, place: np.ndarray, places: int) -> np.ndarray:
    """Σ of the values (P, …) that belong to each place (P,), as (places, …)."""
    matrix = csr_array((np.ones(len(place)), (place, np.arange(len(place)))), shape=(places, len(place)))
    return (matrix @ values.reshape(len(place), -1)).reshape(places, *values.shape[1:])
