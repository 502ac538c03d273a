import numpy as np
import pytest
from argon import label
from ase import Atoms
from ase.build import molecule

from course_lib.learning import CompositionBaseline

ATOMIC = {"H": -13.6, "C": -1029.0, "O": -2041.0}


def molecules(names):
    frames = [molecule(name) for name in names]
    return [label(a, energy=sum(ATOMIC[s] for s in a.symbols)) for a in frames]


def test_it_recovers_the_energy_of_each_atom_where_compositions_tell_them_apart():
    baseline = CompositionBaseline().fit(molecules(["H2", "CH4", "H2O", "CO2"]))
    assert baseline.species_.tolist() == [1, 6, 8] and baseline.rank_ == 3
    np.testing.assert_allclose(baseline.energies_, list(ATOMIC.values()), rtol=1e-13)
    other = molecules(["CH3CH2OH", "C6H6"])
    np.testing.assert_allclose(baseline.predict(other).energies, [a.get_potential_energy() for a in other], rtol=1e-13)


def test_of_one_composition_it_takes_the_solution_of_least_norm():
    methane = label(molecule("CH4"), energy=-34.0)
    baseline = CompositionBaseline().fit([methane, methane])
    np.testing.assert_allclose(baseline.energies_, -34 * np.array([4, 1]) / 17, rtol=1e-14)  # −34 n/|n|², n = (4, 1)
    assert baseline.rank_ == 1
    assert baseline.predict([methane]).energies == pytest.approx(-34)


def test_its_forces_and_stress_are_zero_and_have_the_shapes_of_the_frames():
    frames = molecules(["CH4", "H2O"])
    prediction = CompositionBaseline().fit(frames).predict(frames)
    assert [f.shape for f in prediction.forces] == [(5, 3), (3, 3)]
    assert not np.concatenate(prediction.forces).any() and not prediction.stresses.any()


def test_an_element_it_never_saw_is_refused_by_name():
    baseline = CompositionBaseline().fit(molecules(["H2", "H2O"]))
    with pytest.raises(ValueError, match=r"frame 0, atom 0 is C.*species are H, O"):
        baseline.predict([Atoms("CO", [[0, 0, 0], [0, 0, 1.1]])])
