"""Energies, forces and virials of DeePMD-kit's own se_e2_a, random weights, on molecules and crystals: deepmd_kit.npz.

    python tests/oracles/deepmd_kit.py [folder]   # makes an environment of its own with deepmd-kit 3.2.0; a few minutes

The file holds, for a model with one embedding net a neighbour's element and for one with a net a pair, the peer's weights
under its own names and what it says of the frames in double precision. Its rows are scaled, not shifted (`set_davg_zero`).
"""

import json
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ENVIRONMENT = Path(os.environ.get("COURSE_PEERS", Path.home() / ".cache/course_lib/peers")) / "deepmd"
PEER = "deepmd-kit==3.2.0"
NEEDED = ["torch==2.13.0", "mpich", "vesin[torch]", "e3nn", "ase==3.29.0"]
SPECIES = [1, 6, 8, 14]
SELECTED = [60, 60, 60, 60]  # room for neighbours of each element
SMALL = {"cutoff": 5.0, "onset": 1.0, "embedding": [6, 12, 24], "n_axis": 4, "fitting": [20, 20, 20]}
COURSE = {"cutoff": 6.0, "onset": 0.5, "embedding": [25, 50, 100], "n_axis": 16, "fitting": [240, 240, 240]}


def frames():
    """Molecules, and crystals down to two atoms a cell, in which an atom is its own neighbour many times."""
    import numpy as np
    from ase import Atoms
    from ase.build import bulk, molecule

    found = [molecule(name) for name in ("CH3CH2OH", "H2O", "SiH4")]
    found += [Atoms("O2", [[0, 0, 0], [0, 0, 4.9]]), bulk("Si"), bulk("SiC", "zincblende", a=4.36), bulk("Si", cubic=True)]
    rng = np.random.default_rng(0)
    for atoms in found:
        atoms.positions += rng.normal(scale=0.05, size=(len(atoms), 3))
    return found


def network(settings, one_side, species, selected, precision="float64"):
    """The peer's model. Its compiled operators are for another torch; a stand-in for one of them lets it go without."""
    import torch

    library = torch.library.Library("deepmd", "FRAGMENT")
    if not hasattr(torch.ops.deepmd, "enable_mpi"):
        library.define("enable_mpi() -> bool")
    from ase.data import chemical_symbols
    from deepmd.pt.model.model import get_model

    return get_model({
        "type_map": [chemical_symbols[number] for number in species],
        "descriptor": {"type": "se_e2_a", "sel": selected, "rcut": settings["cutoff"], "rcut_smth": settings["onset"],
                       "neuron": settings["embedding"], "axis_neuron": settings["n_axis"], "resnet_dt": False,
                       "type_one_side": one_side, "set_davg_zero": True, "seed": 1, "precision": precision},
        "fitting_net": {"neuron": settings["fitting"], "resnet_dt": True, "seed": 2, "precision": precision}})


def inputs(atoms):
    import numpy as np
    import torch

    return {"coord": torch.tensor(atoms.positions.reshape(1, -1)), "atype": torch.tensor(
        np.searchsorted(SPECIES, atoms.numbers)[None]),
        "box": torch.tensor(atoms.cell[:].reshape(1, 9)) if atoms.pbc.all() else None}


def in_the_environment(target):
    import numpy as np
    import torch

    found, kept = frames(), {"peer": PEER, "settings": json.dumps(SMALL | {"species": SPECIES, "room": sum(SELECTED)})}
    for one_side in (True, False):
        model = network(SMALL, one_side, SPECIES, SELECTED)
        scales = 0.1 + torch.rand(len(SPECIES), 1, 2, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
        model.atomic_model.descriptor.sea.stddev.copy_(scales[:, :, [0, 1, 1, 1]])
        said = [model(**inputs(atoms)) for atoms in found]
        name = "one_side" if one_side else "both_sides"
        kept |= {f"{name}.{key}": values.numpy() for key, values in model.state_dict().items()
                 if "sea.filter_layers.networks" in key or "fitting_net.filter_layers.networks" in key}
        kept |= {f"{name}.scales": scales[:, 0].numpy()}
        kept |= {f"{name}.{what}": np.concatenate([one[what].detach().numpy().reshape(-1, width) for one in said])
                 for what, width in (("energy", 1), ("force", 3), ("virial", 9))}
    sizes = np.array([len(atoms) for atoms in found])
    kept |= {"sizes": sizes, "numbers": np.concatenate([atoms.numbers for atoms in found]),
             "positions": np.concatenate([atoms.positions for atoms in found]),
             "cells": np.array([atoms.cell[:] for atoms in found])}
    np.savez_compressed(target / "deepmd_kit.npz", **kept)
    print({key: np.shape(value) for key, value in kept.items() if "net" not in key})


def prepared():
    """The environment's Python; the environment is made if it is not there."""
    python = ENVIRONMENT / "bin/python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", ENVIRONMENT], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", PEER, *NEEDED], check=True)
    return python


if __name__ == "__main__":
    if "--inside" in sys.argv:
        in_the_environment(Path(sys.argv[2]))
    else:
        folder = Path(sys.argv[1] if len(sys.argv) > 1 else HERE).resolve()
        subprocess.run([prepared(), Path(__file__).resolve(), "--inside", folder], check=True,
                       env=os.environ | {"OMP_NUM_THREADS": "1"})
