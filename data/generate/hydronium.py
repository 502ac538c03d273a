"""`hydronium`: H3O⁺ at 1500 K, CCSD(T)/aug-cc-pVDZ energies, on both sides of the umbrella inversion.

Seven independent trajectories of GFN2-xTB, 250 frames each, 20 fs apart: seeds 0–3 train, 4 validation, 5–6 test.

    pip install -r data/generate/requirements.txt
    OMP_NUM_THREADS=1 python data/generate/hydronium.py                    # 30 core-minutes; stop and start it at will
    OMP_NUM_THREADS=1 python data/generate/hydronium.py --publish-only     # writes what is finished
"""

import sys
from functools import partial

from ase import Atoms
from molecular_dynamics import trajectory
from publish import SPLIT, publish, work_folder
from quantum_chemistry import coupled_cluster, label, labelled

LEVEL = partial(coupled_cluster, basis="aug-cc-pvdz", charge=1)

if __name__ == "__main__":
    work = work_folder("hydronium")
    start = Atoms("OH3", [[0, 0, 0.1], [0.94, 0, -0.1], [-0.47, 0.81, -0.1], [-0.47, -0.81, -0.1]])
    frames = [frame for seed in range(7)
              for frame in trajectory(start, temperature=1500, seed=seed, frames=250, stride=40, charge=1,
                                      path=work / f"xtb_seed{seed}.extxyz")]
    if "--publish-only" not in sys.argv:
        label(frames, work / "hydronium.db", LEVEL)
    publish("hydronium", labelled(work / "hydronium.db"),
            lambda atoms: SPLIT[0 if atoms.info["seed"] < 4 else 1 if atoms.info["seed"] == 4 else 2])
