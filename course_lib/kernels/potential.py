"""The oldest of learned potentials: one descriptor a molecule, a kernel between descriptors, and linear algebra.

E(A) = Σ_s n_s ε_s + Σ_B c_B k(d_A, d_B): composition first, since it explains most of an energy at the price of one number
an element, then kernel ridge regression of what is left (Rupp et al., PRL 108, 058301 (2012)).
"""

from collections.abc import Sequence

import numpy as np
from ase import Atoms
from sklearn.base import TransformerMixin, clone
from sklearn.utils.validation import check_is_fitted

from course_lib.kernels.gaussian_process import GaussianProcess
from course_lib.learning import CompositionBaseline, Potential, Prediction, labels
from course_lib.structures import check_structures


class KernelPotential(Potential):
    """Energies of whole molecules, without forces, by a Gaussian process on global descriptors.

    features: a transformer of frames with one row a frame, as CoulombMatrix or BagOfBonds
    process: the Gaussian process of the energies less those of `CompositionBaseline`, eV; forces on frames are ignored
    """

    def __init__(self, features: TransformerMixin, process: GaussianProcess) -> None:
        self.features, self.process = features, process

    def _fit(self, frames: Sequence[Atoms], validation: Sequence[Atoms] | None, progress: bool) -> None:
        self.baseline_ = CompositionBaseline().fit(frames)
        self.features_ = clone(self.features).fit(frames)
        residual = labels(frames).energies - self.baseline_.predict(frames).energies
        self.process_ = clone(self.process).fit(self.features_.transform(frames), residual)

    def _predict(self, frames: Sequence[Atoms]) -> Prediction:
        rest = self.process_.predict(self.features_.transform(frames))
        return Prediction(self.baseline_.predict(frames).energies + rest)

    def deviation(self, frames: Sequence[Atoms]) -> np.ndarray:
        """(M,) eV: the standard deviation that the process claims for its energies. Raises as `predict` does."""
        check_is_fitted(self, "species_")
        check_structures(frames, self.species_)
        return self.process_.predict(self.features_.transform(frames), return_std=True)[1]

    @property
    def amplification(self) -> float:
        """How many times larger than their sum the terms c_B k(d_A, d_B) are: the audit's allowance."""
        K = self.process_.kernel_(self.process_.observed_, self.process_.observed_)
        return float((K @ np.abs(self.process_.coefficients_)).max() / np.abs(K @ self.process_.coefficients_).max())
