"""What is measured of a fit, against numbers known otherwise."""

from dataclasses import replace

import numpy as np
import pytest
import quick
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator

from course_lib import survey
from course_lib.learning import CompositionBaseline, Potential, Prediction, scores
from course_lib.survey.measuring import dynamics, peak_memory
from course_lib.symmetry import E3_INVARIANT


class Spring(Potential):
    """Two atoms and a harmonic bond of 1 Å; `loss` makes the force not the slope of the energy."""

    def __init__(self, loss: float = 0.0) -> None:
        self.loss = loss

    def _fit(self, frames, validation, progress):
        self.coefficients_ = np.array([30.0])

    def _predict(self, frames):
        vectors = np.array([atoms.positions[1] - atoms.positions[0] for atoms in frames])
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        pull = 30.0 * (lengths - 1) * vectors / lengths + self.loss * vectors
        return Prediction(15.0 * (lengths[:, 0] - 1) ** 2, list(np.stack([pull, -pull], axis=1)))


@pytest.fixture(scope="module")
def dumbbell():
    atoms = Atoms("N2", [[0, 0, 0], [1, 0, 0]])
    atoms.calc = SinglePointCalculator(atoms, energy=0.0, forces=np.zeros((2, 3)))
    return atoms


def test_errors_are_those_of_learning_scores(methane):
    row = survey.measure(survey.METHODS["composition"], methane, 30, 0)
    chosen = np.random.default_rng(0).permutation(40)[:30]
    potential = CompositionBaseline().fit([methane.train[i] for i in chosen])
    for name, value in scores(potential.predict(methane.test), methane.test)["model"].items():
        assert row[name] == pytest.approx(value)


def test_a_harmonic_bond_survives_and_conserves_energy(dumbbell):
    row = dynamics(Spring().fit([dumbbell], progress=False), dumbbell, 400)
    assert row["survived (ps)"] == pytest.approx(0.2) and row["drift (meV/atom/ps)"] < 1


def test_forces_that_are_no_slope_drift_and_an_explosion_ends_the_run(dumbbell, methane):
    honest = dynamics(Spring().fit([dumbbell], progress=False), dumbbell, 400)["drift (meV/atom/ps)"]
    assert dynamics(Spring(-1.0).fit([dumbbell], progress=False), dumbbell, 400)["drift (meV/atom/ps)"] > 3 * honest
    row = dynamics(quick.Explodes().fit(methane.train, progress=False), methane.test[0], 400)
    assert row["survived (ps)"] < 0.05


def test_dynamics_are_run_only_where_they_are_asked_for_and_there_are_forces(methane):
    asked = {(name, steps): "survived (ps)" in survey.measure(survey.METHODS[name], methane, 10, 0, steps=steps)
             for name in ("PIP", "composition") for steps in (0, 5)}
    assert [key for key, run in asked.items() if run] == [("PIP", 5)]


def test_peak_memory_sees_what_was_held_for_a_moment():
    with peak_memory() as grown:
        np.ones(30_000_000)
    assert 200 < grown[0] < 400


def test_a_broken_promise_stands_in_the_row(methane):
    row = survey.measure(quick.method(quick.NamesAtoms), methane, 5, 0)
    assert "permutation of like atoms" in row["verdict"] and "proper rotation" in row["verdict"] and row["audit"] > 1e3
    honest = quick.method(quick.NamesAtoms, symmetry=replace(
        E3_INVARIANT, permutation=False, translation=False, rotation=False, inversion=False))
    assert survey.measure(honest, methane, 5, 0)["verdict"] == "kept"
