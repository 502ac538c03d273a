import numpy as np
from ase.build import bulk
from ase.calculators.singlepoint import SinglePointCalculator


def label(atoms, **results):
    atoms.calc = SinglePointCalculator(atoms, **results)
    return atoms


def argon(rng, rattle=0.15, repeat=1):
    """Solid argon, strained and rattled; the cubic cell (5.3 Å) is smaller than the cutoff of 6 Å."""
    atoms = bulk("Ar", "fcc", a=5.3, cubic=True).repeat(repeat)
    strain = rng.normal(scale=0.02, size=(3, 3))
    atoms.set_cell(atoms.cell @ (np.eye(3) + (strain + strain.T) / 2), scale_atoms=True)
    atoms.positions += rng.normal(scale=rattle, size=atoms.positions.shape)
    return atoms
