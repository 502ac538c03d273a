"""Reference labels from PySCF, kept point by point in an ASE database.

A killed run loses only the point in flight; starting it again goes on from there, and several workers may share one
database, which costs a point computed twice at worst. A point that does not converge is recorded as such, reported, and left
out of the data set.
Energies in eV, forces in eV/Å, dipoles in e·Å.
"""

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from ase.db import connect
from pyscf import cc, dft, gto, lib, scf
from scipy.constants import physical_constants
from tqdm import tqdm

lib.num_threads(1)
Hartree = physical_constants["Hartree energy in eV"][0]
Bohr = physical_constants["Bohr radius"][0] * 1e10


class NotConverged(RuntimeError):
    pass


def _molecule(atoms: Atoms, basis: str, charge: int = 0):
    geometry = list(zip(atoms.symbols, atoms.positions, strict=True))
    return gto.M(atom=geometry, basis=basis, charge=charge, verbose=0)


def density_functional(atoms: Atoms, *, functional: str, basis: str) -> dict:
    """Energy, forces (mean force removed) and dipole: density fitting, grid level 3 with its response."""
    # the functional comes first: density_fit() chooses the auxiliary basis by it, 2 meV here
    field = dft.RKS(_molecule(atoms, basis), xc=functional).density_fit()
    field.grids.level, field.conv_tol, field.conv_tol_grad = 3, 1e-9, 1e-5
    energy = field.kernel()
    if not field.converged:
        raise NotConverged(functional)
    gradient = field.nuc_grad_method()
    gradient.grid_response = True
    forces = -gradient.kernel() * Hartree / Bohr
    return dict(energy=energy * Hartree, forces=forces - forces.mean(axis=0),
                dipole=field.dip_moment(unit="AU", verbose=0) * Bohr)


def coupled_cluster(atoms: Atoms, *, basis: str, charge: int = 0) -> dict:
    """CCSD(T) energy with a frozen core; refuses a point whose T1 diagnostic exceeds 0.02."""
    field = scf.RHF(_molecule(atoms, basis, charge)).run(conv_tol=1e-10)
    correlation = cc.CCSD(field, frozen=int((atoms.numbers > 2).sum()))
    correlation.conv_tol = 1e-8
    correlation.kernel()
    if not (field.converged and correlation.converged):
        raise NotConverged("CCSD")
    if np.linalg.norm(correlation.t1) / np.sqrt(2 * correlation.nocc) > 0.02:
        raise NotConverged("T1 diagnostic above 0.02")
    return dict(energy=(correlation.e_tot + correlation.ccsd_t()) * Hartree)


def label(frames: Iterable[Atoms], database: Path, compute: Callable[[Atoms], dict]) -> None:
    """Compute what `database` does not hold yet; a frame is known by `info['seed']` and `info['frame']`."""
    store = connect(database)
    for atoms in tqdm(list(frames), mininterval=30):
        key = {name: int(atoms.info[name]) for name in ("seed", "frame")}
        if store.count(**key):
            continue
        labelled = Atoms(atoms.numbers, atoms.positions)
        try:
            labelled.calc = SinglePointCalculator(labelled, **compute(atoms))
            store.write(labelled, converged=True, **key)
        except NotConverged as reason:
            store.write(labelled, converged=False, **key)
            tqdm.write(f"{database.name}: seed {key['seed']} frame {key['frame']} left out: {reason}")


def labelled(database: Path) -> list[Atoms]:
    """The converged points, in the order of (seed, frame)."""
    points = {(row.seed, row.frame): row for row in connect(database).select(converged=True)}
    rows = [points[key] for key in sorted(points)]
    frames = []
    for row in rows:
        atoms = row.toatoms()
        atoms.info = dict(seed=row.seed, frame=row.frame)
        frames.append(atoms)
    return frames
