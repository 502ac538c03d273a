import numpy as np
import pytest
from argon import argon, label
from ase.calculators.lj import LennardJones
from pair_potential import PairPotential


@pytest.fixture(scope="session")
def argon_frames():
    """40 frames of 4 atoms, labelled with energy, forces and stress by ASE's own smooth Lennard-Jones."""
    rng, frames = np.random.default_rng(0), []
    for _ in range(40):
        atoms = argon(rng)
        atoms.calc = LennardJones(sigma=3.4, epsilon=0.0104, rc=6.0, ro=4.0, smooth=True)
        results = {"energy": atoms.get_potential_energy(), "forces": atoms.get_forces(), "stress": atoms.get_stress()}
        frames.append(label(atoms, **results))
    return frames


@pytest.fixture(scope="session")
def fitted(argon_frames):
    return PairPotential().fit(argon_frames[:30], progress=False)
