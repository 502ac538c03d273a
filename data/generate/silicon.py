"""`silicon`: PBE energies, forces and stresses of the crystal and its melt, from Quantum ESPRESSO.

Cells of two atoms: the equation of state (seed 0) and random strains and displacements (seed 1). Cells of eight: one run of
Langevin molecular dynamics a seed on the Stillinger–Weber potential, each in a cell strained at random, two frames 300 fs
apart: seeds 300–324 at 300 K, 1000–1024 at 1000 K, 3000–3024 at 3000 K.
Labels are computed in an order that visits all kinds evenly, after the equation of state, so that a part of the set is
already a balanced set.

    apt-get install quantum-espresso quantum-espresso-data libopenblas0-serial    # 6.7: pw.x and Si.pbe-rrkj.UPF
    pip install -r data/generate/requirements.txt
    OMP_NUM_THREADS=1 python data/generate/silicon.py                    # 50 core-minutes; stop and start it at will
    OMP_NUM_THREADS=1 python data/generate/silicon.py --publish-only     # writes what is finished
"""

import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
from ase import Atoms, units
from ase.build import bulk
from ase.calculators.espresso import Espresso, EspressoProfile
from ase.io import read, write
from ase.md.langevin import Langevin
from ase.md.velocitydistribution import MaxwellBoltzmannDistribution
from matscipy.calculators.manybody import Manybody
from matscipy.calculators.manybody.explicit_forms.stillinger_weber import Stillinger_Weber_PRB_31_5262_Si, StillingerWeber
from publish import SPLIT, publish, work_folder
from quantum_chemistry import NotConverged, label, labelled

LATTICE = 5.47  # Å, near the equilibrium of PBE
TEMPERATURES = (300, 1000, 3000)
PSEUDOPOTENTIALS = "/usr/share/espresso/pseudo"


def strained(atoms: Atoms, deviation: float, rng: np.random.Generator) -> Atoms:
    """A symmetric strain whose components have the standard `deviation`, atoms moving along."""
    strain = rng.normal(size=(3, 3)) * deviation
    atoms.set_cell(atoms.cell[:] @ (np.eye(3) + (strain + strain.T) / 2), scale_atoms=True)
    return atoms


def static_cells() -> list[Atoms]:
    """Fifteen cells of the equation of state, then sixty strained and rattled ones."""
    rng = np.random.default_rng(1)
    cells = [bulk("Si", a=LATTICE * scale) for scale in np.linspace(0.94, 1.08, 15)]
    for index, atoms in enumerate(cells):
        atoms.info = dict(seed=0, frame=index, kind="equation of state", temperature=0)
    for index in range(60):
        atoms = strained(bulk("Si", a=LATTICE * rng.uniform(0.97, 1.04)), 0.02, rng)
        atoms.rattle(0.06, rng=rng)
        atoms.info = dict(seed=1, frame=index, kind="strained", temperature=0)
        cells.append(atoms)
    return cells


def trajectory(temperature: int, seed: int, path: Path) -> list[Atoms]:
    """Two snapshots of eight atoms, 300 fs apart, after 600 fs; a file that is whole or is not there.

    At 3000 K the crystal of the potential is superheated and stays: the melt spends its first 300 fs at 10 000 K.
    """
    if path.exists():
        return read(path, ":")
    rng = np.random.default_rng(seed)
    atoms = strained(bulk("Si", a=LATTICE * rng.uniform(0.97, 1.03), cubic=True), 0.015, rng)
    atoms.calc = Manybody(**StillingerWeber(Stillinger_Weber_PRB_31_5262_Si))
    start = 10_000 if temperature == 3000 else temperature
    # half of the kinetic energy becomes potential energy
    MaxwellBoltzmannDistribution(atoms, temperature_K=2 * start, rng=rng)
    dynamics = Langevin(atoms, 2 * units.fs, temperature_K=start, friction=0.02 / units.fs, rng=rng, fixcm=False)
    dynamics.run(150)
    dynamics.set_temperature(temperature_K=temperature)
    dynamics.run(150)
    snapshots = []
    for frame in range(2):
        dynamics.run(150)
        snapshots.append(Atoms(atoms.numbers, atoms.positions, cell=atoms.cell, pbc=True,
                               info=dict(seed=seed, frame=frame, kind="melt" if temperature == 3000 else "crystal",
                                         temperature=temperature)))
        snapshots[-1].wrap()
    partial_file = path.with_suffix(".partial")
    write(partial_file, snapshots, format="extxyz")
    partial_file.rename(path)
    return read(path, ":")


# Both keep the symmetry of the crystal (a shifted grid of the two-atom cell would not: 1.6 GPa of shear from nothing), and
# both give it the same energy an atom to 0.6 meV (6³ and 4³ on Γ differ by 9).
K_POINTS = {2: dict(kpts=(8, 8, 8), koffset=(0, 0, 0)), 8: dict(kpts=(4, 4, 4), koffset=(1, 1, 1))}


def plane_waves(atoms: Atoms, directory: Path) -> dict:
    """PBE energy (eV), forces (eV/Å, mean force removed) and stress (eV/Å³, ASE's sign and order).

    Norm-conserving pseudopotential Si.pbe-rrkj, plane waves to 24 Ry. Gaussian smearing of 0.01 Ry: its free energy
    is the energy here, forces and stress are its derivatives. (Cold smearing has occupations above one, so the Fermi energy of
    an insulator is ambiguous; pw.x 6.7 then finds 13 instead of 15 THz for the optical phonon.)
    """
    settings = dict(control=dict(tprnfor=True, tstress=True, disk_io="none"),
                    system=dict(ecutwfc=24, occupations="smearing", smearing="gaussian", degauss=0.01),
                    electrons=dict(conv_thr=1e-9, mixing_beta=0.6))
    engine = Espresso(profile=EspressoProfile("pw.x", PSEUDOPOTENTIALS), directory=directory, input_data=settings,
                      pseudopotentials={"Si": "Si.pbe-rrkj.UPF"}, **K_POINTS[len(atoms)])
    try:
        engine.calculate(atoms, ["energy", "forces", "stress"], [])
    except subprocess.CalledProcessError as reason:
        if reason.returncode != 2:  # that of a density which does not converge; others are of pw.x killed, or not there
            raise
        raise NotConverged(f"{reason}, see {directory}") from reason
    results = engine.results
    return dict(energy=results["energy"], forces=results["forces"] - results["forces"].mean(axis=0),
                stress=results["stress"])


def split_of(atoms: Atoms) -> str:
    """By deformation and by run, never by frame: a fifth tests, an eighth validates; the melt is for testing alone."""
    info = atoms.info
    number = info["frame"] if info["kind"] in ("equation of state", "strained") else info["seed"] % 100
    return SPLIT[2 if info["kind"] == "melt" or number % 5 == 3 else 1 if number % 10 == 1 else 0]


def evenly_mixed(*groups: list[Atoms]) -> list[Atoms]:
    """Any part from the start holds the same share of every group."""
    places = [((index + 0.5) / len(group), atoms) for group in groups for index, atoms in enumerate(group)]
    return [atoms for _, atoms in sorted(places, key=lambda place: place[0])]


if __name__ == "__main__":
    work = work_folder("silicon")
    runs = [trajectory(temperature, temperature + run, work / f"stillinger_weber_{temperature + run}.extxyz")
            for run in range(25) for temperature in TEMPERATURES]
    static = static_cells()
    frames = static[:15] + evenly_mixed(static[15:], [snapshots[frame] for frame in range(2) for snapshots in runs])
    if "--publish-only" not in sys.argv:
        label(frames, work / "pbe.db", partial(plane_waves, directory=work / "pw"))
    origin = {(atoms.info["seed"], atoms.info["frame"]): atoms.info for atoms in frames}
    finished = labelled(work / "pbe.db")
    for atoms in finished:
        atoms.info = dict(origin[atoms.info["seed"], atoms.info["frame"]])
    publish("silicon", finished, split_of)
