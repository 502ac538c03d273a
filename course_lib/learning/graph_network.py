"""What networks of atoms and their neighbours share: which elements they know, and how frames become what they see."""

from collections.abc import Iterable, Sequence

import numpy as np
import torch
from ase import Atoms

from course_lib.learning.network import Network
from course_lib.structures import NeighbourGraph, check_structures, neighbour_graphs, point_arrays
from course_lib.structures.batches import AtomBatch
from course_lib.structures.graphs import check_cutoff


class GraphNetwork(Network):
    """Base of networks whose forward takes an `AtomBatch`, for potentials, classifiers and regressors alike.

    species: atomic numbers it knows, each once; 0, the X of ASE, are bare points
    cutoff: how far a neighbour may be, Å, or in the unit of the points
    Set by the training data: `neighbours`, the mean number of neighbours of an atom, 1 or more.
    """

    def __init__(self, species: Sequence[int], cutoff: float) -> None:
        super().__init__()
        self.species, self.cutoff = species, cutoff
        check_cutoff(cutoff)
        if not len(species) or len(set(species)) < len(species) or min(species) < 0:
            raise ValueError(f"species are {list(species)}; give each element once, as an atomic number, and bare points as 0")
        self.register_buffer("numbers", torch.tensor(sorted(species)), persistent=False)
        self.register_buffer("neighbours", torch.ones(()))

    def adapt(self, batches: Iterable[AtomBatch]) -> None:
        edges, atoms = map(sum, zip(*((len(batch.senders), len(batch.species)) for batch in batches), strict=True))
        self.neighbours.fill_(max(edges / atoms, 1))

    def prepare(self, items: Sequence[Atoms | np.ndarray]) -> list[NeighbourGraph]:
        """Neighbours, sought once; arrays of points (n, 3) are taken for atoms X. Raises what `neighbour_graphs` raises, and
        ValueError for an element that is not among `species`.
        """
        if not any(isinstance(item, Atoms) for item in items):
            items = [Atoms(f"X{len(points)}", points) for points in point_arrays(items, 3)]
        check_structures(items, self.species)
        return neighbour_graphs(items, self.cutoff)

    def batch(self, prepared: Sequence[NeighbourGraph], dtype: torch.dtype | None = None,
              device: torch.device | str | None = None) -> AtomBatch:
        """What forward takes."""
        return AtomBatch.from_graphs(prepared, dtype, device)

    def elements(self, batch: AtomBatch) -> torch.Tensor:
        """(N,), the place of each atom's element among the species in ascending order."""
        return torch.searchsorted(self.numbers, batch.species)
