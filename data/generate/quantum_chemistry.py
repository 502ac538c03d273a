"""Reference labels from PySCF, kept point by point in an ASE database.

A killed run loses only the point in flight; starting it again goes on from there, and several workers may share one
database, which costs a point computed twice at worst. A point that does not converge is recorded as such, reported, and left
out of the data set.
Energies in eV, forces in eV/Å, dipoles in e·Å, polarizabilities in Å³.
"""

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.calculators.calculator import all_properties
from ase.calculators.singlepoint import SinglePointCalculator
from ase.db import connect
from pyscf import cc, dft, gto, lib, scf
from pyscf.prop.polarizability.rks import Polarizability
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


def _kohn_sham(atoms: Atoms, functional: str, basis: str, grid: int):
    """A calculation with density fitting, not run yet."""
    # the functional comes first: density_fit() chooses the auxiliary basis by it, 2 meV here
    field = dft.RKS(_molecule(atoms, basis), xc=functional).density_fit()
    field.grids.level, field.conv_tol, field.conv_tol_grad = grid, 1e-9, 1e-5
    return field


def density_functional(atoms: Atoms, *, functional: str, basis: str, grid: int) -> dict:
    """Energy, forces (mean force removed) and dipole: density fitting, forces with the response of the grid."""
    field = _kohn_sham(atoms, functional, basis, grid)
    energy = field.kernel()
    if not field.converged:
        raise NotConverged(functional)
    gradient = field.nuc_grad_method()
    gradient.grid_response = True
    forces = -gradient.kernel() * Hartree / Bohr
    return dict(energy=energy * Hartree, forces=forces - forces.mean(axis=0),
                dipole=field.dip_moment(unit="AU", verbose=0) * Bohr)


def response(atoms: Atoms, *, functional: str, basis: str, grid: int) -> dict:
    """Energy, dipole and static polarizability from the coupled perturbed equations: density fitting.

    The perturbed equations use the grid of the next lower level and stop at a residual of 1e-4: below 3e-4 Å³ in all.
    """
    field = _kohn_sham(atoms, functional, basis, grid)
    energy = field.kernel()
    if not field.converged:
        raise NotConverged(functional)
    labels = dict(energy=energy * Hartree, dipole=field.dip_moment(unit="AU", verbose=0) * Bohr)
    field.grids = dft.Grids(field.mol).set(level=grid - 1)
    perturbed = Polarizability(field).set(conv_tol=1e-4)
    return labels | dict(polarizability=perturbed.polarizability() * Bohr**3)


def in_electric_field(atoms: Atoms, strength: np.ndarray, *, functional: str, basis: str, grid: int) -> dict:
    """Energy and dipole in a uniform field of `strength` (3,) V/Å, in which a charge q at r has the energy −q r·F."""
    field = _kohn_sham(atoms, functional, basis, grid)
    force = np.asarray(strength) * Bohr / Hartree
    core = field.get_hcore() + np.einsum("x,xij->ij", force, field.mol.intor("int1e_r"))
    field.get_hcore = lambda *_: core
    energy = field.kernel() - field.mol.atom_charges() @ field.mol.atom_coords() @ force
    if not field.converged:
        raise NotConverged(functional)
    return dict(energy=energy * Hartree, dipole=field.dip_moment(unit="AU", verbose=0) * Bohr)


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
        labelled = Atoms(atoms.numbers, atoms.positions, cell=atoms.cell, pbc=atoms.pbc)
        try:
            labels = compute(atoms)
            known = {name: value for name, value in labels.items() if name in all_properties}
            labelled.calc = SinglePointCalculator(labelled, **known)
            store.write(labelled, converged=True, data={name: labels[name] for name in labels.keys() - known}, **key)
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
        atoms.info = dict(seed=row.seed, frame=row.frame, **row.data)
        frames.append(atoms)
    return frames
