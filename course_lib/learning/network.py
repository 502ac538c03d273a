"""Networks as scikit-learn sees them: built from a description, trained by a seed, kept as text and arrays.

A `Network` is a torch module that can be taken apart into constructor arguments and weights. What is common to
estimators made of one, whether they predict energies or classes, is in `NetworkEstimator`.
"""

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from os import PathLike
from typing import Any

import pandas as pd
import torch
from sklearn.base import BaseEstimator, clone

from course_lib.learning.training import Errors, Progress, Trainer
from course_lib.symmetry.declaration import E3_INVARIANT, Symmetry


class Network(BaseEstimator, torch.nn.Module):
    """Base of every network. A subclass keeps each constructor argument, unchanged, under its own name, as estimators do.

    Then `clone` gives the same network with fresh weights, grid search varies its arguments, and a checkpoint is text and
    arrays. A network of atoms has a `cutoff` (Å), the `species` it knows (atomic numbers), and `forward(batch)`, which
    gives the energies of the atoms (N,).
    """

    symmetry: Symmetry = E3_INVARIANT
    """What it claims of its output. The audit measures it."""

    def adapt(self, batches: Iterable[Any]) -> None:
        """See the training data once before training, to set buffers: means, widths, numbers of neighbours."""


class NetworkEstimator(BaseEstimator):
    """What a potential and a classifier made of a network share.

    A subclass has the constructor arguments `network`, `trainer`, `dtype`, `device`, `random_state` and `warm_start`.
    Fitted: `weights_`, arrays by name, and `epochs_`, a row an epoch.
    """

    @abstractmethod
    def _batch(self, items: Sequence[Any]) -> Any:
        """What the network's forward takes."""

    @abstractmethod
    def _loss(self, network: Network, items: Sequence[Any]) -> Errors:
        """How wrong the network is on some items, as `Trainer.train` wants it."""

    @property
    def history_(self) -> pd.DataFrame:
        """A row an epoch: learning rate, training and validation errors, whether its weights were kept, and its seconds."""
        return pd.DataFrame(self.epochs_)

    @property
    def network_(self) -> Network:
        """The trained network, in evaluation mode. Raises ValueError if `weights_` are those of another network."""
        state = self.weights_, self.dtype, self.device
        if not hasattr(self, "_ready") or any(a is not b for a, b in zip(state, self._ready[0], strict=True)):
            with self._surroundings():
                self._ready = state, self._loaded(self._fresh()).eval()
        return self._ready[1]

    def _train(self, items: Sequence[Any], validation: Sequence[Any] | None, progress: Progress,
               resume: str | PathLike | None = None) -> None:
        trainer = Trainer() if self.trainer is None else self.trainer
        trainer.check(validation)
        with self._surroundings():
            network = self._fresh()
            if self._warm():
                self._loaded(network)
            else:
                starts = range(0, len(items), trainer.batch_size)
                network.adapt(self._batch(items[start:start + trainer.batch_size]) for start in starts)
            try:
                self.epochs_ = trainer.train(network, self._loss, items, validation, progress, resume, self._settings())
            finally:
                self.weights_ = {name: tensor.numpy(force=True) for name, tensor in network.state_dict().items()}

    def _settings(self) -> dict[str, Any]:
        """What decides the end of a training beside data, trainer and first weights."""
        own = {name: value for name, value in self.get_params(deep=False).items()
               if name not in ("network", "trainer", "device", "warm_start", "atoms_at_once", "items_at_once")}
        described = self._described().get_params()
        return own | {"network": type(self.network).__name__} | {f"network {name}": described[name] for name in described}

    def _warm(self) -> bool:
        return self.warm_start and hasattr(self, "weights_")

    def _fresh(self) -> Network:
        return clone(self._described()).to(self.device)

    def _described(self) -> Network:
        if not isinstance(self.network, Network):
            raise TypeError(f"the network is a {type(self.network).__name__}; it must derive from course_lib.learning.Network, "
                            "so that every fit and every checkpoint can build it anew")
        return self.network

    def _loaded(self, network: Network) -> Network:
        try:
            network.load_state_dict({name: torch.as_tensor(array) for name, array in self.weights_.items()})
        except RuntimeError as error:
            raise ValueError(f"the weights are those of another {type(network).__name__}, or of another version of it; "
                             f"train it again: {error}") from error
        return network

    @contextmanager
    def _surroundings(self) -> Iterator[None]:
        """Within, random numbers follow the seed and new tensors have the dtype; the caller's are untouched."""
        if self.dtype not in ("float32", "float64"):
            raise ValueError(f"dtype is {self.dtype!r}; it must be 'float32' or 'float64'")
        before = torch.get_default_dtype()
        with torch.random.fork_rng():
            torch.manual_seed(self.random_state)
            torch.set_default_dtype(getattr(torch, self.dtype))
            try:
                yield
            finally:
                torch.set_default_dtype(before)
