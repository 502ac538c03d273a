"""The list that is kept says what a fresh search says, to the last bit, and is looked up only when it might be wrong."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, fcc111, molecule

from course_lib.structures import VerletList, neighbour_graphs

FRAMES = {"molecule": molecule("CH3CH2OH"), "one atom a cell": bulk("Cu"), "crystal": bulk("Si", cubic=True),
          "slab": fcc111("Al", (2, 2, 2), vacuum=6), "atom": Atoms("Ar")}


def same(one, other):
    """The same atoms and the same edges, in whatever order those of one atom stand."""
    edges = [np.column_stack([graph.receivers, graph.senders, graph.shifts + 0.0]) for graph in (one, other)]
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in ("positions", "species", "cell")) and (
        np.array_equal(*(rows[np.lexsort(rows.T[::-1])] for rows in edges)))


@pytest.mark.parametrize("name", FRAMES)
def test_a_walk_has_the_graphs_of_fresh_searches(name):
    atoms, rng, verlet = FRAMES[name].copy(), np.random.default_rng(0), VerletList(4.5, skin=0.6)
    for _ in range(40):
        atoms.positions += rng.normal(scale=0.03, size=(len(atoms), 3))
        assert same(verlet.graph(atoms), *neighbour_graphs([atoms], 4.5))
    assert 1 < verlet.searches < 20


def test_two_atoms_that_meet_halfway_are_found():
    """Each moves by nearly half the skin; a list that waited for the whole skin would miss them."""
    pair, verlet = Atoms("Ar2", [[0, 0, 0], [5.59, 0, 0]]), VerletList(5.0, skin=0.6)
    assert len(verlet.graph(pair).senders) == 0
    pair.positions[:, 0] += [0.299, -0.299]
    assert len(verlet.graph(pair).senders) == 2 and verlet.searches == 1
    far = Atoms("Ar2", [[0, 0, 0], [5.61, 0, 0]])
    late = VerletList(5.0, skin=0.6)
    late.graph(far)
    far.positions[:, 0] += [0.31, -0.31]
    assert len(late.graph(far).senders) == 2 and late.searches == 2


def turned_into_germanium(atoms):
    atoms.numbers[0] = 32


def strained(atoms):
    atoms.set_cell(atoms.cell * 1.001)


def opened(atoms):
    atoms.pbc = (True, True, False)


def wrapped_elsewhere(atoms):
    atoms.positions[3] += atoms.cell[1]


def shortened(atoms):
    del atoms[-1]


@pytest.mark.parametrize("change", [turned_into_germanium, strained, opened, wrapped_elsewhere, shortened])
def test_every_other_change_is_a_reason_to_search(change):
    atoms, verlet = bulk("Si", cubic=True), VerletList(4.0)
    verlet.graph(atoms)
    verlet.graph(atoms)
    assert verlet.searches == 1
    change(atoms)
    assert same(verlet.graph(atoms), *neighbour_graphs([atoms], 4.0)) and verlet.searches == 2


def test_without_a_skin_every_step_is_a_search():
    atoms, verlet = bulk("Si"), VerletList(4.0, skin=0)
    verlet.graph(atoms)
    verlet.graph(atoms)
    assert verlet.searches == 2


def test_what_cannot_be_is_refused_in_words():
    with pytest.raises(ValueError, match=r"skin must be a finite length of 0 or more in Å, got -0\.1"):
        VerletList(4.0, -0.1)
    with pytest.raises(ValueError, match="cutoff must be a positive length"):
        VerletList(0.0)
    atoms, verlet = Atoms("Ar2", [[0, 0, 0], [0.2, 0, 0]]), VerletList(4.0)
    verlet.graph(atoms)
    atoms.positions[1] = 0
    with pytest.raises(ValueError, match="atoms 0 and 1 are at the same place"):
        verlet.graph(atoms)
    atoms.positions[1] = np.nan
    with pytest.raises(ValueError, match="not finite"):
        verlet.graph(atoms)
