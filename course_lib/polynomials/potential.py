"""A potential linear in invariant polynomials, fitted to energies and forces by least squares.

min_c Σ_A w_E² (V(x_A) − E_A)² + Σ_Aa w_F² |∇_a V(x_A) + F_Aa|²: a frame with forces is 3N labels more (Nandi, Qu & Bowman,
JCTC 15, 2826 (2019)). Columns are scaled to unit length first; the solution is of least norm among those that the singular
values above `rcond` can tell apart, since for five atoms and more the distances, and with them the polynomials, are not
independent on the space of geometries.
"""

from collections.abc import Sequence

import numpy as np
from ase import Atoms
from scipy.linalg import lstsq
from sklearn.base import clone

from course_lib.learning import Potential, Prediction, labels
from course_lib.polynomials.invariants import InvariantPolynomials


class PIP(Potential):
    """Invariant polynomials with a linear fit, for molecules of one composition.

    degree, length (Å), fragments: as for `InvariantPolynomials`; fragments name the rows of the frames. The default length
        suits methane; for ethanol it is too long: degree 3 on 200 frames with forces leaves 0.41 eV/Å at
        1.6 Å, 0.32 eV/Å at 1.0 Å
    energy_weight (1/eV), force_weight (Å/eV): w_E and w_F; a force_weight of 0 fits energies alone, as do frames without forces
    rcond: singular values below this fraction of the largest are dropped
    """

    def __init__(self, degree: int = 4, length: float = 1.6, fragments=None, energy_weight: float = 1.0,
                 force_weight: float = 1.0, rcond: float = 1e-10) -> None:
        self.degree, self.length, self.fragments = degree, length, fragments
        self.energy_weight, self.force_weight, self.rcond = energy_weight, force_weight, rcond

    def _fit(self, frames: Sequence[Atoms], validation: Sequence[Atoms] | None, progress: bool) -> None:
        if not (np.isfinite([self.energy_weight, self.force_weight]).all() and self.energy_weight >= 0 <= self.force_weight):
            raise ValueError(f"weights must be finite and 0 or more; got {self.energy_weight} and {self.force_weight}")
        truth = labels(frames)
        forces = truth.forces is not None and self.force_weight > 0
        if self.energy_weight == 0 and not forces:
            raise ValueError("nothing to fit: the energy weight is 0, and there are no forces or their weight is 0")
        symbols = frames[0].get_chemical_symbols()
        if self.fragments is not None and any(atoms.get_chemical_symbols() != symbols for atoms in frames):
            raise ValueError("fragments name atoms by their row, so all frames must list their elements in one order")
        self.basis_ = InvariantPolynomials(symbols, self.degree, self.length, self.fragments)
        polynomials = self._polynomials()
        self.offset_ = float(truth.energies.mean())
        values = self._with_constant(polynomials.transform(frames))
        rows, targets = [self.energy_weight * values], [self.energy_weight * (truth.energies - self.offset_)]
        if forces:
            slopes = polynomials.jacobian(frames).transpose(0, 2, 3, 1).reshape(-1, len(polynomials.degrees_))
            constant = np.zeros((len(slopes), values.shape[1] - slopes.shape[1]))
            rows.append(-self.force_weight * np.hstack([slopes, constant]))
            targets.append(self.force_weight * np.concatenate(truth.forces).ravel())
        design, target = np.concatenate(rows), np.concatenate(targets)
        scale = np.linalg.norm(design, axis=0)
        scale[scale == 0] = 1
        solution, _, rank, _ = lstsq(design / scale, target, cond=self.rcond, lapack_driver="gelsd")
        self.coefficients_, self.rank_ = solution / scale, int(rank)
        largest = np.abs(target).max()
        self.amplification_ = float((np.abs(design) @ np.abs(self.coefficients_)).max() / largest) if largest else 1.0

    @property
    def amplification(self) -> float:
        """How many times larger than the labels the terms c_k p_k are that add up to them: the audit's allowance."""
        return self.amplification_

    def _predict(self, frames: Sequence[Atoms]) -> Prediction:
        polynomials = self._polynomials()
        count = len(polynomials.degrees_)
        energies, gradients = polynomials.contract(frames, self.coefficients_[:count])
        return Prediction(energies + self.offset_ + self.coefficients_[count:].sum(), list(-gradients))

    def _with_constant(self, values: np.ndarray) -> np.ndarray:
        """A purified basis has no constant: the energy of the parted fragments is fitted beside it."""
        return values if self.fragments is None else np.hstack([values, np.ones((len(values), 1))])

    def _polynomials(self) -> InvariantPolynomials:
        if getattr(self, "_ready", (None,))[0] is not self.basis_:
            self._ready = self.basis_, clone(self.basis_).fit()
        return self._ready[1]
