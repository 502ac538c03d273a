"""What was learned drives ASE: dynamics, relaxation of atoms and cell, and honest refusals."""

import numpy as np
import pytest
from argon import argon
from ase import Atoms, units
from ase.build import bulk
from ase.calculators.calculator import PropertyNotImplementedError
from ase.filters import FrechetCellFilter
from ase.md.velocitydistribution import thermalize_momenta
from ase.md.verlet import VelocityVerlet
from ase.optimize import BFGS
from pair_potential import PairPotential

from course_lib.learning import Prediction


def energy_spread(potential, step, steps):
    """Largest departure of the total energy from its start over an NVE run, eV."""
    atoms = argon(np.random.default_rng(1), rattle=0.05)
    atoms.calc = potential.calculator()
    thermalize_momenta(atoms, temperature_K=40, rng=np.random.default_rng(2))
    energies = [atoms.get_total_energy()]
    dynamics = VelocityVerlet(atoms, timestep=step * units.fs)
    dynamics.attach(lambda: energies.append(atoms.get_total_energy()))
    dynamics.run(steps)
    return np.abs(np.array(energies) - energies[0]).max()


def test_velocity_verlet_conserves_energy_to_the_square_of_the_time_step(fitted):
    coarse, fine = energy_spread(fitted, 16, 60), energy_spread(fitted, 8, 120)
    assert fine < 1e-4
    assert coarse / fine == pytest.approx(4, rel=0.25)


def test_forces_that_are_not_the_slope_of_the_energy_are_seen_in_dynamics(fitted, argon_frames):
    class Leaky(PairPotential):
        def _predict(self, frames):
            right = super()._predict(frames)
            return Prediction(right.energies, [1.1 * f for f in right.forces], right.stresses)

    leaky = Leaky().fit(argon_frames[:30])
    assert energy_spread(leaky, 8, 60) > 10 * energy_spread(fitted, 8, 60)


def test_relaxation_of_atoms_and_cell_ends_at_the_minimum_of_the_learned_energy(fitted):
    atoms = argon(np.random.default_rng(3))
    atoms.calc = fitted.calculator()
    BFGS(FrechetCellFilter(atoms), logfile=None).run(fmax=1e-4, steps=200)
    lattice = np.linspace(4.9, 5.6, 141)  # the oracle: a scan of the cubic lattice constant
    energies = fitted.predict([bulk("Ar", "fcc", a=a, cubic=True) for a in lattice]).energies
    a, b, _ = np.polyfit(lattice[(best := energies.argmin()) - 3:best + 4], energies[best - 3:best + 4], 2)
    assert np.abs(atoms.get_stress()).max() < 1e-4
    assert atoms.cell.lengths() == pytest.approx(-b / (2 * a), abs=5e-3)
    assert atoms.cell.angles() == pytest.approx(90, abs=0.1)
    assert atoms.get_potential_energy() == pytest.approx(energies.min(), abs=1e-5)


def test_it_answers_what_predict_answers_and_computes_a_geometry_once(fitted, argon_frames):
    calls = []

    class Counting(PairPotential):
        def _predict(self, frames):
            calls.append(len(frames))
            return super()._predict(frames)

    atoms = argon_frames[0].copy()
    atoms.calc = Counting().fit(argon_frames[:30]).calculator()
    energy, forces, stress = atoms.get_potential_energy(), atoms.get_forces(), atoms.get_stress(voigt=False)
    assert calls == [1]
    expected = fitted.predict([atoms])
    assert energy == expected.energies[0] == atoms.get_potential_energy(force_consistent=True)
    np.testing.assert_array_equal(forces, expected.forces[0])
    np.testing.assert_allclose(stress, expected.stresses[0], rtol=0, atol=1e-15)  # (σ_ab + σ_ba)/2 rounds
    atoms.positions[0] += 0.1
    assert atoms.get_potential_energy() != energy


def test_what_the_potential_cannot_give_is_refused_in_the_way_of_ase(fitted, argon_frames):
    class EnergyOnly(PairPotential):
        def _predict(self, frames):
            return Prediction(super()._predict(frames).energies)

    pair = Atoms("Ar2", [[0, 0, 0], [0, 0, 4]], calculator=fitted.calculator())
    assert np.isfinite(pair.get_forces()).all()
    with pytest.raises(PropertyNotImplementedError):
        pair.get_stress()  # a molecule has no volume
    atoms = argon_frames[0].copy()
    atoms.calc = EnergyOnly().fit(argon_frames[:30]).calculator()
    assert np.isfinite(atoms.get_potential_energy())
    with pytest.raises(PropertyNotImplementedError):
        atoms.get_forces()


def test_bad_structures_are_refused_and_a_mended_one_is_answered(fitted):
    atoms = Atoms("ArNe", [[0, 0, 0], [0, 0, 4]], calculator=fitted.calculator())
    with pytest.raises(ValueError, match="atom 1 is Ne"):
        atoms.get_potential_energy()
    atoms.symbols[1] = "Ar"
    atoms.positions[1, 2] = np.nan
    with pytest.raises(ValueError, match=r"atom 1.*not finite"):
        atoms.get_forces()
    atoms.positions[1, 2] = 4
    assert np.isfinite(atoms.get_forces()).all()
