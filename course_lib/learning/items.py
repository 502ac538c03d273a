"""Estimators whose network sees items of its own kind: structures, arrays of points, images."""

from collections.abc import Sequence
from os import PathLike
from typing import Any, ClassVar, Self

import torch
from sklearn.utils.validation import check_is_fitted

from course_lib.learning import checkpoint
from course_lib.learning.network import Network, NetworkEstimator
from course_lib.learning.training import Trainer
from course_lib.symmetry.declaration import Symmetry


class ItemEstimator(NetworkEstimator):
    """What classifiers and regressors made of a network share.

    network: what to train. It has `prepare(items)`, a list of what is computed once of each item, which refuses what it
        cannot take; `batch(prepared, dtype, device)`, what its forward takes; and `forward(batch)`, a row an item. Every
        fit builds it anew, its weights drawn from `random_state`, and leaves this one alone
    trainer: how to train, `Trainer()` by default
    dtype, device: "float32" or "float64"; "cpu", "cuda", …; both may be changed after fitting and after loading
    warm_start: fit goes on from the weights of the last fit, be it one that was interrupted
    items_at_once: `predict` takes so many items together, which bounds its memory
    """

    _FITTED: ClassVar[str]
    """The attribute that a finished fit leaves."""

    def __init__(self, network: Network, trainer: Trainer | None = None, *, dtype: str = "float32", device: str = "cpu",
                 random_state: int = 0, warm_start: bool = False, items_at_once: int = 256) -> None:
        self.network, self.trainer, self.dtype, self.device = network, trainer, dtype, device
        self.random_state, self.warm_start, self.items_at_once = random_state, warm_start, items_at_once

    @property
    def symmetry(self) -> Symmetry:
        """The network's. Hold a classifier's `predict_proba` to it, a regressor's `predict`."""
        return self.network.symmetry

    def save(self, path: str | PathLike) -> None:
        """Write one safetensors file, which appears whole or not at all. Raises NotFittedError before `fit`."""
        check_is_fitted(self, self._FITTED)
        checkpoint.save(self, path)

    @classmethod
    def load(cls, path: str | PathLike) -> Self:
        """Read what `save` wrote. Raises FileNotFoundError, and ValueError for another class's file, a damaged file, and
        one of a newer format.
        """
        return checkpoint.load(path, cls)

    def _said(self, items: Sequence[Any]) -> torch.Tensor:
        """(M, …) what the network says of items. Raises NotFittedError before `fit`, and what `prepare` raises."""
        check_is_fitted(self, self._FITTED)
        network, prepared = self.network_, self._described().prepare(items)
        with torch.no_grad():
            return torch.cat([network(self._together(prepared[start:start + self.items_at_once]))
                              for start in range(0, len(prepared), self.items_at_once)])

    def _together(self, prepared: Sequence[Any]) -> Any:
        return self.network.batch(prepared, getattr(torch, self.dtype), self.device)
