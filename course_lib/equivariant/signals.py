"""Networks of signals: numbers at the vertices of one surface, which never changes."""

from abc import abstractmethod
from collections.abc import Sequence

import numpy as np
import torch

from course_lib.learning import Network
from course_lib.symmetry import Symmetry


class SignalNetwork(Network):
    """Base of networks whose forward takes scalar signals (M, V), for classifiers. A subclass has `size`, V.

    None of the classes of group element that the audit of atoms knows is claimed: what turns here is the signal on its surface.
    """

    symmetry: Symmetry = Symmetry(permutation=False, translation=False, rotation=False, inversion=False, periodic=False)

    @property
    @abstractmethod
    def size(self) -> int:
        """V, how many values a signal has."""

    def prepare(self, items: Sequence[np.ndarray]) -> list[np.ndarray]:
        """The signals, (V,) each. Raises ValueError for another shape, and for values that are no finite numbers."""
        signals = [np.asarray(item) for item in items]
        for index, signal in enumerate(signals):
            if signal.shape != (self.size,) or signal.dtype.kind not in "fiub":
                raise ValueError(f"item {index} is of shape {signal.shape} and {signal.dtype}; a signal of this "
                                 f"{type(self).__name__} is {self.size} numbers, one at each vertex")
            if not np.isfinite(signal).all():
                vertex = int(np.argmin(np.isfinite(signal)))
                raise ValueError(f"item {index}, vertex {vertex} is not finite: {signal[vertex]}; mend it or leave it out")
        return signals

    def batch(self, prepared: Sequence[np.ndarray], dtype: torch.dtype | None = None,
              device: torch.device | str | None = None) -> torch.Tensor:
        """(M, V), what forward takes."""
        return torch.as_tensor(np.array(prepared), dtype=dtype or torch.get_default_dtype(), device=device)
