"""Neighbours of a frame that moves: looked for within cutoff + skin, and kept until they might be wrong.

As long as no atom has moved by half the skin or more, no pair can have come from beyond cutoff + skin to within the cutoff,
so the old list holds every edge, and its distances say which. Verlet, Phys. Rev. 159, 98 (1967).
"""

from dataclasses import replace

import numpy as np
from ase import Atoms

from course_lib.structures.graphs import NeighbourGraph, check_cutoff, neighbour_graphs


class VerletList:
    """The graph of a frame step by step, the same as `neighbour_graphs` makes of it.

    cutoff, skin: Å; without a skin every step is a search
    `searches` counts the searches. Raises ValueError for a skin that is negative or not finite.
    """

    def __init__(self, cutoff: float, skin: float = 0.5) -> None:
        check_cutoff(cutoff)
        if not (np.isfinite(skin) and skin >= 0):
            raise ValueError(f"the skin must be a finite length of 0 or more in Å, got {skin}.")
        self.cutoff, self.skin, self.searches = cutoff, skin, 0

    def graph(self, atoms: Atoms) -> NeighbourGraph:
        """All pairs closer than the cutoff. Raises what `neighbour_graphs` raises."""
        if not (self.searches and self._holds(atoms)):
            self._wide, = neighbour_graphs([atoms], self.cutoff + self.skin)
            self._pbc = atoms.pbc.copy()
            self.searches += 1
        moved = replace(self._wide, positions=atoms.positions.copy())
        lengths = np.linalg.norm(moved.edge_vectors(), axis=1)
        if not lengths.all():
            neighbour_graphs([atoms], self.cutoff)  # which names the two atoms at one place
        near = lengths < self.cutoff
        return replace(moved, senders=moved.senders[near], receivers=moved.receivers[near], shifts=moved.shifts[near])

    def _holds(self, atoms: Atoms) -> bool:
        old = self._wide
        return bool(np.array_equal(old.species, atoms.numbers) and np.array_equal(self._pbc, atoms.pbc)
                    and np.array_equal(old.cell, atoms.cell)
                    and (np.square(atoms.positions - old.positions).sum(axis=1) < (self.skin / 2) ** 2).all())
