"""`water_tensors`: dipole and polarizability of H2O at 1000 K and of (H2O)2 at 150 K, B3LYP/aug-cc-pVDZ.

Independent trajectories of GFN2-xTB, each started in a random orientation: eight of the monomer, 100 frames 20 fs apart, and
six of the dimer, 50 frames 100 fs apart. Seeds 0–4 and 8–10 train, 5 and 11 validation, 6–7 and 12–13 test. Labels are
computed in an order that visits all seeds and times evenly, so that a part of the set is already a balanced set.

    pip install -r data/generate/requirements.txt
    OMP_NUM_THREADS=1 python data/generate/water_tensors.py                    # 30 core-minutes; stop and start it at will
    OMP_NUM_THREADS=1 python data/generate/water_tensors.py --publish-only     # writes what is finished
"""

import sys
from functools import partial

from ase import Atoms
from ase.build import molecule
from molecular_dynamics import trajectory
from publish import SPLIT, publish_archive, work_folder
from quantum_chemistry import label, labelled, response
from scipy.spatial.transform import Rotation

DIMER = Atoms("OH2OH2", [[0, 0, 0], [0.96, 0, 0], [-0.24, 0.93, 0], [2.9, 0, 0], [3.25, -0.45, 0.76], [3.25, -0.45, -0.76]])
LEVEL = partial(response, functional="b3lyp", basis="aug-cc-pvdz", grid=2)
TEST, VALIDATION = (6, 7, 12, 13), (5, 11)


def split_of(atoms):
    return SPLIT[2 if atoms.info["seed"] in TEST else 1 if atoms.info["seed"] in VALIDATION else 0]


def turned(atoms, seed):
    return Atoms(atoms.numbers, Rotation.random(rng=seed).apply(atoms.positions))


if __name__ == "__main__":
    work = work_folder("water_tensors")
    monomers = [trajectory(turned(molecule("H2O"), seed), temperature=1000, seed=seed, frames=100, stride=40,
                           path=work / f"xtb_seed{seed:02d}.extxyz") for seed in range(8)]
    dimers = [trajectory(turned(DIMER, seed), temperature=150, seed=seed, frames=50, stride=200, equilibration=10_000,
                         path=work / f"xtb_seed{seed:02d}.extxyz") for seed in range(8, 14)]
    rounds = [21 * count % 50 for count in range(50)]  # anywhere one stops, the frames are spread over time
    evenly = [run[frame] for half in rounds for run, frame in
              [*((run, 2 * half + odd) for odd in (0, 1) for run in monomers), *((run, half) for run in dimers)]]
    database = work / "b3lyp_augccpvdz.db"
    if "--publish-only" not in sys.argv:
        label(evenly, database, LEVEL)
    frames = labelled(database)
    for atoms in frames:
        atoms.info["molecules"] = len(atoms) // 3
    publish_archive("water_tensors", frames, split_of)
