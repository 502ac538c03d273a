"""Vectors and tensors of whole structures from networks: what is learned turns with the structure, because the network does.

y = b + s f: f is what the network says, s the root mean square of what b leaves of the labels. A constant vector would not
turn, so of vectors b = 0; of tensors it is isotropic, Σ_i ε_{s_i} 1, as much for each element as least squares finds. Trained
on the mean over structures of ‖Δy‖², in units of s², by the same `Trainer` as potentials.
"""

from collections.abc import Sequence
from os import PathLike
from typing import Any, NamedTuple, Self

import numpy as np
import torch
from ase import Atoms
from sklearn.base import RegressorMixin
from sklearn.metrics import r2_score
from sklearn.utils.validation import check_is_fitted

from course_lib.learning import checkpoint
from course_lib.learning.network import Network, NetworkEstimator
from course_lib.learning.training import Errors, Progress, Trainer
from course_lib.structures import check_structures
from course_lib.symmetry import Symmetry, to_spherical


class Target(NamedTuple):
    """A structure as its network prepared it, and what the network shall say of it."""

    prepared: Any
    values: np.ndarray


class NetworkRegressor(RegressorMixin, NetworkEstimator):
    """Learns one vector or one symmetric tensor a structure, in any unit.

    network: what to train. Its `symmetry.output` is "vector" or "tensor"; it has `species`, `prepare(items)` and
        `batch(prepared, dtype, device)` as a classifier's has, and `forward(batch)`, (M, 3) or (M, 3, 3). Every fit builds it
        anew, its weights drawn from `random_state`, and leaves this one alone
    trainer: how to train, `Trainer()` by default
    dtype, device: "float32" or "float64"; "cpu", "cuda", …; both may be changed after fitting and after loading
    warm_start: fit goes on from the weights, constants and scale of the last fit, be it one that was interrupted
    items_at_once: `predict` takes so many structures together, which bounds its memory

    Fitted: `constants_` (ε, one for each of the network's species), `scale_` (s), `weights_`, and, made of these, `network_`
    and `history_`.
    """

    def __init__(self, network: Network, trainer: Trainer | None = None, *, dtype: str = "float32", device: str = "cpu",
                 random_state: int = 0, warm_start: bool = False, items_at_once: int = 256) -> None:
        self.network, self.trainer, self.dtype, self.device = network, trainer, dtype, device
        self.random_state, self.warm_start, self.items_at_once = random_state, warm_start, items_at_once

    @property
    def symmetry(self) -> Symmetry:
        """The network's."""
        return self.network.symmetry

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
        check_is_fitted(self, "weights_")
        network, prepared = self.network_, self._described().prepare(frames)
        with torch.no_grad():
            said = [network(network.batch(prepared[start:start + self.items_at_once], getattr(torch, self.dtype), self.device))
                    for start in range(0, len(prepared), self.items_at_once)]
        said = torch.cat(said).numpy(force=True)
        return self._constant(frames).astype(said.dtype) + said.dtype.type(self.scale_) * said

    def score(self, frames: Sequence[Atoms], y: np.ndarray, sample_weight: np.ndarray | None = None) -> float:
        """The coefficient of determination R² over all components."""
        flat = (np.reshape(values, (len(frames), -1)) for values in (self._checked(frames, y), self.predict(frames)))
        return float(r2_score(*flat, sample_weight=sample_weight, multioutput="variance_weighted"))

    def save(self, path: str | PathLike) -> None:
        """Write one safetensors file, which appears whole or not at all. Raises NotFittedError before `fit`."""
        check_is_fitted(self, "weights_")
        checkpoint.save(self, path)

    @classmethod
    def load(cls, path: str | PathLike) -> Self:
        """Read what `save` wrote. Raises FileNotFoundError, and ValueError for another class's file, a damaged file, and
        one of a newer format.
        """
        return checkpoint.load(path, cls)

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
        return self.network.batch([item.prepared for item in items], getattr(torch, self.dtype), self.device)

    def _loss(self, network: Network, items: Sequence[Target]) -> Errors:
        said = network(self._batch(items))
        errors = said - said.new_tensor(np.array([item.values for item in items])).reshape(len(items), *said.shape[1:])
        return {"loss": errors.square().flatten(1).mean(dim=1), "MAE": self.scale_ * errors.abs()}
