from itertools import product

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, fcc111, molecule
from ase.neighborlist import neighbor_list

from course_lib.structures import neighbour_graphs

rng = np.random.default_rng(0)


def skewed():
    """Four atoms, some far outside a small left-handed skewed cell."""
    cell = np.array([[0.4, 3.1, 0.2], [2.6, 0.3, -0.5], [0.9, 1.0, 3.4]])
    assert np.linalg.det(cell) < 0
    return Atoms("CHOH", rng.normal(size=(4, 3)) * 8, cell=cell, pbc=True)


def slab(**options):
    atoms = fcc111("Cu", (2, 2, 3), **options)
    atoms.rattle(0.1, seed=1)
    return atoms


half_open = skewed()
half_open.pbc = (True, False, True)
CASES = {
    "molecule": (molecule("CH3CH2OH"), 3.0),
    "one copper atom and its own images": (bulk("Cu"), 6.0),
    "two silicon atoms, cutoff beyond the cell": (bulk("Si"), 7.0),
    "slab with vacuum": (slab(vacuum=5), 6.0),
    "slab without a third cell vector": (slab(), 6.0),
    "skewed left-handed cell, atoms outside": (skewed(), 5.0),
    "skewed cell, open along b": (half_open, 5.0),
    "wire": (Atoms("C3", [[0, 0, 0], [0.3, 0.7, 9.2], [4, -3, 2.0]], cell=[0, 0, 2.5], pbc=(0, 0, 1)), 6.0),
    "large slab, by cell lists": (fcc111("Cu", (9, 9, 4)), 4.0),
    "isolated atom": (Atoms("H"), 4.0),
    "two atoms too far apart": (Atoms("H2", [[0, 0, 0], [4.1, 0, 0]]), 4.0),
}
each_case = pytest.mark.parametrize(("atoms", "cutoff"), CASES.values(), ids=CASES)


def edges(receivers, senders, vectors):
    """A canonical table of edges, rows in order."""
    table = np.column_stack([receivers, senders, np.round(vectors, 7) + 0.0])
    return table[np.lexsort(table.T[::-1])]


@each_case
def test_edges_are_those_of_ase(atoms, cutoff):
    graph = neighbour_graphs([atoms], cutoff)[0]
    i, j, vectors = neighbor_list("ijD", atoms, cutoff)
    np.testing.assert_allclose(edges(graph.receivers, graph.senders, graph.edge_vectors()), edges(i, j, vectors), atol=1e-6)


@each_case
def test_energy_is_the_brute_force_sum_over_images(atoms, cutoff):
    """Σ (1 − d/r_c)² over every pair and image, against the same sum over edges."""
    if len(atoms) > 100:
        atoms = atoms[:40]
    reach = np.where(atoms.pbc, 9, 0)
    if atoms.pbc.any():
        fractional = np.linalg.lstsq(atoms.cell[atoms.pbc].T, atoms.positions.T, rcond=None)[0]
        reach[atoms.pbc] += np.ceil(np.ptp(fractional, axis=1)).astype(int)
    images = np.array(list(product(*(range(-n, n + 1) for n in reach)))) @ atoms.cell[:]
    expected = 0.0
    for image in images:
        distances = np.linalg.norm(atoms.positions[None] + image - atoms.positions[:, None], axis=-1)
        expected += (np.clip(1 - distances[distances > 1e-9] / cutoff, 0, None) ** 2).sum()
    graph = neighbour_graphs([atoms], cutoff)[0]
    distances = np.linalg.norm(graph.edge_vectors(), axis=1)
    assert ((1 - distances / cutoff) ** 2).sum() == pytest.approx(expected, rel=1e-11, abs=1e-12)


@each_case
def test_every_edge_has_its_opposite_and_receivers_are_in_order(atoms, cutoff):
    graph = neighbour_graphs([atoms], cutoff)[0]
    np.testing.assert_array_equal(edges(graph.receivers, graph.senders, graph.edge_vectors()),
                                  edges(graph.senders, graph.receivers, -graph.edge_vectors()))
    assert (np.diff(graph.receivers) >= 0).all()
    assert np.all(np.linalg.norm(graph.edge_vectors(), axis=1) < cutoff)


def test_vector_points_from_the_centre_to_the_neighbour():
    graph = neighbour_graphs([Atoms("CO", [[0, 0, 0], [0, 0, 1.1]])], 2.0)[0]
    from_carbon = graph.receivers == 0
    assert graph.senders[from_carbon] == [1]
    np.testing.assert_array_equal(graph.edge_vectors()[from_carbon], [[0, 0, 1.1]])


def test_an_atom_sees_every_one_of_its_own_images():
    graph = neighbour_graphs([Atoms("Po", cell=[2, 2, 2], pbc=True)], 2.9)[0]
    assert len(graph.senders) == 6 + 12
    assert not graph.senders.any() and not graph.receivers.any()


def test_shifts_are_whole_cell_vectors():
    graph = neighbour_graphs([skewed()], 5.0)[0]
    images = np.linalg.solve(graph.cell.T, graph.shifts.T)
    assert abs(images - images.round()).max() < 1e-12 and abs(images).max() >= 1


def test_graphs_of_many_frames_are_the_graphs_of_each_and_equal_when_repeated():
    frames = [atoms for atoms, _ in CASES.values()]
    for together, again, alone in zip(neighbour_graphs(frames, 4.0), neighbour_graphs(frames, 4.0),
                                      [neighbour_graphs([atoms], 4.0)[0] for atoms in frames], strict=True):
        for other in (again, alone):
            for name in vars(together):
                np.testing.assert_array_equal(getattr(together, name), getattr(other, name))


def test_a_graph_is_a_copy_and_does_not_move_with_its_atoms():
    atoms = molecule("H2O")
    graph = neighbour_graphs([atoms], 3.0)[0]
    before = graph.positions.copy()
    atoms.positions += 1
    np.testing.assert_array_equal(graph.positions, before)


@pytest.mark.parametrize("cutoff", [0, -1.0, np.nan, np.inf])
def test_a_cutoff_that_is_no_length_is_refused(cutoff):
    with pytest.raises(ValueError, match=f"positive length in Å, got {cutoff}"):
        neighbour_graphs([molecule("H2O")], cutoff)


def test_two_atoms_at_one_place_are_refused():
    with pytest.raises(ValueError, match="frame 1: atoms 0 and 1 are at the same place"):
        neighbour_graphs([molecule("H2O"), Atoms("H2", [[1, 1, 1], [1, 1, 1]])], 3.0)


@pytest.mark.parametrize("pbc", [(True, True, True), (True, False, True)])
def test_a_box_too_wide_for_the_library_has_the_neighbours_that_ase_finds(pbc):
    """A sheet of a tenth of a micrometre, 5 Å thick: with the cutoff as it is, vesin ends the process."""
    rng = np.random.default_rng(0)
    corner = rng.uniform(-4, 4, size=(12, 3)) * [1, 1, 0.5]  # across the boundaries too
    atoms = Atoms("H16", np.vstack([corner, rng.uniform(100, 900, size=(4, 3)) * [1, 1, 0.005]]), cell=[1000, 1000, 5], pbc=pbc)
    graph, = neighbour_graphs([atoms], 3.0)
    i, j, S = neighbor_list("ijS", atoms, 3.0)
    ours = np.column_stack([graph.receivers, graph.senders, graph.shifts])
    theirs = np.column_stack([i, j, S @ atoms.cell[:]])
    assert len(i) > 20 and sorted(map(tuple, ours)) == sorted(map(tuple, theirs))
