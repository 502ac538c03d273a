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

from course_lib.learning import Potential, Prediction, labels
from course_lib.polynomials.invariants import InvariantPolynomials


class PIP(Potential):
    """Invariant polynomials with a linear fit, for molecules of one composition.

    degree, length (Å), fragments: as for `InvariantPolynomials`
    energy_weight (1/eV), force_weight (Å/eV): w_E and w_F; a force_weight of 0 fits energies alone, as do frames without forces
    rcond: singular values below this fraction of the largest are dropped
    """

    def __init__(self, degree: int = 4, length: float = 1.6, fragments=None, energy_weight: float = 1.0,
                 force_weight: float = 1.0, rcond: float = 1e-10) -> None:
        self.degree, self.length, self.fragments = degree, length, fragments
        self.energy_weight, self.force_weight, self.rcond = energy_weight, force_weight, rcond

    def _fit(self, frames: Sequence[Atoms], validation: Sequence[Atoms] | None, progress: bool) -> None:
        truth = labels(frames)
        self.symbols_ = frames[0].get_chemical_symbols()
        polynomials = self._polynomials()
        self.offset_ = float(truth.energies.mean())
        rows = [self.energy_weight * polynomials.transform(frames)]
        targets = [self.energy_weight * (truth.energies - self.offset_)]
        if truth.forces is not None and self.force_weight > 0:
            slopes = polynomials.jacobian(frames)
            rows.append(-self.force_weight * slopes.swapaxes(1, 2).swapaxes(2, 3).reshape(-1, slopes.shape[1]))
            targets.append(self.force_weight * np.concatenate(truth.forces).ravel())
        design = np.concatenate(rows)
        scale = np.linalg.norm(design, axis=0)
        scale[scale == 0] = 1
        solution, _, rank, _ = lstsq(design / scale, np.concatenate(targets), cond=self.rcond, lapack_driver="gelsd")
        self.coefficients_, self.rank_ = solution / scale, int(rank)
        self.amplification_ = float((np.abs(design) @ np.abs(self.coefficients_)).max() / np.abs(np.concatenate(targets)).max())

    @property
    def amplification(self) -> float:
        """How many times larger than the labels the terms c_k p_k are that add up to them: the audit's allowance."""
        return self.amplification_

    def _predict(self, frames: Sequence[Atoms]) -> Prediction:
        energies, gradients = self._polynomials().contract(frames, self.coefficients_)
        return Prediction(energies + self.offset_, list(-gradients))

    def _polynomials(self) -> InvariantPolynomials:
        key = (tuple(self.symbols_), self.degree, self.length, str(self.fragments))
        if getattr(self, "_cached", (None,))[0] != key:
            self._cached = key, InvariantPolynomials(self.symbols_, self.degree, self.length, self.fragments).fit()
        return self._cached[1]
