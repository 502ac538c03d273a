"""How the neighbours of an atom are distributed over distances: g(r), the picture of a liquid."""

from collections.abc import Sequence

import numpy as np
from ase import Atoms

from course_lib.structures.graphs import neighbour_graphs


def radial_distribution(frames: Sequence[Atoms], centre: int, neighbour: int, cutoff: float = 6.0,
                        bins: int = 60) -> tuple[np.ndarray, np.ndarray]:
    """Distances r (bins,), Å, and g(r) (bins,): how many atoms of number `neighbour` an atom of number `centre` finds in a
    shell around r, beside how many an even distribution over the cell would put there; a mean over frames and centres.

    Periodic images count like atoms, so that `cutoff` (Å) may exceed half the cell. Raises ValueError for frames that are not
    periodic along three vectors or lack one of the elements, and as `neighbour_graphs`.
    """
    counts, expected = np.zeros(bins), np.zeros(bins)
    edges = np.linspace(0, cutoff, bins + 1)
    shells = 4 / 3 * np.pi * np.diff(edges**3)
    for index, (atoms, graph) in enumerate(zip(frames, neighbour_graphs(frames, cutoff), strict=True)):
        centres, neighbours = ((graph.species == number).sum() for number in (centre, neighbour))
        if not atoms.pbc.all() or not centres or not neighbours:
            raise ValueError(f"frame {index} ({atoms.get_chemical_formula()}, pbc {atoms.pbc.tolist()}): g(r) needs a periodic "
                             f"cell with atoms of numbers {centre} and {neighbour}")
        chosen = (graph.species[graph.receivers] == centre) & (graph.species[graph.senders] == neighbour)
        counts += np.histogram(np.linalg.norm(graph.edge_vectors()[chosen], axis=1), edges)[0]
        expected += centres * neighbours / atoms.get_volume() * shells
    return (edges[1:] + edges[:-1]) / 2, counts / expected
