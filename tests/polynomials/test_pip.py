"""The PIP potential on coupled-cluster and B3LYP methane."""

import numpy as np
import pytest
from ase import Atoms, units
from ase.calculators.singlepoint import SinglePointCalculator
from ase.md.velocitydistribution import thermalize_momenta
from ase.md.verlet import VelocityVerlet

from course_lib.learning import Potential, labels, scores
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


def two_hydrogens(energy):
    frames = [Atoms("H2", [[0, 0, 0], [0, 0, r]]) for r in np.linspace(0.6, 3, 12)]
    for atoms in frames:
        atoms.calc = SinglePointCalculator(atoms, energy=energy(atoms.get_distance(0, 1)))
    return frames


def test_the_purified_fit_has_the_asymptote_of_its_data():
    frames = two_hydrogens(lambda r: 7 + 3 * np.exp(-r / 1.6))
    potential = PIP(1, fragments=[[0], [1]]).fit(frames)
    far = Atoms("H2", [[0, 0, 0], [0, 0, 90]])
    assert potential.predict([far]).energies[0] == pytest.approx(7, abs=1e-9)


def test_weights_are_those_of_weighted_least_squares(methane):
    frames, w_energy, w_force = methane.train[:6], 3.0, 0.2
    basis = InvariantPolynomials(frames[0].get_chemical_symbols(), 2, 1.6).fit()
    truth = labels(frames)
    design = np.vstack([w_energy * basis.transform(frames),
                        -w_force * basis.jacobian(frames).transpose(0, 2, 3, 1).reshape(-1, 10)])
    target = np.concatenate([w_energy * (truth.energies - truth.energies.mean()), w_force * np.ravel(truth.forces)])
    ours = PIP(2, energy_weight=w_energy, force_weight=w_force).fit(frames).coefficients_
    assert np.abs(design @ (ours - np.linalg.lstsq(design, target)[0])).max() < 1e-8


@pytest.mark.parametrize("options, message", [
    (dict(force_weight=np.nan), "weights must be finite"), (dict(energy_weight=0), "nothing to fit")])
def test_weights_that_fit_nothing_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        PIP(1, **options).fit(two_hydrogens(np.exp))


def test_a_calculator_follows_when_its_potential_is_fitted_again():
    potential = PIP(1).fit(two_hydrogens(lambda r: np.exp(-r / 1.6)))
    atoms = Atoms("H2", [[0, 0, 0], [0, 0, 1]], calculator=potential.calculator())
    before = atoms.get_potential_energy()
    potential.fit(two_hydrogens(lambda r: 100 + np.exp(-r / 1.6)))
    assert atoms.get_potential_energy() == pytest.approx(before + 100)


def test_atoms_at_one_place_are_refused():
    potential = PIP(1).fit(two_hydrogens(np.exp))
    with pytest.raises(ValueError, match="at one place"):
        potential.predict([Atoms("H2", [[0, 0, 0], [0, 0, 0]])])
