"""Points beside the published ones, computed once more at the same level: what tests/data compares the labels with.

For the first training frame and the last test frame of each molecular set, in `tests/data/<name>_recomputed.json`:
the frame turned and reflected (every label there is); where there are forces, the energies at ±STEP along one random
direction in all coordinates; where there are dipoles, energy and dipole in fields ±FIELD along each axis.

    PYTHONPATH=. OMP_NUM_THREADS=1 engines/bin/python data/generate/recompute.py              # 15 core-minutes
    PYTHONPATH=. OMP_NUM_THREADS=1 engines/bin/python data/generate/recompute.py hydronium    # one set
"""

import json
import sys

import degenerate_methane
import ethanol
import hydronium
import methane
import numpy as np
import water_tensors
from ase import Atoms
from publish import DATA
from quantum_chemistry import in_electric_field
from scipy.spatial.transform import Rotation
from tblite.ase import TBLite

from course_lib.structures import load

STEP = 0.002  # Å, length of the displacement of all coordinates together
FIELD = 0.02  # V/Å
IDENTITY = "seed", "frame", "pair", "member"


def tight_binding(atoms):
    atoms.calc = TBLite(method="GFN2-xTB", verbosity=0, accuracy=0.1)
    return dict(energy=atoms.get_potential_energy(), forces=atoms.get_forces())


LEVELS = methane.LEVELS | {"ethanol": ethanol.LEVEL, "ethanol_xtb": tight_binding, "hydronium": hydronium.LEVEL,
                           "degenerate_methane": degenerate_methane.LEVEL, "water_tensors": water_tensors.LEVEL}


def points(atoms, compute, rng):
    """What was done to the frame, and the labels there."""
    matrix = -Rotation.random(rng=rng).as_matrix()
    yield dict(turned=matrix, **compute(Atoms(atoms.numbers, atoms.positions @ matrix.T)))
    if "forces" in atoms.calc.results:
        direction = rng.normal(size=atoms.positions.shape)
        direction *= STEP / np.linalg.norm(direction)
        for moved in (direction, -direction):
            there = Atoms(atoms.numbers, atoms.positions + moved)
            yield dict(moved=moved, energy=compute(there)["energy"])
    if "dipole" in atoms.calc.results:
        for field in FIELD * np.vstack([np.eye(3), -np.eye(3)]):
            yield dict(field=field, **in_electric_field(atoms, field, **compute.keywords))


def recompute(name):
    dataset, rng = load(name), np.random.default_rng(0)
    found = [dict(frame={key: atoms.info[key] for key in IDENTITY if key in atoms.info}, **point)
             for atoms in (dataset.train[0], dataset.test[-1]) for point in points(atoms, LEVELS[name], rng)]
    path = DATA.parent / f"tests/data/{name}_recomputed.json"
    lines = ",\n ".join(json.dumps(point, default=lambda array: array.tolist()) for point in found)
    path.write_text(f"[{lines}]\n", encoding="utf-8")


if __name__ == "__main__":
    for name in sys.argv[1:] or LEVELS:
        recompute(name)
