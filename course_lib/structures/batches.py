"""What a network sees: many structures as one set of atoms and one set of edges.

Nothing in a batch is padded: atoms of all frames stand end to end, `structure` says whose they are, and since no edge joins
two frames a sum over the edges of an atom never leaves its frame.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from ase import Atoms

from course_lib.structures.graphs import NeighbourGraph, neighbour_graphs


@dataclass(frozen=True, eq=False)
class AtomBatch:
    """M frames, N atoms, E edges in all; tensors on one device, real ones of one dtype.

    positions: (N, 3) Å, from the mean of their frame: only differences count, and so they keep their digits in single
        precision, wherever the frame lies
    species: (N,) int64, atomic numbers
    senders, receivers: (E,) int64, an edge goes from its sender (the neighbour) to its receiver (the centre)
    shifts: (E, 3) Å, periodic image vector of the sender
    structure: (N,) int64, which frame an atom belongs to
    n_structures: M
    cell: (M, 3, 3) Å, a vector a row; zeros for a molecule
    """

    positions: torch.Tensor
    species: torch.Tensor
    senders: torch.Tensor
    receivers: torch.Tensor
    shifts: torch.Tensor
    structure: torch.Tensor
    n_structures: int
    cell: torch.Tensor

    @classmethod
    def from_graphs(cls, graphs: Sequence[NeighbourGraph], dtype: torch.dtype | None = None,
                    device: torch.device | str | None = None) -> "AtomBatch":
        """Put graphs of `neighbour_graphs` end to end; `dtype` is torch's default unless given.

        Raises ValueError for an empty list.
        """
        if not graphs:
            raise ValueError("no graphs to make a batch of; at least one is needed.")
        sizes = [len(graph.species) for graph in graphs]
        first_atom = np.repeat(np.cumsum(sizes) - sizes, [len(graph.senders) for graph in graphs])
        joined = {name: np.concatenate([getattr(graph, name) for graph in graphs])
                  for name in ("species", "senders", "receivers", "shifts")}
        joined["positions"] = np.concatenate([graph.positions - graph.positions.mean(axis=0) for graph in graphs])
        joined["senders"] += first_atom
        joined["receivers"] += first_atom
        joined["structure"] = np.repeat(np.arange(len(graphs)), sizes)
        joined["cell"] = np.stack([graph.cell for graph in graphs])
        tensors = {name: torch.from_numpy(array) for name, array in joined.items()}
        return cls(n_structures=len(graphs), **tensors).to(dtype or torch.get_default_dtype(), device)

    @classmethod
    def from_frames(cls, frames: Sequence[Atoms], cutoff: float, dtype: torch.dtype | None = None,
                    device: torch.device | str | None = None) -> "AtomBatch":
        """Neighbours within `cutoff` (Å) and the batch in one go; raises what `neighbour_graphs` raises."""
        return cls.from_graphs(neighbour_graphs(frames, cutoff), dtype, device)

    def edge_vectors(self) -> torch.Tensor:
        """(E, 3) Å, from receiver (centre) to sender (neighbour); differentiable in positions, shifts and strain."""
        return self.positions[self.senders] + self.shifts - self.positions[self.receivers]

    def strained(self, strain: torch.Tensor) -> "AtomBatch":
        """Every frame deformed by its own `strain` (M, 3, 3): each row vector x of it becomes x + x @ strain.

        Shifts are integer combinations of cell vectors, so they deform as positions do. With a symmetric strain of zeros
        that requires a gradient, dE/dstrain over the volume is the stress in ASE's sign.
        """
        stretch = torch.eye(3, dtype=strain.dtype, device=strain.device) + strain
        of_atom = stretch[self.structure]
        return replace(self, positions=torch.einsum("ni,nij->nj", self.positions, of_atom),
                       shifts=torch.einsum("ei,eij->ej", self.shifts, of_atom[self.receivers]),
                       cell=self.cell @ stretch)

    def to(self, dtype: torch.dtype | None = None, device: torch.device | str | None = None) -> "AtomBatch":
        """The same batch with real tensors in `dtype` and all on `device`."""
        moved = {name: value.to(device=device, dtype=dtype if value.is_floating_point() else None)
                 for name, value in vars(self).items() if name != "n_structures"}
        return replace(self, **moved)
