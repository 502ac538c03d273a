"""Energies and forces of nequip's own network, random weights, on molecules and periodic cells: nequip.npz.

    python tests/oracles/nequip.py [folder]   # makes an environment of its own with nequip 0.19.1; a few minutes

The file holds, for `parity` False and True, the peer's weights under its own names, and what it says of the frames in double
precision; the constants by which e3nn divides activations are in it too, since they come from random numbers.
"""

import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ENVIRONMENT = Path(os.environ.get("COURSE_PEERS", Path.home() / ".cache/course_lib/peers")) / "nequip"
PEER = "nequip==0.19.1"
NEEDED = "torch==2.13.0 numpy ase==3.29.0"
SPECIES, CUTOFF, LAYERS, L_MAX, FEATURES, RADIAL, NEIGHBOURS = ["H", "C", "O"], 4.0, 3, 2, 6, 10, 7.0


def frames():
    """Molecules of several sizes, a crystal with many images of each neighbour, and a wire."""
    import numpy as np
    from ase import Atoms
    from ase.build import bulk, molecule

    found = [molecule(name) for name in ("CH3CH2OH", "H2O", "C6H6")]
    found += [bulk("C"), Atoms("CO", [[0, 0, 0], [0.4, 1.1, 0]], cell=[2.5, 9, 9], pbc=[1, 0, 0])]
    rng = np.random.default_rng(0)
    for atoms in found:
        atoms.positions += rng.normal(scale=0.05, size=(len(atoms), 3))
    return found


def network(parity, features=FEATURES, radial=RADIAL, cutoff=CUTOFF, dtype="float64", neighbours=NEIGHBOURS):
    from nequip.model import NequIPGNNModel
    from nequip.utils.global_state import set_global_state

    set_global_state()
    return NequIPGNNModel(seed=0, model_dtype=dtype, r_max=cutoff, type_names=SPECIES, num_layers=LAYERS, l_max=L_MAX,
                          parity=parity, num_features=features, radial_mlp_width=radial, avg_num_neighbors=neighbours,
                          compile_mode="eager")


def batch(atoms_list, cutoff=CUTOFF):
    """The peer's input, its edges by its own neighbour search."""
    from ase import Atoms
    from nequip.data import AtomicDataDict
    from nequip.data.ase import from_ase
    from nequip.data.transforms import ChemicalSpeciesToAtomTypeMapper, NeighborListTransform

    near, kinds = NeighborListTransform(r_max=cutoff), ChemicalSpeciesToAtomTypeMapper(model_type_names=SPECIES)
    bare = [Atoms(atoms.numbers, atoms.positions, cell=atoms.cell, pbc=atoms.pbc) for atoms in atoms_list]
    return AtomicDataDict.batched_from_list([near(kinds(from_ase(atoms))) for atoms in bare])


def in_the_environment(target):
    import numpy as np
    import torch
    from e3nn.math import normalize2mom

    found, kept = frames(), {}
    for parity in (False, True):
        torch.manual_seed(0)
        model = network(parity)
        weights = dict(model.named_parameters())
        with torch.no_grad():
            for parameter in weights.values():  # short in the file, exactly what is used
                parameter.copy_(parameter.float())
        said = [model(batch([atoms])) for atoms in found]
        kept |= {f"{parity}/{name}": parameter.detach().float().numpy() for name, parameter in weights.items()}
        kept[f"{parity}/energies"] = [one["total_energy"].item() for one in said]
        kept[f"{parity}/forces"] = np.concatenate([one["forces"].detach().numpy() for one in said])
    sizes = {name: 1 / normalize2mom(getattr(torch.nn.functional, name)).cst for name in ("silu", "tanh")}
    np.savez_compressed(
        target / "nequip.npz", peer=PEER, torch=torch.__version__, sizes=[len(atoms) for atoms in found], cutoff=CUTOFF,
        layers=LAYERS, l_max=L_MAX, features=FEATURES, radial=RADIAL, neighbours=NEIGHBOURS, **sizes,
        numbers=np.concatenate([atoms.numbers for atoms in found]),
        positions=np.concatenate([atoms.positions for atoms in found]),
        cells=[atoms.cell[:] for atoms in found], pbc=[atoms.pbc for atoms in found], **kept)
    print(kept["False/energies"], kept["True/energies"])


def environment():
    """Its python; made where it is not there."""
    python = ENVIRONMENT / "bin/python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", ENVIRONMENT], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", PEER, *NEEDED.split()], check=True)
    return python


if __name__ == "__main__":
    target = Path(sys.argv[-1]).resolve() if len(sys.argv) > 1 else HERE
    if "--inside" in sys.argv:
        sys.path.remove(str(HERE))  # where this file has the peer's name
        in_the_environment(target)
    else:
        quiet = os.environ | {"OMP_NUM_THREADS": "1"}
        subprocess.run([environment(), Path(__file__), "--inside", target], check=True, env=quiet)
