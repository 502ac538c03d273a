"""Geometries for the molecular sets: Langevin molecular dynamics on GFN2-xTB.

GFN2-xTB (Bannwarth, Ehlert, Grimme, JCTC 15, 1652 (2019)) through `tblite`; energies in eV, forces in eV/Å.
A trajectory is a function of its seed, and its file appears only when it is complete.
"""

from pathlib import Path

import numpy as np
from ase import Atoms, units
from ase.calculators.singlepoint import SinglePointCalculator
from ase.io import read, write
from ase.md.langevin import Langevin
from ase.md.velocitydistribution import MaxwellBoltzmannDistribution
from ase.optimize import BFGS
from tblite.ase import TBLite


def trajectory(molecule: Atoms, *, temperature: float, seed: int, frames: int, stride: int, path: Path,
               time_step: float = 0.5, equilibration: int = 2000, charge: int = 0) -> list[Atoms]:
    """`frames` snapshots, one every `stride` steps of `time_step` fs at `temperature` K, after `equilibration` steps."""
    if path.exists():
        return read(path, ":")
    rng = np.random.default_rng(seed)
    atoms = molecule.copy()
    atoms.calc = TBLite(method="GFN2-xTB", charge=charge, verbosity=0, accuracy=0.1)
    BFGS(atoms, logfile=None).run(fmax=0.01, steps=200)
    MaxwellBoltzmannDistribution(atoms, temperature_K=temperature, rng=rng)
    dynamics = Langevin(atoms, time_step * units.fs, temperature_K=temperature, friction=0.01 / units.fs,
                        rng=rng, fixcm=False)
    dynamics.run(equilibration)
    snapshots = []

    def record():
        frame = Atoms(atoms.numbers, atoms.positions - atoms.get_center_of_mass())
        frame.calc = SinglePointCalculator(frame, energy=atoms.get_potential_energy(), forces=atoms.get_forces().copy())
        frame.info.update(seed=seed, frame=len(snapshots))
        snapshots.append(frame)

    for _ in range(frames):
        record()
        dynamics.run(stride)
    partial = path.with_suffix(".partial")
    write(partial, snapshots, format="extxyz")
    partial.rename(path)
    return read(path, ":")
