"""The promises every potential inherits, held by one that has real forces and stress (`pair_potential.py`)."""

import numpy as np
import pytest
from argon import argon, label
from ase import Atoms
from pair_potential import PairPotential
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV

from course_lib.learning import CompositionBaseline, Potential, Prediction, labels, scores
from course_lib.symmetry import audit


class WrongForces(PairPotential):
    """Negative control: forces and stress one percent too large."""

    def _predict(self, frames):
        right = super()._predict(frames)
        return Prediction(right.energies, [1.01 * f for f in right.forces], 1.01 * right.stresses)


class HeightDependent(PairPotential):
    """Negative control: an energy that knows which way is up."""

    def _predict(self, frames):
        return Prediction(np.array([atoms.positions[:, 2].sum() for atoms in frames]))


def force_error(potential, atoms, step=1e-4):
    """Largest |force + central difference of the energy|, eV/Å."""
    moved = []
    for atom in range(len(atoms)):
        for axis in range(3):
            for sign in (1, -1):
                moved.append(atoms.copy())
                moved[-1].positions[atom, axis] += sign * step
    plus, minus = potential.predict(moved).energies.reshape(-1, 2).T
    return np.abs(potential.predict([atoms]).forces[0].ravel() + (plus - minus) / (2 * step)).max()


def stress_error(potential, atoms, step=1e-5):
    """Largest |stress − (1/V) dE/dε| for symmetric strains ε, eV/Å³."""
    numeric = np.zeros((3, 3))
    for a in range(3):
        for b in range(3):
            strained = []
            for sign in (1, -1):
                strain = np.zeros((3, 3))
                strain[a, b] += sign * step / 2
                strain[b, a] += sign * step / 2
                strained.append(atoms.copy())
                strained[-1].set_cell(atoms.cell @ (np.eye(3) + strain), scale_atoms=True)
            plus, minus = potential.predict(strained).energies
            numeric[a, b] = (plus - minus) / (2 * step) / atoms.cell.volume
    return np.abs(potential.predict([atoms]).stresses[0] - numeric).max()


# Central differences in float64: truncation ~ h² φ''' < 1e-7 and rounding ~ ε E/h < 1e-11, in eV and Å.
def test_forces_are_minus_the_slope_of_the_energy_and_a_one_percent_error_is_seen(fitted, argon_frames):
    atoms = argon_frames[35]
    wrong = WrongForces().fit(argon_frames[:30])
    largest = np.abs(fitted.predict([atoms]).forces[0]).max()
    assert force_error(fitted, atoms) < 1e-7
    assert force_error(wrong, atoms) == pytest.approx(0.01 * largest, rel=1e-2)


def test_stress_is_the_slope_of_the_energy_under_strain_and_a_one_percent_error_is_seen(fitted, argon_frames):
    atoms = argon_frames[35]
    wrong = WrongForces().fit(argon_frames[:30])
    largest = np.abs(fitted.predict([atoms]).stresses[0]).max()
    assert stress_error(fitted, atoms) < 1e-8
    assert stress_error(wrong, atoms) == pytest.approx(0.01 * largest, rel=1e-2)


def test_it_learns_lennard_jones_argon(fitted, argon_frames):
    test = argon_frames[30:]
    table = scores(fitted.predict(test), test)
    assert (table["model"] < 0.05 * table["mean predictor"]).all(), table
    assert fitted.score(test) > 0.99


def test_score_is_one_minus_the_mean_squared_error_over_that_of_the_mean(argon_frames):
    frames = [label(Atoms("H" * n), energy=n * e) for n, e in [(1, 1.0), (2, 3.0), (3, 5.0)]]  # eV an atom: 1, 3, 5
    baseline = CompositionBaseline().fit(frames)
    eps = (1 * 1 + 2 * 6 + 3 * 15) / (1 + 4 + 9)  # least squares through the origin by hand
    assert baseline.score(frames) == pytest.approx(1 - sum((eps - e) ** 2 for e in (1, 3, 5)) / 8, abs=1e-12)
    with pytest.raises(ValueError, match="at least two"):
        baseline.score(frames[:1])


def test_the_audit_finds_the_declared_symmetry_kept_in_crystals_and_molecules_together(fitted, argon_frames):
    cluster = Atoms("Ar3", [[0, 0, 0], [0, 0.3, 4], [3.5, 0, 2]])
    assert audit(fitted, [argon_frames[0], cluster])["verdict"].tolist() == ["kept"] * 5
    fixed = HeightDependent().fit(argon_frames[:2])
    assert audit(fixed, [argon_frames[0], cluster])["verdict"].tolist() == ["kept"] + ["BROKEN"] * 4
def test_clone_copies_the_hyperparameters_and_not_what_was_learned(fitted):
    copy = clone(fitted)
    assert copy.get_params() == {"cutoff": 6.0, "size": 10}
    with pytest.raises(NotFittedError):
        copy.predict([argon(np.random.default_rng(0))])


def test_grid_search_over_frames_finds_the_cutoff_of_the_reference(argon_frames):
    def force_rmse(model, frames):
        return -scores(model.predict(frames), frames).loc["force RMSE (meV/Å)", "model"]

    for scoring in (None, force_rmse):  # by `score`, and by any function of model and frames
        search = GridSearchCV(PairPotential(), {"cutoff": [3.6, 4.6, 6.0]}, cv=3, scoring=scoring)
        search.fit(argon_frames[:12], progress=False)
        assert search.best_params_ == {"cutoff": 6.0}
        assert search.predict(argon_frames[30:32]).energies.shape == (2,)


def unlabelled(frames):
    return [frames[0], frames[1].copy()]


def moved(frames):
    atoms = frames[0].copy()
    label(atoms, energy=0.0, forces=np.zeros((4, 3)))
    atoms.positions[0] += 0.1
    return [atoms]


def partly_with_forces(frames):
    return [frames[0], label(frames[1].copy(), energy=0.0)]


def nan_label(frames):
    return [label(frames[0].copy(), energy=np.nan, forces=np.zeros((4, 3)))]


def nan_force(frames):
    return [label(frames[0].copy(), energy=0.0, forces=np.full((4, 3), np.nan))]


def nan_position(frames):
    atoms = frames[0].copy()
    atoms.positions[2, 1] = np.nan
    return [label(atoms, energy=0.0, forces=np.zeros((4, 3)))]


@pytest.mark.parametrize("spoil, words", [
    (lambda frames: [], "empty"), (unlabelled, "frame 1.*no energy"), (moved, "frame 0.*changed"),
    (partly_with_forces, "frame 1.*no forces"), (nan_label, "frame 0.*energy.*not finite"),
    (nan_force, "frame 0.*forces.*not finite"), (nan_position, "frame 0, atom 2.*not finite"),
])
def test_fit_and_score_refuse_bad_frames_and_say_which(fitted, argon_frames, spoil, words):
    bad = spoil(argon_frames)
    for call in (PairPotential().fit, fitted.score, lambda frames: PairPotential().fit(argon_frames[:2], frames)):
        with pytest.raises(ValueError, match=words):
            call(bad)


def test_predict_refuses_bad_frames_and_says_which(fitted, argon_frames):
    neon = argon_frames[0].copy()
    neon.symbols[1] = "Ne"
    for bad, words in [([], "empty"), (nan_position(argon_frames), "frame 0, atom 2.*not finite"),
                       ([argon_frames[0], neon], "frame 1, atom 1 is Ne.*species are Ar")]:
        with pytest.raises(ValueError, match=words):
            fitted.predict(bad)
    with pytest.raises(ValueError, match="atom 1 is Ne"):
        PairPotential().fit(argon_frames[:2], validation=[label(neon, energy=0.0, forces=np.zeros((4, 3)))])
    with pytest.raises(TypeError, match=r"\[atoms\]"):
        fitted.predict(argon_frames[0])


def test_nothing_works_before_fit(tmp_path, argon_frames):
    for call in (lambda p: p.predict(argon_frames), lambda p: p.score(argon_frames), lambda p: p.calculator(),
                 lambda p: p.save(tmp_path / "x.safetensors")):
        with pytest.raises(NotFittedError, match=r"PairPotential.*not fitted"):
            call(PairPotential())
    assert not list(tmp_path.iterdir())


def test_a_fit_that_is_interrupted_leaves_the_potential_unfitted(argon_frames, fitted):
    class Interrupted(PairPotential):
        def _fit(self, frames, validation, progress):
            raise KeyboardInterrupt

    potential = Interrupted()
    potential.species_ = fitted.species_  # as after an earlier fit
    with pytest.raises(KeyboardInterrupt):
        potential.fit(argon_frames[:2])
    with pytest.raises(NotFittedError):
        potential.predict(argon_frames)


def test_a_potential_must_say_how_it_fits_and_predicts():
    with pytest.raises(TypeError, match="abstract"):
        Potential()


def test_labels_come_back_as_they_were_attached_with_nan_for_a_missing_stress(argon_frames):
    molecule = label(Atoms("Ar2", [[0, 0, 0], [0, 0, 4]]), energy=-0.01, forces=np.zeros((2, 3)))
    truth = labels([argon_frames[0], molecule])
    assert truth.energies.tolist() == [argon_frames[0].get_potential_energy(), -0.01]
    np.testing.assert_array_equal(truth.forces[0], argon_frames[0].get_forces())
    np.testing.assert_array_equal(truth.stresses[0], argon_frames[0].get_stress(voigt=False))
    assert np.isnan(truth.stresses[1]).all()
    molecule.calc.results["stress"] = np.zeros(6)  # of no volume: nobody measured it
    assert np.isnan(labels([argon_frames[0], molecule]).stresses[1]).all()
    assert labels([label(Atoms("H"), energy=1.0)]).forces is None


@pytest.mark.parametrize("parts", [
    {"energies": np.zeros((2, 1))}, {"energies": np.zeros(2), "forces": [np.zeros((3, 3))]},
    {"energies": np.zeros(2), "stresses": np.zeros((2, 6))},
])
def test_a_prediction_refuses_parts_that_disagree(parts):
    with pytest.raises(ValueError, match="energies"):
        Prediction(**parts)
