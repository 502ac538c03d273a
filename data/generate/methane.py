"""`methane`: CH4 at 1500 K, CCSD(T)/cc-pVDZ energies; `methane_b3lyp`: the same geometries, B3LYP/6-31G* energies and forces.

Seven independent trajectories of GFN2-xTB, 250 frames each, 20 fs apart: seeds 0–3 train, 4 validation, 5–6 test.

    pip install -r data/generate/requirements.txt
    OMP_NUM_THREADS=1 python data/generate/methane.py                    # 40 core-minutes; stop and start it at will
    OMP_NUM_THREADS=1 python data/generate/methane.py --publish-only     # writes what is finished
"""

import sys
from functools import partial

from ase.build import molecule
from molecular_dynamics import trajectory
from publish import SPLIT, publish, work_folder
from quantum_chemistry import coupled_cluster, density_functional, label, labelled

LEVELS = {"methane": partial(coupled_cluster, basis="cc-pvdz"),
          "methane_b3lyp": partial(density_functional, functional="b3lyp", basis="6-31g*", grid=3)}

if __name__ == "__main__":
    work = work_folder("methane")
    frames = [frame for seed in range(7)
              for frame in trajectory(molecule("CH4"), temperature=1500, seed=seed, frames=250, stride=40,
                                      path=work / f"xtb_seed{seed}.extxyz")]
    for name, compute in LEVELS.items():
        if "--publish-only" not in sys.argv:
            label(frames, work / f"{name}.db", compute)
        publish(name, labelled(work / f"{name}.db"),
                lambda atoms: SPLIT[0 if atoms.info["seed"] < 4 else 1 if atoms.info["seed"] == 4 else 2])
