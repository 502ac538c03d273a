"""A potential: a function from structures to energies, whose slope is the forces, learned from labelled frames.

Scikit-learn's idea of a regressor carried over to `list[ase.Atoms]`: constructor arguments are hyperparameters and
nothing else, `fit` writes attributes that end in an underscore, so `clone`, `Pipeline` and grid search work. What is
learned is used as an ASE calculator, so molecular dynamics, relaxation and phonons work.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from os import PathLike
from typing import Any, Self

import numpy as np
from ase import Atoms
from sklearn.base import BaseEstimator
from sklearn.metrics import r2_score
from sklearn.utils.validation import check_is_fitted

from course_lib.learning import checkpoint
from course_lib.learning.calculator import PotentialCalculator
from course_lib.learning.prediction import Prediction, labels
from course_lib.structures import check_structures
from course_lib.symmetry.declaration import E3_INVARIANT, Symmetry


class Potential(BaseEstimator, ABC):
    """Base of every potential. A subclass writes `_fit` and `_predict` and may trust the frames it gets.

    Its fitted attributes end in an underscore and are arrays, numbers, strings, lists, dicts or estimators: then
    `save` needs no code of its own. `species_`, the atomic numbers met in fitting, is set for it before `_fit`.
    """

    symmetry: Symmetry = E3_INVARIANT
    """What it claims of its energy; forces and stress follow as the energy's derivatives. The audit measures it."""

    @abstractmethod
    def _fit(self, frames: Sequence[Atoms], validation: Sequence[Atoms] | None, progress: bool) -> None: ...

    @abstractmethod
    def _predict(self, frames: Sequence[Atoms]) -> Prediction: ...

    def fit(self, frames: Sequence[Atoms], validation: Sequence[Atoms] | None = None, progress: bool = True,
            **settings: Any) -> Self:
        """Learn from frames with labels; `validation` is for choices made on the way, such as when to stop; `settings`
        go to the subclass.

        Raises ValueError for an empty list, positions or labels that are missing or not finite (see `labels`), and an
        element that is in `validation` only.
        """
        labels(frames)
        species = np.unique(np.concatenate([atoms.numbers for atoms in frames]))
        if validation is not None:
            labels(validation)
            check_structures(validation, species)
        self.species_ = species
        try:
            self._fit(frames, validation, progress, **settings)
        except BaseException:
            del self.species_  # what was half learned is not fitted
            raise
        return self

    def predict(self, frames: Sequence[Atoms], **settings: Any) -> Prediction:
        """Energies, forces and stresses; `settings` go to the subclass. Raises NotFittedError before `fit`; ValueError for an
        empty list, positions that are not finite, and elements that were not in the frames of `fit`.
        """
        check_is_fitted(self, "species_")
        check_structures(frames, self.species_)
        return self._predict(frames, **settings)

    def score(self, frames: Sequence[Atoms], y: None = None) -> float:
        """R² of the energies per atom: 1 is perfect, 0 no better than their mean. Raises ValueError as `predict` and
        `labels` do, and for fewer than two frames.
        """
        truth, said = labels(frames).energies, self.predict(frames).energies
        if len(frames) == 1:
            raise ValueError("R² of one frame has no meaning; score at least two")
        atoms = np.array([len(a) for a in frames])
        return float(r2_score(truth / atoms, said / atoms))

    def calculator(self) -> PotentialCalculator:
        """An ASE calculator of this potential. Raises NotFittedError before `fit`."""
        check_is_fitted(self, "species_")
        return PotentialCalculator(self)

    def save(self, path: str | PathLike, notes: Mapping[str, Any] | None = None) -> None:
        """Write one safetensors file, which appears whole or not at all, with `notes` (JSON) of how it was made in its
        header. Raises NotFittedError before `fit`.
        """
        check_is_fitted(self, "species_")
        checkpoint.save(self, path, notes)

    @classmethod
    def load(cls, path: str | PathLike) -> Self:
        """Read what `save` wrote; `Potential.load` reads any potential. Raises FileNotFoundError, and ValueError for
        another class's file, a damaged file, and one of a newer format.
        """
        return checkpoint.load(path, cls)
