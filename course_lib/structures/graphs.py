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
from ase.geometry import complete_cell

from course_lib.structures.validation import check_structures

MOST_BOXES = 1e5
"""With more of them vesin 0.6.2 divides by zero where space is flat or partly periodic, which ends the process."""

MOST_IMAGES = 1e5
"""Of one atom around another; with more of them a pair of atoms would fill the memory."""


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
    Raises ValueError for a cutoff that is not positive and finite, for two atoms at one place, for a cell that is tiny beside
    the cutoff, and what `check_structures` raises.
    """
    check_cutoff(cutoff)
    check_structures(frames)
    from vesin import NeighborList  # it brings torch along

    search = NeighborList(cutoff=cutoff, full_list=True, sorted=True, n_threads=1)
    graphs = []
    for index, atoms in enumerate(frames):
        cell = atoms.cell[:]
        _check_images(index, atoms, cutoff)
        positions, tight, turns = atoms.positions, cell, None
        search.cutoff = cutoff
        if _boxes(positions, cell, atoms.pbc, cutoff) > MOST_BOXES:
            positions, tight, turns = _drawn_together(atoms, cutoff)
            search.cutoff = 1.001 * cutoff  # which rounding cannot hide; then by the true distances
            while _boxes(positions, tight, atoms.pbc, search.cutoff) > MOST_BOXES:
                search.cutoff *= 1.5
        receivers, senders, images, distances = search.compute(positions, tight, atoms.pbc, "ijSd")
        if turns is not None:
            images = images + turns[receivers] - turns[senders]
            distances = np.linalg.norm(atoms.positions[senders] + images @ cell - atoms.positions[receivers], axis=1)
            near = distances < cutoff
            receivers, senders, images, distances = receivers[near], senders[near], images[near], distances[near]
        if not distances.all():
            edge = np.argmin(distances)
            raise ValueError(f"frame {index}: atoms {receivers[edge]} and {senders[edge]} are at the same place; "
                             "move or delete one.")
        graphs.append(NeighbourGraph(atoms.positions.copy(), atoms.numbers.copy(), senders.astype(np.int64),
                                     receivers.astype(np.int64), images @ cell, cell.copy()))
    return graphs


def _boxes(positions: np.ndarray, cell: np.ndarray, pbc: np.ndarray, width: float) -> float:
    """How many of this width there are at the most in the space that the atoms and the cell span."""
    return (np.where(pbc, np.linalg.norm(cell, axis=1), np.linalg.norm(np.ptp(positions, axis=0))) / width + 3).prod()


def _planes(atoms: Atoms) -> tuple[np.ndarray, np.ndarray]:
    """The cell, with unit vectors for the directions that do not repeat, and the distances between its opposite faces."""
    cell = complete_cell(np.where(atoms.pbc[:, None], atoms.cell[:], 0.0))
    return cell, 1 / np.linalg.norm(np.linalg.inv(cell), axis=0)


def _check_images(index: int, atoms: Atoms, cutoff: float) -> None:
    images = (2 * cutoff / _planes(atoms)[1][atoms.pbc] + 1).prod() if atoms.pbc.any() else 1
    if images > MOST_IMAGES:
        raise ValueError(f"frame {index}: in a cell of {np.round(atoms.cell.lengths(), 6).tolist()} Å an atom meets some "
                         f"{images:.0e} images of every other within {cutoff} Å; see whether the cell is in Å.")


def _drawn_together(atoms: Atoms, cutoff: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Positions and cell with the same neighbours and less void: layers without atoms, parallel to faces of the cell, which
    are thicker than the cutoff are made as thin. Also by how many cell vectors each atom was brought into the cell.
    """
    cell, heights = _planes(atoms)
    depths = atoms.positions @ np.linalg.inv(cell) * heights  # Å from the three faces
    turns = np.floor(depths / heights).astype(int) * atoms.pbc
    depths -= turns * heights
    thin = heights.copy()
    for axis in range(3):
        order = np.argsort(depths[:, axis])
        sorted_ = depths[order, axis]
        void = np.clip(np.diff(sorted_, append=sorted_[0] + heights[axis]) - 1.01 * cutoff, 0, None)
        depths[order[1:], axis] -= np.cumsum(void[:-1])
        thin[axis] -= void.sum()
    directions = cell / heights[:, None]
    return depths @ directions, np.where(atoms.pbc[:, None], directions * thin[:, None], 0.0), turns


def check_cutoff(cutoff: float) -> None:
    """Raises ValueError unless `cutoff` is a positive, finite length."""
    if not (np.isfinite(cutoff) and cutoff > 0):
        raise ValueError(f"the cutoff must be a positive length in Å, got {cutoff}.")
