"""Who is near whom: one neighbour graph a frame, computed once and kept.

An edge points from a sender (the neighbour) to a receiver (the centre) and carries the periodic image vector of the sender,
so that its vector, from centre to neighbour, is `positions[senders] + shifts − positions[receivers]`. Every pair of
atoms closer than the cutoff makes two edges; a neighbour whose images lie within the cutoff makes one a piece, and so
do an atom's own images.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from ase import Atoms

from course_lib.structures.validation import check_structures

MOST_BOXES = 1e5
"""With more of them vesin 0.6.2 divides by zero where space is flat or partly periodic, which ends the process."""


@dataclass(frozen=True, eq=False)
class NeighbourGraph:
    """One frame and its edges, in NumPy.

    positions: (N, 3) Å
    species: (N,) atomic numbers
    senders, receivers: (E,) indices of atoms, ordered by receiver
    shifts: (E, 3) Å, integer combinations of the rows of `cell`
    cell: (3, 3) Å, a vector a row; zeros where there is none
    """

    positions: np.ndarray
    species: np.ndarray
    senders: np.ndarray
    receivers: np.ndarray
    shifts: np.ndarray
    cell: np.ndarray

    def edge_vectors(self) -> np.ndarray:
        """(E, 3) Å, from receiver to sender."""
        return self.positions[self.senders] + self.shifts - self.positions[self.receivers]


def neighbour_graphs(frames: Sequence[Atoms], cutoff: float) -> list[NeighbourGraph]:
    """The graph of every frame: all pairs closer than `cutoff` (Å), by the library `vesin`.

    Molecules, slabs and crystals may be mixed, and cells may be smaller than the cutoff. Compute it once a data set and
    keep the list; `AtomBatch.from_graphs` then makes batches of it without looking for neighbours again.
    Raises ValueError for a cutoff that is not positive and finite, for two atoms at one place, and what `check_structures`
    raises.
    """
    check_cutoff(cutoff)
    check_structures(frames)
    from vesin import NeighborList  # it brings torch along

    search = NeighborList(cutoff=cutoff, full_list=True, sorted=True, n_threads=1)
    graphs = []
    for index, atoms in enumerate(frames):
        cell = atoms.cell[:]
        search.cutoff = reach = _reach(atoms, cutoff)
        receivers, senders, images, distances = search.compute(atoms.positions, cell, atoms.pbc, "ijSd")
        if reach > cutoff:
            near = distances < cutoff
            receivers, senders, images, distances = receivers[near], senders[near], images[near], distances[near]
        if not distances.all():
            edge = np.argmin(distances)
            raise ValueError(f"frame {index}: atoms {receivers[edge]} and {senders[edge]} are at the same place; "
                             "move or delete one.")
        graphs.append(NeighbourGraph(atoms.positions.copy(), atoms.numbers.copy(), senders.astype(np.int64),
                                     receivers.astype(np.int64), images @ cell, cell.copy()))
    return graphs


def _reach(atoms: Atoms, cutoff: float) -> float:
    """The cutoff, or as much more as makes boxes of that width few enough in the space that the atoms and the cell span."""
    spans = np.where(atoms.pbc, atoms.cell.lengths(), np.linalg.norm(np.ptp(atoms.positions, axis=0)))
    while (spans / cutoff + 3).prod() > MOST_BOXES:
        cutoff *= 1.5
    return cutoff


def check_cutoff(cutoff: float) -> None:
    """Raises ValueError unless `cutoff` is a positive, finite length."""
    if not (np.isfinite(cutoff) and cutoff > 0):
        raise ValueError(f"the cutoff must be a positive length in Å, got {cutoff}.")
