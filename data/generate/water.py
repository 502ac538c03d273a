"""`water`: liquid water, 32 molecules in a periodic box, RPBE-D3 energies and forces from CP2K.

One trajectory on the committee of neural network potentials which CP2K carries (Schran, Brezina, Marsalek, J. Chem. Phys.
153, 104105 (2020)), itself fitted to this functional: 2 ps at 400 K and 3 ps at 300 K to forget the start, then a frame every
100 fs at 300 K. Seven picoseconds train, one validates, two test, with a picosecond left out between them; info['time'] is
in fs.

    apt-get install cp2k cp2k-data                                     # 2023.1
    pip install -r data/generate/requirements.txt
    OMP_NUM_THREADS=1 python data/generate/water.py                    # 3 core-hours; stop and start it at will
    OMP_NUM_THREADS=1 python data/generate/water.py --publish-only     # writes what is finished
"""

import sys
from functools import partial
from pathlib import Path

import numpy as np
from ase import Atoms, units
from ase.build import bulk
from ase.calculators.cp2k import CP2K
from ase.io import read, write
from ase.md.langevin import Langevin
from ase.md.velocitydistribution import MaxwellBoltzmannDistribution
from publish import SPLIT, publish, work_folder
from quantum_chemistry import NotConverged, label, labelled
from scipy.spatial.transform import Rotation

MOLECULES = 32
DENSITY = 0.997  # g/cm³
DEUTERIUM = 2.014  # the ensemble does not depend on masses, and slower hydrogens allow steps of 1 fs
EQUILIBRATION = 5  # segments of 1 ps
PART = {**dict.fromkeys(range(5, 12), SPLIT[0]), 13: SPLIT[1], **dict.fromkeys((15, 16), SPLIT[2])}
COMMITTEE = Path("/usr/share/cp2k/NNP/bulkH2O-jcp2020-cnnp")
NETWORKS = f"""
&FORCE_EVAL
  &NNP
    NNP_INPUT_FILE_NAME {COMMITTEE}/nnp-1/input.nn
    SCALE_FILE_NAME {COMMITTEE}/nnp-1/scaling.data
    {"".join(f'''
    &MODEL
      WEIGHTS {COMMITTEE}/nnp-{member}/weights
    &END MODEL''' for member in range(1, 9))}
  &END NNP
&END FORCE_EVAL
"""
KOHN_SHAM = """
&FORCE_EVAL
  &DFT
    &MGRID
      REL_CUTOFF 40
    &END MGRID
    &QS
      EPS_DEFAULT 1.0E-10
    &END QS
    &SCF
      EPS_SCF 1.0E-6
      &DIAGONALIZATION
      &END DIAGONALIZATION
      &MIXING
        METHOD BROYDEN_MIXING
        ALPHA 0.4
        NBROYDEN 8
      &END MIXING
      &PRINT
        &RESTART OFF
        &END RESTART
      &END PRINT
    &END SCF
    &XC
      &XC_GRID
        XC_SMOOTH_RHO NN50
        XC_DERIV NN50_SMOOTH
      &END XC_GRID
      &VDW_POTENTIAL
        POTENTIAL_TYPE PAIR_POTENTIAL
        &PAIR_POTENTIAL
          TYPE DFTD3
          PARAMETER_FILE_NAME dftd3.dat
          REFERENCE_FUNCTIONAL RPBE
          R_CUTOFF 12
        &END PAIR_POTENTIAL
      &END VDW_POTENTIAL
    &END XC
  &END DFT
&END FORCE_EVAL
"""


def start() -> Atoms:
    """Molecules in random orientations on the sites of a face-centred lattice, far enough apart not to clash."""
    grams = MOLECULES * 18.0154 / units._Nav
    side = (grams / DENSITY) ** (1 / 3) * 1e8
    sites = (bulk("O", "fcc", a=side / 2, cubic=True) * (2, 2, 2)).positions
    molecule = np.array([[0, 0, 0], [0.757, 0.586, 0], [-0.757, 0.586, 0]])
    turns = Rotation.random(MOLECULES, rng=np.random.default_rng(0))
    positions = np.concatenate([turn.apply(molecule) + site for turn, site in zip(turns, sites, strict=True)])
    atoms = Atoms("OH2" * MOLECULES, positions, cell=[side] * 3, pbc=True)
    atoms.set_masses(np.where(atoms.numbers == 1, DEUTERIUM, atoms.get_masses()))
    MaxwellBoltzmannDistribution(atoms, temperature_K=400, rng=np.random.default_rng(0))
    return atoms


def segment(index: int, before: Atoms, folder: Path) -> list[Atoms]:
    """Ten frames, one every 100 fs, which go on from `before`; a file that is whole or is not there."""
    path = folder / f"committee_{index:02d}.extxyz"
    if not path.exists():
        atoms = before.copy()
        # without a molecule's electrons there is nothing to set but the networks
        with CP2K(label=str(folder / "committee"), inp=NETWORKS, force_eval_method="NNP", stress_tensor=False,
                  **dict.fromkeys(("basis_set", "basis_set_file", "potential_file", "pseudo_potential", "cutoff", "max_scf",
                                   "xc", "poisson_solver"))) as atoms.calc:
            dynamics = Langevin(atoms, units.fs, temperature_K=400 if index < 2 else 300, friction=0.01 / units.fs,
                                rng=np.random.default_rng(index), fixcm=False)
            snapshots = []
            for _ in range(10):
                dynamics.run(100)
                snapshots.append(atoms.copy())
        partial_file = path.with_suffix(".partial")
        write(partial_file, snapshots, format="extxyz", columns=["symbols", "positions", "momenta", "masses"])
        partial_file.rename(path)
    return read(path, ":")


def trajectory(folder: Path) -> list[Atoms]:
    """The frames of the parts that train, validate and test; `frame` counts in steps of 100 fs since equilibration."""
    before, frames = start(), []
    for index in range(max(PART) + 1):
        snapshots = segment(index, before, folder)
        before = snapshots[-1]
        for position, snapshot in enumerate(snapshots if index in PART else []):
            frame = 10 * (index - EQUILIBRATION) + position
            frames.append(Atoms(snapshot.numbers, snapshot.positions, cell=snapshot.cell, pbc=True,
                                info=dict(seed=0, frame=frame, time=100 * frame)))
    return frames


def density_functional(atoms: Atoms, folder: Path) -> dict:
    """RPBE-D3 energy and forces (mean force removed): DZVP-MOLOPT-SR, GTH pseudopotentials, plane waves to 400 Ry, Γ.

    The functional sees a smoothed density, or forces on oxygen would depend on where its nucleus lies between grid points:
    by 0.24 eV/Å when the liquid is shifted, and with smoothing by 0.08 and 0.11 eV/Å in two frames tried.
    """
    output = folder / "density_functional.out"
    output.unlink(missing_ok=True)
    try:
        with CP2K(label=str(output.with_suffix("")), inp=KOHN_SHAM, xc="GGA_X_RPBE GGA_C_PBE",
                  basis_set="DZVP-MOLOPT-SR-GTH", pseudo_potential="GTH-PBE", cutoff=400 * units.Rydberg, max_scf=50,
                  stress_tensor=False) as engine:
            energy, forces = engine.get_potential_energy(atoms), engine.get_forces(atoms)
    finally:
        if output.exists() and "SCF run NOT converged" in output.read_text():
            raise NotConverged(output)
    return dict(energy=energy, forces=forces - forces.mean(axis=0))


if __name__ == "__main__":
    work = work_folder("water")
    frames = trajectory(work)
    if "--publish-only" not in sys.argv:
        label(sorted(frames, key=lambda atoms: f"{atoms.info['frame']:08b}"[::-1]),  # the first few span all times
              work / "rpbe_d3.db", partial(density_functional, folder=work))
    finished = labelled(work / "rpbe_d3.db")
    for atoms in finished:
        atoms.info["time"] = 100 * atoms.info["frame"]
    publish("water", finished, lambda atoms: PART[EQUILIBRATION + atoms.info["frame"] // 10])
