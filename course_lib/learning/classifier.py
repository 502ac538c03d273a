"""Classifiers made of networks: the network gives every class a score, and softmax makes probabilities of the scores.

p_c = exp(f_c) / Σ_c' exp(f_c'), trained on the mean over items of −log p of the true class (cross-entropy), by the same
`Trainer` as potentials.
"""

from collections.abc import Sequence
from os import PathLike
from typing import Any, Self

import numpy as np
import torch
from ase import Atoms
from sklearn.base import ClassifierMixin
from sklearn.metrics import accuracy_score
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted

from course_lib.learning import checkpoint
from course_lib.learning.network import Network, NetworkEstimator
from course_lib.learning.training import Errors, Trainer
from course_lib.symmetry.declaration import Symmetry

Labels = Sequence[Any] | str


class NetworkClassifier(ClassifierMixin, NetworkEstimator):
    """A scikit-learn classifier of any `Network` that says what it takes. Items are `ase.Atoms`, arrays of points, or images.

    network: what to train. It has `outputs`, the number of classes; `prepare(items)`, a list of what is computed once of each
        item, which refuses what it cannot take; `batch(prepared, dtype, device)`, what its forward takes; and
        `forward(batch)`, scores (M, outputs). A `penalty` (M,) that it leaves behind is added to the loss. Every fit
        builds it anew, its weights drawn from `random_state`, and leaves this one alone
    trainer: how to train, `Trainer()` by default
    dtype, device: "float32" or "float64"; "cpu", "cuda", …; both may be changed after fitting and after loading
    warm_start: fit goes on from the weights of the last fit, be it one that was interrupted
    items_at_once: `predict` takes so many items together, which bounds its memory

    Labels y are one an item, or the name under which the items, then `ase.Atoms`, have them in `info`.
    Fitted: `classes_`, `weights_`, and, made of these, `network_` and `history_`.
    """

    def __init__(self, network: Network, trainer: Trainer | None = None, *, dtype: str = "float32", device: str = "cpu",
                 random_state: int = 0, warm_start: bool = False, items_at_once: int = 256) -> None:
        self.network, self.trainer, self.dtype, self.device = network, trainer, dtype, device
        self.random_state, self.warm_start, self.items_at_once = random_state, warm_start, items_at_once

    @property
    def symmetry(self) -> Symmetry:
        """The network's; hold `predict_proba` to it."""
        return self.network.symmetry

    @property
    def classes_(self) -> np.ndarray:
        """(C,) labels in ascending order. Raises AttributeError before `fit`."""
        return np.array(self.labels_)

    def fit(self, items: Sequence[Any], y: Labels, validation: tuple[Sequence[Any], Labels] | None = None,
            progress: bool = True) -> Self:
        """Learn from items with labels; the `validation` pair (items, y) is for choices made on the way.

        Raises ValueError for labels that are missing or of one class only, validation labels that training has not, a
        network with another number of `outputs`, and what the network's `prepare` refuses.
        """
        truth = _labels(items, y)
        check_classification_targets(truth)
        labels = np.unique(truth).tolist()
        outputs, name = self._described().outputs, type(self.network).__name__
        if len(labels) < 2 or len(labels) != outputs:
            raise ValueError(f"{len(labels)} classes, {labels}, for a {name} with {outputs} outputs; there must be as many, "
                             "and two or more")
        if self._warm() and labels != getattr(self, "labels_", labels):
            raise ValueError(f"warm_start goes on with the classes {self.labels_}, not with {labels}")
        self.labels_ = labels
        try:
            self._train(self._labelled(items, truth),
                        self._labelled(validation[0], _labels(*validation)) if validation is not None else None, progress)
        except BaseException:
            del self.labels_  # what was half learned is not fitted
            raise
        return self

    def predict_proba(self, items: Sequence[Any]) -> np.ndarray:
        """(M, C) probabilities in the order of `classes_`. Raises NotFittedError before `fit`, and what `prepare` raises."""
        check_is_fitted(self, "labels_")
        network, prepared = self.network_, self._described().prepare(items)
        with torch.no_grad():
            return np.concatenate([torch.softmax(network(network.batch(
                prepared[start:start + self.items_at_once], getattr(torch, self.dtype), self.device)), dim=1).numpy(force=True)
                for start in range(0, len(prepared), self.items_at_once)])

    def predict(self, items: Sequence[Any]) -> np.ndarray:
        """(M,) the most probable class of each item."""
        best = self.predict_proba(items).argmax(axis=1)
        return self.classes_[best]

    def score(self, items: Sequence[Any], y: Labels, sample_weight: np.ndarray | None = None) -> float:
        """Accuracy, the fraction of items in their true class."""
        return float(accuracy_score(_labels(items, y), self.predict(items), sample_weight=sample_weight))

    def save(self, path: str | PathLike) -> None:
        """Write one safetensors file, which appears whole or not at all. Raises NotFittedError before `fit`."""
        check_is_fitted(self, "labels_")
        checkpoint.save(self, path)

    @classmethod
    def load(cls, path: str | PathLike) -> Self:
        """Read what `save` wrote. Raises FileNotFoundError, and ValueError for another class's file, a damaged file, and
        one of a newer format.
        """
        return checkpoint.load(path, cls)

    def _labelled(self, items: Sequence[Any], truth: np.ndarray) -> list[tuple[Any, int]]:
        numbers = {label: number for number, label in enumerate(self.labels_)}
        unknown = set(truth.tolist()) - set(numbers)
        if unknown:
            raise ValueError(f"validation has classes {sorted(unknown)} that training has not; its classes are {self.labels_}")
        return list(zip(self.network.prepare(items), map(numbers.get, truth.tolist()), strict=True))

    def _batch(self, items: Sequence[tuple[Any, int]]) -> Any:
        return self.network.batch([item for item, _ in items], getattr(torch, self.dtype), self.device)

    def _loss(self, network: Network, items: Sequence[tuple[Any, int]]) -> Errors:
        scores = network(self._batch(items))
        if scores.shape != (len(items), network.outputs):
            raise ValueError(f"{type(network).__name__} gave scores of shape {tuple(scores.shape)} for {len(items)} items; "
                             f"{network.outputs} an item are needed")
        truth = torch.tensor([label for _, label in items], device=scores.device)
        loss = torch.nn.functional.cross_entropy(scores, truth, reduction="none")
        return {"loss": loss + getattr(network, "penalty", 0.0),
                "error rate (%)": 100 * (scores.argmax(dim=1) != truth).to(scores.dtype)}


def _labels(items: Sequence[Any], y: Labels) -> np.ndarray:
    """(M,) one an item."""
    if isinstance(y, str):
        missing = [index for index, item in enumerate(items) if not (isinstance(item, Atoms) and y in item.info)]
        if missing:
            raise ValueError(f"item {missing[0]} has no {y!r} in its info; give a label an item instead")
        y = [item.info[y] for item in items]
    y = np.asarray(y)
    if y.shape != (len(items),):
        raise ValueError(f"labels have shape {y.shape} for {len(items)} items; one label an item is needed")
    return y
