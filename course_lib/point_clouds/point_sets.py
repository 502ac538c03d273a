"""What a network of sets sees: many sets as one list of points and one list of owners.

Nothing is padded: the points of all sets stand end to end, `sets` says whose they are, and a sum over the points of a set is
a scatter. So the other sets of a batch never change what is said of one, whatever their sizes.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from ase import Atoms

from course_lib.learning import Network
from course_lib.structures import point_arrays
from course_lib.symmetry import Symmetry

S_N_INVARIANT = Symmetry(permutation=True, translation=False, rotation=False, inversion=False, periodic=False)
"""Of a set of points, nothing more: S_n, scalar."""
POOLINGS = {"sum": "sum", "mean": "mean", "max": "amax"}


@dataclass(frozen=True, eq=False)
class PointSets:
    """M sets, N points in all; tensors on one device.

    values: (N, d)
    sets: (N,) int64 ascending, which set a point belongs to; no set is empty
    n_sets: M
    """

    values: torch.Tensor
    sets: torch.Tensor
    n_sets: int

    @classmethod
    def from_arrays(cls, arrays: Sequence[np.ndarray], dtype: torch.dtype | None = None,
                    device: torch.device | str | None = None) -> "PointSets":
        """Put arrays (n_i, d) end to end; `dtype` is torch's default unless given. They must be what `point_arrays` gives."""
        sizes = torch.tensor([len(points) for points in arrays])
        values = torch.as_tensor(np.concatenate(arrays), dtype=dtype or torch.get_default_dtype())
        return cls(values.to(device), torch.arange(len(arrays)).repeat_interleave(sizes).to(device), len(arrays))

    @property
    def sizes(self) -> torch.Tensor:
        """(M,) points a set."""
        return self.sets.bincount(minlength=self.n_sets)

    def pool(self, values: torch.Tensor, how: str) -> torch.Tensor:
        """(M, c): the sum, mean or maximum of values (N, c) over the points of each set."""
        return pool(values, self.sets, self.n_sets, how)

    def padded(self, values: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(M, n, c) with n the size of the largest set, zeros after the end of a smaller one, and (M, n), where they are."""
        sizes = self.sizes
        absent = torch.arange(int(sizes.max()), device=sizes.device) >= sizes[:, None]
        dense = values.new_zeros(*absent.shape, values.shape[1]).index_put(((~absent).nonzero(as_tuple=True)), values)
        return dense, absent

    def tuples(self, k: int) -> torch.Tensor:
        """(T, k), every ordered choice of k different points of one set, as rows of `values`: n!/(n − k)! of a set of n.

        They come ordered by set. Raises ValueError for a set of fewer than k points.
        """
        self._hold(k)
        sizes, firsts, rows = self.sizes, self._firsts(), torch.arange(len(self.sets), device=self.sets.device)
        found = rows[:, None]
        for _ in range(k - 1):
            sets = self.sets[found[:, 0]]
            each = sizes[sets]
            start = each.cumsum(0) - each
            longer = found.repeat_interleave(each, dim=0)
            last = torch.arange(len(longer), device=rows.device) - start.repeat_interleave(each) + firsts[
                sets].repeat_interleave(each)
            new = (longer != last[:, None]).all(dim=1)
            found = torch.cat([longer[new], last[new, None]], dim=1)
        return found

    def orders(self, samples: int, always: bool = False) -> torch.Tensor:
        """(samples, N): rows of `values`, those of each set where they were but in random order.

        `always`: the same ones at every call, whatever the other sets; sets of one size are then shuffled alike.
        """
        if always:
            places = torch.arange(len(self.sets), device=self.sets.device) - self._firsts()[self.sets]
            generator = torch.Generator().manual_seed(0)
            keys = torch.rand(int(self.sizes.max()), samples, generator=generator, dtype=torch.float64).to(places.device)
            keys = keys[places].T
        else:
            keys = torch.rand(samples, len(self.sets), dtype=torch.float64, device=self.sets.device)
        return (self.sets + keys).argsort(dim=1)

    def sampled_tuples(self, k: int, samples: int, always: bool = False) -> torch.Tensor:
        """(M samples, k): the first k points of every set in `samples` such orders. Raises as `tuples` does."""
        self._hold(k)
        places = self._firsts()[:, None] + torch.arange(k, device=self.sets.device)
        return self.orders(samples, always)[:, places].flatten(0, 1)

    def _firsts(self) -> torch.Tensor:
        """(M,) rows where the sets begin."""
        return self.sizes.cumsum(0) - self.sizes

    def _hold(self, k: int) -> None:
        if k < 1 or (self.sizes < k).any():
            small = int(self.sizes.argmin())
            raise ValueError(f"set {small} of the batch has {int(self.sizes[small])} points, too few to choose k = {k} of them")


def pool(values: torch.Tensor, owners: torch.Tensor, n_owners: int, how: str) -> torch.Tensor:
    """(n_owners, c): the sum, mean or maximum of the rows of values (T, c) of each of `owners` (T,)."""
    if how == "sum":
        return values.new_zeros(n_owners, values.shape[1]).index_add(0, owners, values)
    return values.new_zeros(n_owners, values.shape[1]).scatter_reduce(
        0, owners[:, None].expand_as(values), values, POOLINGS[how], include_self=False)


class SetNetwork(Network):
    """Base of the networks of this room that see a set: forward(sets: PointSets) gives (M, outputs)."""

    symmetry: Symmetry = S_N_INVARIANT

    def __init__(self, outputs: int, dimension: int) -> None:
        super().__init__()
        self.outputs, self.dimension = outputs, dimension

    def prepare(self, items: Sequence[Atoms | np.ndarray]) -> list[np.ndarray]:
        """What is computed once of every item; see `point_arrays`."""
        return point_arrays(items, self.dimension)

    def batch(self, prepared: Sequence[np.ndarray], dtype: torch.dtype | None = None,
              device: torch.device | str | None = None) -> PointSets:
        """What forward takes."""
        return PointSets.from_arrays(prepared, dtype, device)


class Standardised(torch.nn.Module):
    """s (x − μ) / w of each of n features: mean and standard deviation over the training set, once `learn` has seen it.

    With a `sharpness` s above 1 fresh networks behind it vary faster, and learn fine detail sooner.
    """

    def __init__(self, n: int, sharpness: float = 1.0) -> None:
        super().__init__()
        self.sharpness = sharpness
        self.register_buffer("mean", torch.zeros(n))
        self.register_buffer("width", torch.ones(n))

    @torch.no_grad()
    def learn(self, batches: Iterable[torch.Tensor]) -> None:
        """A feature that never varies keeps width 1."""
        values = torch.cat(list(batches))
        width = values.std(dim=0, correction=0)
        self.mean.copy_(values.mean(dim=0))
        self.width.copy_(torch.where(width > 1e-6 * (1 + self.mean.abs()), width, 1))

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        return self.sharpness * (values - self.mean) / self.width


def mlp(*widths: int) -> torch.nn.Sequential:
    """Linear maps between these widths with SiLU between them."""
    layers = [layer for sizes in pairwise(widths) for layer in (torch.nn.Linear(*sizes), torch.nn.SiLU())]
    return torch.nn.Sequential(*layers[:-1])
