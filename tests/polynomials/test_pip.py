"""The PIP potential on coupled-cluster and B3LYP methane."""

import numpy as np
import pytest
from ase import units
from ase.md.velocitydistribution import thermalize_momenta
from ase.md.verlet import VelocityVerlet

from course_lib.learning import Potential, scores
from course_lib.polynomials import PIP, InvariantPolynomials
from course_lib.structures import load
from course_lib.symmetry import audit


@pytest.fixture(scope="module")
def methane():
    return load("methane_b3lyp")


@pytest.fixture(scope="module")
def fitted(methane):
    return PIP(degree=5).fit(methane.train[:100])


def test_a_frame_with_forces_is_many_labels(methane, fitted):
    energies_only = PIP(degree=5, force_weight=0).fit(methane.train[:100])
    errors = [scores(p.predict(methane.test), methane.test)["model"]["energy RMSE (meV)"] for p in (fitted, energies_only)]
    assert errors[0] < 0.75 * errors[1] and errors[0] < 1
    assert energies_only.rank_ <= 100 < 200 < fitted.rank_ <= 208


def test_the_design_matrix_has_the_rank_that_molien_predicts(methane):
    for degree, count in enumerate([3, 10, 30, 83], start=1):
        values = InvariantPolynomials("CHHHH", degree).fit().transform(methane.train)
        assert np.linalg.matrix_rank(values / np.linalg.norm(values, axis=0)) == count


def test_it_is_a_potential(methane, fitted, tmp_path):
    assert (audit(fitted, methane.test[:5]).verdict[:4] == "kept").all()
    fitted.save(tmp_path / "pip.safetensors")
    again = Potential.load(tmp_path / "pip.safetensors").predict(methane.test[:9])
    assert np.array_equal(again.energies, fitted.predict(methane.test[:9]).energies)


def test_forces_are_minus_the_gradient(methane, fitted):
    atoms, h = methane.test[7], 1e-3
    moved = [atoms.copy() for _ in range(60)]
    for frame, (step, i, k) in zip(moved, np.ndindex(4, 5, 3), strict=True):
        frame.positions[i, k] += h * (-2, -1, 1, 2)[step]
    slope = np.tensordot([1, -8, 8, -1], fitted.predict(moved).energies.reshape(4, 5, 3), 1) / (12 * h)
    assert np.abs(fitted.predict([atoms]).forces[0] + slope).max() < 1e-6


def test_molecular_dynamics_conserves_the_energy(methane, fitted):
    atoms = methane.test[0].copy()
    atoms.calc = fitted.calculator()
    thermalize_momenta(atoms, temperature_K=300, rng=np.random.default_rng(0))
    spread = []
    for step in (0.5, 0.25):
        copy = atoms.copy()
        copy.calc = fitted.calculator()
        copy.set_momenta(atoms.get_momenta())
        totals = []
        dynamics = VelocityVerlet(copy, step * units.fs)
        dynamics.attach(lambda totals=totals, copy=copy: totals.append(copy.get_total_energy()))
        dynamics.run(int(100 / step))
        spread.append(np.std(totals))
    assert spread[0] < 0.01 and spread[0] / spread[1] > 3  # second order in the time step
