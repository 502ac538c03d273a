"""`ethanol_xtb`: C2H5OH at 500 K, GFN2-xTB energies and forces; `ethanol`: PBE/def2-TZVP labels on frames of it.

Fourteen independent trajectories of 300 frames, 20 fs apart, because one trajectory of a few picoseconds does not balance
the conformers: seeds 0–8 train, 9 validation, 10–13 test. Labels are computed in an order that visits all
seeds evenly, so that a part of the set is already a balanced set: `--publish-only` writes what is finished.

    pip install -r data/generate/requirements.txt
    OMP_NUM_THREADS=1 python data/generate/ethanol.py                    # 3.7 core-hours; stop and start it at will
    OMP_NUM_THREADS=1 python data/generate/ethanol.py --publish-only
"""

import sys
from functools import partial
from itertools import groupby

from ase.build import molecule
from molecular_dynamics import trajectory
from publish import SPLIT, publish, publish_archive, work_folder
from quantum_chemistry import density_functional, label, labelled

LEVEL = partial(density_functional, functional="pbe", basis="def2-tzvp", grid=3)
SIZES = {"train": 800, "validation": 100, "test": 200}


def split_of(atoms):
    return SPLIT[0 if atoms.info["seed"] < 9 else 1 if atoms.info["seed"] == 9 else 2]


def selection(trajectories):
    """Every third frame of seeds 0–9 and every sixth of 10–13, frame by frame over all seeds, to the sizes of the splits."""
    chosen = [trajectories[seed][frame] for frame in range(0, 300, 3) for seed in range(14)
              if seed < 10 or frame % 6 == 0]
    by_split = {part: list(group) for part, group in groupby(sorted(chosen, key=split_of), key=split_of)}
    kept = {id(atoms) for part, group in by_split.items() for atoms in group[:SIZES[part]]}
    return [atoms for atoms in chosen if id(atoms) in kept]


if __name__ == "__main__":
    work = work_folder("ethanol")
    trajectories = [trajectory(molecule("CH3CH2OH"), temperature=500, seed=seed, frames=300, stride=40,
                               path=work / f"xtb_seed{seed:02d}.extxyz") for seed in range(14)]
    database = work / "pbe_def2tzvp.db"
    if "--publish-only" not in sys.argv:
        label(selection(trajectories), database, LEVEL)
    publish_archive("ethanol_xtb", [atoms for run in trajectories for atoms in run], split_of)
    frames = labelled(database)
    for atoms in frames:
        source = trajectories[atoms.info["seed"]][atoms.info["frame"]]
        atoms.info["energy_xtb"] = source.get_potential_energy()
        atoms.arrays["forces_xtb"] = source.get_forces()
    publish("ethanol", frames, split_of)
