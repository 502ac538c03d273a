"""Points beside published ones of the periodic sets, computed once more: what tests/data compares energies and forces with.

In `tests/data/<name>_crystals.json`, for a few frames known by seed and frame: the energies at ±STEP along one random
direction in all coordinates, at ±STRAIN along one random strain where there are stresses, and every label of the frame
moved by a vector which is none of the lattice. For silicon also the perfect crystal in cells of two and of eight atoms.

    OMP_NUM_THREADS=1 python data/generate/recompute_crystals.py silicon water    # 4 and 6 core-minutes
"""

import json
import sys
from functools import partial

import numpy as np
import silicon
import water
from ase import Atoms
from ase.build import bulk
from ase.io import read
from publish import DATA, work_folder

STEP = 0.01  # Å, length of the displacement of all coordinates together
STRAIN = 0.005  # norm of the strain
FRAMES = {"silicon": [(1, 0), (1000, 0), (3000, 0)], "water": [(0, 0)]}
LEVELS = {"silicon": partial(silicon.plane_waves, directory=work_folder("silicon") / "pw_recompute"),
          "water": partial(water.density_functional, folder=work_folder("water_recompute"))}


def points(atoms: Atoms, compute, rng: np.random.Generator):
    """What was done to the frame, and the labels there."""
    direction = rng.normal(size=atoms.positions.shape)
    direction *= STEP / np.linalg.norm(direction)
    for moved in (direction, -direction):
        there = atoms.copy()
        there.positions += moved
        yield dict(moved=moved, energy=compute(there)["energy"])
    if "stress" in atoms.calc.results:
        direction = rng.normal(size=(3, 3))
        direction += direction.T
        direction *= STRAIN / np.linalg.norm(direction)
        for strain in (direction, -direction):
            there = atoms.copy()
            there.set_cell(there.cell[:] @ (np.eye(3) + strain), scale_atoms=True)
            yield dict(strain=strain, energy=compute(there)["energy"])
    there = atoms.copy()
    there.positions += (shift := rng.uniform(size=3))
    yield dict(shift=shift, **compute(there))


if __name__ == "__main__":
    for name in sys.argv[1:]:
        published = {(int(atoms.info["seed"]), int(atoms.info["frame"])): atoms for atoms in read(DATA / f"{name}.extxyz", ":")}
        rng, compute = np.random.default_rng(0), LEVELS[name]
        found = [dict(seed=seed, frame=frame, **point) for seed, frame in FRAMES[name]
                 for point in points(published[seed, frame], compute, rng)]
        if name == "silicon":
            found += [dict(atoms=len(crystal), **compute(crystal))
                      for crystal in (bulk("Si", a=silicon.LATTICE, cubic=cubic) for cubic in (False, True))]
        path = DATA.parent / f"tests/data/{name}_crystals.json"
        lines = ",\n ".join(json.dumps(point, default=lambda array: array.tolist()) for point in found)
        path.write_text(f"[{lines}]\n", encoding="utf-8")
