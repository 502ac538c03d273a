"""Whatever frame a method is given, it answers with finite numbers of the right shape, or with a ValueError in words."""

from dataclasses import replace

import numpy as np
import odd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from odd import SOME

from course_lib.kernels import (
    SOAP,
    BagOfBonds,
    Bispectrum,
    ClusterBasis,
    CoulombMatrix,
    DensityExpansion,
    LambdaSOAP,
    SymmetryFunctions,
)
from course_lib.learning import NetworkPotential
from course_lib.scattering import SolidHarmonicScattering
from course_lib.structures import load, neighbour_graphs
from course_lib.survey import METHODS

FEATURES = [SOAP(4.0, 3, 2), BagOfBonds(), Bispectrum(4.0, 2, 2), ClusterBasis(4.0, (4, 2), (0, 2)), CoulombMatrix(),
            DensityExpansion(4.0, 3, 2), LambdaSOAP(4.0, 3, 2), SymmetryFunctions(4.0),
            SolidHarmonicScattering(J=2, L=1, order=1)]


@pytest.fixture(scope="module")
def methane():
    data = load("methane_b3lyp")
    return replace(data, train=data.train[:10], validation=data.validation[:2])


@pytest.fixture(scope="module")
def fitted(methane):
    """Every potential of the survey, by name, after the shortest of trainings."""
    made = {}

    def give(name):
        if name not in made:
            potential = METHODS[name].make(methane, len(methane.train))
            if isinstance(potential, NetworkPotential):
                potential.trainer.set_params(epochs=1)
            made[name] = potential.fit(methane.train, methane.validation, progress=False)
        return made[name]

    return give


def refused_in_words(error: ValueError) -> bool:
    """Whether it names the frame, or says what no frame of the list can give."""
    return "frame " in str(error) or "empty" in str(error)


@pytest.mark.parametrize("name", METHODS)
def test_a_potential_answers_or_refuses_in_words(fitted, name):
    potential = fitted(name)

    @SOME
    @given(atoms=odd.frames())
    def holds(atoms):
        before = atoms.copy()
        try:
            said = potential.predict([atoms])
        except ValueError as error:
            assert refused_in_words(error), error
        else:
            assert said.energies.shape == (1,) and np.isfinite(said.energies).all()
            assert said.forces is None or (said.forces[0].shape == (len(atoms), 3) and np.isfinite(said.forces[0]).all())
        np.testing.assert_array_equal(atoms.positions, before.positions)

    holds()


@pytest.mark.parametrize("name", METHODS)
def test_what_a_frame_is_told_does_not_depend_on_its_company(fitted, name):
    potential = fitted(name)

    @SOME
    @given(frames=st.lists(odd.frames(least=1, sound=True), min_size=2, max_size=3))
    def holds(frames):
        try:
            together = potential.predict(frames).energies
        except ValueError:
            return
        alone = np.concatenate([potential.predict([atoms]).energies for atoms in frames])
        np.testing.assert_allclose(together, alone, rtol=2e-4, atol=1e-4 * np.abs(alone).max())

    holds()


@pytest.mark.parametrize("features", FEATURES, ids=lambda features: type(features).__name__)
def test_features_are_finite_or_refused_in_words(methane, features):
    features.fit(methane.train)

    @SOME
    @given(atoms=odd.frames())
    def holds(atoms):
        try:
            values = features.transform([atoms])
        except ValueError as error:
            assert refused_in_words(error), error
        else:
            assert all(np.isfinite(part).all() for part in values)

    holds()


@SOME
@given(atoms=odd.frames(least=1, sound=True), cutoff=st.sampled_from([0.5, 3.0]))
def test_neighbours_come_in_pairs_within_the_cutoff(atoms, cutoff):
    try:
        graph, = neighbour_graphs([atoms], cutoff)
    except ValueError as error:
        assert "same place" in str(error)
        return
    assert (np.linalg.norm(graph.edge_vectors(), axis=1) < cutoff).all()
    there = np.column_stack([graph.senders, graph.receivers, graph.shifts.round(6) + 0.0])
    back = np.column_stack([graph.receivers, graph.senders, -graph.shifts.round(6) + 0.0])
    assert sorted(map(tuple, there)) == sorted(map(tuple, back))
