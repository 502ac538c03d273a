"""Bare points: what methods see that know positions and nothing else."""

from collections.abc import Sequence

import numpy as np
from ase import Atoms


def point_arrays(items: Sequence[Atoms | np.ndarray], dimension: int) -> list[np.ndarray]:
    """(n_i, dimension) for every item: the points of an array, or the positions of a molecule of one element.

    Raises ValueError, or TypeError, naming the item, for what has another shape, no points, or values that are not finite,
    and for frames that are periodic or have several elements, of which a bare set of positions would know nothing.
    """
    if isinstance(items, Atoms):
        raise TypeError("expected a list of sets, got one ase.Atoms; write [atoms].")
    if not len(items):
        raise ValueError("the list of sets is empty; at least one is needed.")
    found = []
    for index, item in enumerate(items):
        if isinstance(item, Atoms):
            if item.pbc.any() or len(set(item.numbers)) > 1:
                what = "is periodic" if item.pbc.any() else "has several elements"
                raise ValueError(f"item {index}, {item.symbols}, {what}, which a bare set of positions cannot say; "
                                 "give arrays of what the network shall see of each atom.")
            item = item.positions
        points = np.asarray(item)
        if points.dtype.kind not in "fiub" or points.ndim != 2 or points.shape[1] != dimension or not len(points):
            raise ValueError(f"item {index} is of shape {points.shape} and {points.dtype}; the network takes sets of one or "
                             f"more points, each a row of {dimension} numbers: set its `dimension`, or give such rows.")
        if not np.isfinite(points).all():
            row = int(np.argmin(np.isfinite(points).all(axis=1)))
            raise ValueError(f"item {index}, point {row} is not finite: {points[row].tolist()}; mend it or leave it out.")
        found.append(points)
    return found
