import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, molecule
from ase.calculators.singlepoint import SinglePointCalculator

from course_lib.structures import check_labels, check_structures


def water(**labels):
    atoms = molecule("H2O")
    atoms.calc = SinglePointCalculator(atoms, **labels)
    return atoms


def spoiled(value):
    atoms = molecule("CH3OH")
    atoms.positions[4, 1] = value
    return atoms


def test_good_frames_of_every_kind_pass():
    check_structures([molecule("H2O"), bulk("Si"), Atoms("H", cell=[0, 0, 2], pbc=(0, 0, 1)), Atoms("H", cell=[5, 5, 5])])
    check_structures((molecule("H2O"),), species=[1, 8])
    check_structures([molecule("H2O")], species={np.int64(1), 6, 8})


def test_no_frames_and_a_lone_structure_are_refused():
    with pytest.raises(ValueError, match="empty"):
        check_structures([])
    with pytest.raises(TypeError, match=r"write \[atoms\]"):
        check_structures(molecule("H2O"))
    with pytest.raises(TypeError, match="frame 1 is a str"):
        check_structures([molecule("H2O"), "H2O"])
    with pytest.raises(ValueError, match="frame 1 has no atoms"):
        check_structures([molecule("H2O"), Atoms()])


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_position_that_is_not_finite_is_named_by_frame_and_atom(value):
    with pytest.raises(ValueError, match=rf"frame 2, atom 4 \(H\) has a position that is not finite.*{value}"):
        check_structures([molecule("H2O"), Atoms("H"), spoiled(value), molecule("H2O")])


def test_an_unknown_element_is_named_with_its_frame_and_the_known_ones():
    with pytest.raises(ValueError, match=r"frame 1, atom 1 is O.*species are H, C\."):
        check_structures([molecule("CH4"), molecule("CH3OH")], species=[6, 1])


@pytest.mark.parametrize(("cell", "pbc", "message"), [
    (None, True, "frame 1 is periodic along a, b, c, but that cell vector is zero"),
    ([5, 5, 0], (True, True, True), "periodic along c, but"),
    ([[2, 0, 0], [4, 0, 0], [0, 0, 3]], True, "not linearly independent"),
    ([np.nan, 5, 5], True, "cell that is not finite")])
def test_ill_defined_cells_are_refused(cell, pbc, message):
    with pytest.raises(ValueError, match=message):
        check_structures([molecule("H2O"), Atoms("H", cell=cell, pbc=pbc)])


def test_missing_labels_are_named_with_their_frame():
    good = water(energy=-1.0, forces=np.zeros((3, 3)))
    check_labels([good])
    check_labels([water(energy=-1.0)], ["energy"])
    with pytest.raises(ValueError, match=r"frame 1 carries no energy and no forces; attach labels"):
        check_labels([good, molecule("H2O")])
    with pytest.raises(ValueError, match="frame 2 carries no forces"):
        check_labels([good, good, water(energy=-1.0)])


def test_labels_that_are_not_finite_are_refused():
    forces = np.zeros((3, 3))
    forces[2, 1] = np.nan
    with pytest.raises(ValueError, match="frame 1 has a value in its forces that is not finite"):
        check_labels([water(energy=0.0, forces=np.zeros((3, 3))), water(energy=0.0, forces=forces)])


def test_labels_of_another_geometry_are_refused():
    atoms = water(energy=-1.0)
    atoms.positions[0] += 0.1
    with pytest.raises(ValueError, match="frame 0 was changed after it was labelled"):
        check_labels([atoms], ["energy"])


def test_a_generator_is_refused_before_it_is_used_up():
    with pytest.raises(TypeError, match="read only once"):
        check_structures(atoms for atoms in [Atoms("H")])


def test_forces_of_another_shape_are_refused():
    atoms = Atoms("H2", [[0, 0, 0], [0, 0, 1]])
    atoms.calc = SinglePointCalculator(atoms, energy=0.0, forces=np.zeros((1, 3)))
    with pytest.raises(ValueError, match=r"forces of shape \(1, 3\); it must be \(2, 3\)"):
        check_labels([atoms])
