"""The neighbours of many atoms in the order that makes sums over them products of matrices.

A sum over the neighbours of one species of one centre is a product of two small matrices, and many such products of equal
shape are one call of a linear algebra library. So edges are sorted by the species of the neighbour and by how many of that
species its centre has, and nothing is padded.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

from course_lib.structures import NeighbourGraph


@dataclass(frozen=True, eq=False)
class Neighbours:
    """The edges of some frames, put end to end.

    kinds: (N,) which of the known species every atom is, 0 … S−1
    centres, neighbours: (E,) rows of atoms
    vectors, distances: (E, 3) and (E,) Å, from centre to neighbour
    shapes: (kind of the neighbours, how many of that kind each centre has, slice of the edges), a centre's next to each other
    """

    kinds: np.ndarray
    centres: np.ndarray
    neighbours: np.ndarray
    vectors: np.ndarray
    shapes: list[tuple[int, int, slice]]

    @classmethod
    def of(cls, graphs: Sequence[NeighbourGraph], species: np.ndarray) -> "Neighbours":
        """`species` (S,) sorted, with every species of the graphs."""
        first = np.cumsum([0] + [len(graph.species) for graph in graphs])[:-1]
        kinds = np.searchsorted(species, np.concatenate([graph.species for graph in graphs]))
        centres = np.concatenate([graph.receivers + start for graph, start in zip(graphs, first, strict=True)])
        neighbours = np.concatenate([graph.senders + start for graph, start in zip(graphs, first, strict=True)])
        segment = kinds[neighbours] * len(kinds) + centres
        count = np.bincount(segment, minlength=1)[segment]
        shape = kinds[neighbours] * (count.max(initial=0) + 1) + count
        order = np.lexsort((centres, shape))
        bounds = np.flatnonzero(np.diff(shape[order], prepend=-1, append=-1)).tolist()
        shapes = [(int(kinds[neighbours[order[start]]]), int(count[order[start]]), slice(start, stop))
                  for start, stop in pairwise(bounds)]
        vectors = np.concatenate([graph.edge_vectors() for graph in graphs])
        return cls(kinds, centres[order], neighbours[order], vectors[order], shapes)

    @cached_property
    def distances(self) -> np.ndarray:
        return np.sqrt(np.einsum("ex,ex->e", self.vectors, self.vectors))

    def chunks(self, size: int) -> Iterator[tuple[int, int, slice]]:
        """`shapes` in pieces of about `size` edges, whole centres each."""
        for kind, count, rows in self.shapes:
            step = max(size // count, 1) * count
            for start in range(rows.start, rows.stop, step):
                yield kind, count, slice(start, min(start + step, rows.stop))


@dataclass(frozen=True, eq=False)
class Derivatives:
    """How something of a centre changes as one of its neighbours moves; a row a pair, in no particular order.

    centres, neighbours: (P,) rows of atoms, all frames end to end; each centre has one row with itself as the neighbour
    vectors: (P, 3) Å, from centre to this image of the neighbour; zero for the centre itself
    values: (P, 3, …), per Å; the rows of one centre add up to zero
    """

    centres: np.ndarray
    neighbours: np.ndarray
    vectors: np.ndarray
    values: np.ndarray

    @classmethod
    def of(cls, blocks: Sequence[Neighbours], values: np.ndarray) -> "Derivatives":
        """`values` of block after block, first the edges of a block, then its atoms."""
        rows, first = [], 0
        for near in blocks:
            atoms = np.arange(len(near.kinds))
            rows.append((first + np.append(near.centres, atoms), first + np.append(near.neighbours, atoms),
                         np.append(near.vectors, np.zeros((len(atoms), 3)), axis=0)))
            first += len(atoms)
        return cls(*map(np.concatenate, zip(*rows, strict=True)), values)
