"""The line every learning curve must beat: an energy that knows what a structure is made of, and nothing else."""

from collections.abc import Sequence

import numpy as np
from ase import Atoms

from course_lib.learning.potential import Potential
from course_lib.learning.prediction import Prediction, labels


class CompositionBaseline(Potential):
    """E = Σ_s n_s ε_s: so many atoms of element s, each worth ε_s eV, by least squares. Forces and stress are zero.

    Where the training set cannot tell the elements apart (every frame a CH4: only ε_C + 4 ε_H counts), ε is the
    solution of least norm: right for those compositions, and without meaning for others; `rank_` below the number of
    elements says so. An element that was not in the training set raises ValueError in `predict`.

    Fitted: `species_` (S,) atomic numbers, `energies_` (S,) eV an atom, `rank_` of the table of counts.
    """

    def _fit(self, frames: Sequence[Atoms], validation: Sequence[Atoms] | None, progress: bool) -> None:
        self.energies_, _, self.rank_, _ = np.linalg.lstsq(self._counts(frames), labels(frames).energies)

    def _predict(self, frames: Sequence[Atoms]) -> Prediction:
        return Prediction(self._counts(frames) @ self.energies_, [np.zeros((len(a), 3)) for a in frames],
                          np.zeros((len(frames), 3, 3)))

    def _counts(self, frames: Sequence[Atoms]) -> np.ndarray:
        return np.array([(a.numbers[:, None] == self.species_).sum(axis=0) for a in frames], dtype=float)
