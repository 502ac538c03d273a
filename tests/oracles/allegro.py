"""Energies and forces of nequip-allegro's own network, random weights, on molecules and periodic cells: allegro.npz.

    python tests/oracles/allegro.py [folder]   # makes an environment of its own with nequip-allegro 0.8.3; a few minutes

The file holds, for `parity` False and True, what each linear layer of the peer multiplies by, its embeddings and the weights of
its paths, under its own names, and what it says of the frames in double precision.
"""

import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ENVIRONMENT = Path(os.environ.get("COURSE_PEERS", Path.home() / ".cache/course_lib/peers")) / "allegro"
PEER = "nequip-allegro==0.8.3"
NEEDED = "nequip==0.19.1 torch==2.13.0 numpy ase==3.29.0"
SPECIES, CUTOFF, LAYERS, L_MAX, NEIGHBOURS, WAVES = ["H", "C", "O"], 4.0, 3, 2, 7.0, 8
SCALARS, TENSORS, EMBEDDING, TWO_BODY, LATENT, READOUT = 5, 3, 6, 7, 9, 4


def frames():
    """Molecules of several sizes, a crystal with many images of each neighbour, and a wire."""
    import numpy as np
    from ase import Atoms
    from ase.build import bulk, molecule

    found = [molecule(name) for name in ("CH3CH2OH", "H2O")]
    found += [bulk("C"), Atoms("CO", [[0, 0, 0], [0.4, 1.1, 0]], cell=[2.5, 9, 9], pbc=[1, 0, 0])]
    rng = np.random.default_rng(0)
    for atoms in found:
        atoms.positions += rng.normal(scale=0.05, size=(len(atoms), 3))
    return found


def network(parity, dtype="float64", layers=LAYERS, scalars=SCALARS, tensors=TENSORS, embedding=EMBEDDING, two_body=TWO_BODY,
            latent=LATENT, readout=READOUT, cutoff=CUTOFF, neighbours=NEIGHBOURS):
    from allegro.model import AllegroModel
    from nequip.utils.global_state import set_global_state

    set_global_state()
    return AllegroModel(seed=0, model_dtype=dtype, r_max=cutoff, type_names=SPECIES, l_max=L_MAX, parity=parity,
                        radial_chemical_embed={"_target_": "allegro.nn.TwoBodyBesselScalarEmbed", "num_bessels": WAVES},
                        radial_chemical_embed_dim=embedding, scalar_embed_mlp_hidden_layers_depth=2,
                        scalar_embed_mlp_hidden_layers_width=two_body, num_layers=layers, num_scalar_features=scalars,
                        num_tensor_features=tensors, allegro_mlp_hidden_layers_width=latent,
                        readout_mlp_hidden_layers_width=readout, avg_num_neighbors=neighbours, compile_mode="eager")


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

    found, kept = frames(), {}
    for parity in (False, True):
        torch.manual_seed(0)
        model = network(parity)
        for name, module in model.named_modules():
            if type(module).__name__ == "ScalarLinearLayer":
                rows = torch.eye(module.weight.shape[0], dtype=torch.float64)
                kept[f"{parity}/{name}"] = module(rows).detach().numpy()
        for name, parameter in model.named_parameters():
            if name.endswith("_embed.weight") or ".tps." in name:
                kept[f"{parity}/{name}"] = parameter.detach().numpy()
        said = [model(batch([atoms])) for atoms in found]
        kept[f"{parity}/energies"] = [one["total_energy"].item() for one in said]
        kept[f"{parity}/forces"] = np.concatenate([one["forces"].detach().numpy() for one in said])
    np.savez_compressed(
        target / "allegro.npz", peer=PEER, torch=torch.__version__, sizes=[len(atoms) for atoms in found], cutoff=CUTOFF,
        layers=LAYERS, l_max=L_MAX, neighbours=NEIGHBOURS, waves=WAVES, scalars=SCALARS, tensors=TENSORS, embedding=EMBEDDING,
        two_body=TWO_BODY, latent=LATENT, readout=READOUT,
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
