"""Vectors and tensors of whole structures from networks: what is learned turns with the structure, because the network does.

y = b + s f: f is what the network says, s the root mean square of what b leaves of the labels. A constant vector would not
turn, so of vectors b = 0; of tensors it is isotropic, Σ_i ε_{s_i} 1, as much for each element as least squares finds. Trained
on the mean over structures of ‖Δy‖², in units of s², by the same `Trainer` as potentials.
"""

from collections.abc import Sequence
from os import PathLike
from typing import Any, NamedTuple, Self

import numpy as np
from ase import Atoms
from sklearn.base import RegressorMixin
from sklearn.metrics import r2_score

from course_lib.learning.items import ItemEstimator
from course_lib.learning.network import Network
from course_lib.learning.training import Errors, Progress
from course_lib.structures import check_structures
from course_lib.symmetry import to_spherical


class Target(NamedTuple):
    """A structure as its network prepared it, and what the network shall say of it."""

    prepared: Any
    values: np.ndarray


class NetworkRegressor(RegressorMixin, ItemEstimator):
    """Learns one vector or one symmetric tensor a structure, in any unit.

    Arguments are those of `ItemEstimator`. The network's `symmetry.output` is "vector" or "tensor", it has `species`, and its
    forward gives (M, 3) or (M, 3, 3). With `warm_start` constants and scale are kept too.

    Fitted: `constants_` (ε, one for each of the network's species), `scale_` (s), `weights_`, and, made of these, `network_`
    and `history_`.
    """

    _FITTED = "weights_"

    def fit(self, frames: Sequence[Atoms], y: np.ndarray, validation: tuple[Sequence[Atoms], np.ndarray] | None = None,
            progress: Progress = True, *, resume: str | PathLike | None = None) -> Self:
        """Learn y, (M, 3) or (M, 3, 3), of frames; the `validation` pair (frames, y) is for choices made on the way.

        `progress` and `resume` are those of `Trainer.train`. Raises ValueError for labels of another shape or number, not
        finite or not symmetric, and what the network's `prepare` refuses.
        """
        y = self._checked(frames, y)
        held_out = None if validation is None else self._checked(*validation)
        if not self._warm():
            counts, left = self._counts(frames), y
            self.constants_ = np.zeros(counts.shape[1])
            if self._output == "tensor":
                self.constants_ = np.linalg.lstsq(counts, np.trace(y, axis1=1, axis2=2) / 3)[0]
                left = y - self._constant(frames)
            self.scale_ = float(np.sqrt(np.mean(np.square(left)))) or 1.0
        self._train(self._targets(frames, y), validation and self._targets(validation[0], held_out), progress, resume)
        return self

    def predict(self, frames: Sequence[Atoms]) -> np.ndarray:
        """(M, 3) or (M, 3, 3), in the unit of the labels. Raises NotFittedError before `fit`, and what `prepare` raises."""
        said = self._said(frames).numpy(force=True)
        return self._constant(frames).astype(said.dtype) + said.dtype.type(self.scale_) * said

    def score(self, frames: Sequence[Atoms], y: np.ndarray, sample_weight: np.ndarray | None = None) -> float:
        """The coefficient of determination R² over all components."""
        flat = (np.reshape(values, (len(frames), -1)) for values in (self._checked(frames, y), self.predict(frames)))
        return float(r2_score(*flat, sample_weight=sample_weight, multioutput="variance_weighted"))

    @property
    def _output(self) -> str:
        return self._described().symmetry.output

    def _checked(self, frames: Sequence[Atoms], y: np.ndarray) -> np.ndarray:
        """Labels as floating-point numbers, tensors made exactly symmetric."""
        check_structures(frames, self._described().species)
        if self._output not in ("vector", "tensor"):
            raise ValueError(f"a {type(self.network).__name__} whose output is a {self._output} learns neither vectors nor "
                             "tensors; energies are learned by NetworkPotential, classes by NetworkClassifier")
        to_spherical(y, self._output)
        if len(y) != len(frames):
            raise ValueError(f"{len(y)} labels beside {len(frames)} frames")
        y = np.asarray(y, float)
        return y if self._output == "vector" else (y + y.swapaxes(1, 2)) / 2

    def _counts(self, frames: Sequence[Atoms]) -> np.ndarray:
        """(M, S) atoms of each of the network's species."""
        return np.array([(atoms.numbers[:, None] == np.array(self.network.species)).sum(axis=0) for atoms in frames], float)

    def _constant(self, frames: Sequence[Atoms]) -> np.ndarray:
        """b, of a shape that adds to (M, 3) or (M, 3, 3)."""
        totals = self._counts(frames) @ self.constants_
        return totals[:, None, None] * np.eye(3) if self._output == "tensor" else totals[:, None]

    def _targets(self, frames: Sequence[Atoms], y: np.ndarray) -> list[Target]:
        return [Target(*pair) for pair in zip(self.network.prepare(frames), (y - self._constant(frames)) / self.scale_,
                                              strict=True)]

    def _batch(self, items: Sequence[Target]) -> Any:
        return self._together([item.prepared for item in items])

    def _loss(self, network: Network, items: Sequence[Target]) -> Errors:
        said = network(self._batch(items))
        errors = said - said.new_tensor(np.array([item.values for item in items])).reshape(len(items), *said.shape[1:])
        return {"loss": errors.square().flatten(1).mean(dim=1), "MAE": self.scale_ * errors.abs()}
