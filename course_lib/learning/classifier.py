"""Classifiers made of networks: the network gives every class a score, and softmax makes probabilities of the scores.

p_c = exp(f_c) / Σ_c' exp(f_c'), trained on the mean over items of −log p of the true class (cross-entropy), by the same
`Trainer` as potentials.
"""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import torch
from ase import Atoms
from sklearn.base import ClassifierMixin
from sklearn.metrics import accuracy_score
from sklearn.utils.multiclass import check_classification_targets

from course_lib.learning.items import ItemEstimator
from course_lib.learning.network import Network
from course_lib.learning.training import Errors

Labels = Sequence[Any] | str


class NetworkClassifier(ClassifierMixin, ItemEstimator):
    """A scikit-learn classifier of any `Network` that says what it takes. Items are `ase.Atoms`, arrays of points, or images.

    Arguments are those of `ItemEstimator`. The network has `outputs`, the number of classes, and its forward gives scores
    (M, outputs). A `penalty` (M,) that it leaves behind is added to the loss.

    Labels y are one an item, or the name under which the items, then `ase.Atoms`, have them in `info`.
    Fitted: `classes_`, `weights_`, and, made of these, `network_` and `history_`.
    """

    _FITTED = "labels_"

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
        return torch.softmax(self._said(items), dim=1).numpy(force=True)

    def predict(self, items: Sequence[Any]) -> np.ndarray:
        """(M,) the most probable class of each item."""
        best = self.predict_proba(items).argmax(axis=1)
        return self.classes_[best]

    def score(self, items: Sequence[Any], y: Labels, sample_weight: np.ndarray | None = None) -> float:
        """Accuracy, the fraction of items in their true class."""
        return float(accuracy_score(_labels(items, y), self.predict(items), sample_weight=sample_weight))

    def _labelled(self, items: Sequence[Any], truth: np.ndarray) -> list[tuple[Any, int]]:
        numbers = {label: number for number, label in enumerate(self.labels_)}
        unknown = set(truth.tolist()) - set(numbers)
        if unknown:
            raise ValueError(f"validation has classes {sorted(unknown)} that training has not; its classes are {self.labels_}")
        return list(zip(self.network.prepare(items), map(numbers.get, truth.tolist()), strict=True))

    def _batch(self, items: Sequence[tuple[Any, int]]) -> Any:
        return self._together([item for item, _ in items])

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
