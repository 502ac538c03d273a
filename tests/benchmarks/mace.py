"""MACE beside mace-torch's, one thread; and cost against size.

    OMP_NUM_THREADS=1 .venv/bin/python tests/benchmarks/mace.py      # makes an environment of its own with mace-torch 0.3.16
"""

import os
import subprocess
import sys
from pathlib import Path

import networks

ENVIRONMENT = Path(os.environ.get("COURSE_PEERS", Path.home() / ".cache/course_lib/peers")) / "mace"
PEER = ["mace-torch==0.3.16", "e3nn==0.4.4", "torch==2.13.0"]
FEATURES, L_MAX, L_MAX_EDGE, CORRELATION, LAYERS, CUTOFF = 32, 2, 3, 3, 2, 5.0


def peer():
    import numpy as np
    import torch
    from mace import data, modules, tools

    torch.manual_seed(0)
    from e3nn import o3  # after mace, which lets torch load its constants

    network = modules.ScaleShiftMACE(
        r_max=CUTOFF, num_bessel=8, num_polynomial_cutoff=5, max_ell=L_MAX_EDGE, num_interactions=LAYERS, num_elements=3,
        interaction_cls_first=modules.interaction_classes["RealAgnosticResidualInteractionBlock"],
        interaction_cls=modules.interaction_classes["RealAgnosticResidualInteractionBlock"],
        hidden_irreps=o3.Irreps("+".join(f"{FEATURES}x{l}{'eo'[l % 2]}" for l in range(L_MAX + 1))),
        MLP_irreps=o3.Irreps("16x0e"), gate=torch.nn.functional.silu, atomic_energies=np.zeros(3), avg_num_neighbors=8.0,
        atomic_numbers=[1, 6, 8], correlation=CORRELATION, atomic_inter_scale=1.0, atomic_inter_shift=0.0)
    table = tools.AtomicNumberTable([1, 6, 8])
    items = [data.AtomicData.from_config(data.config_from_atoms(atoms), z_table=table, cutoff=CUTOFF)
             for atoms in networks.ethanol()]
    batches = [next(iter(tools.torch_geometric.dataloader.DataLoader(some, len(some)))).to_dict()
               for some in (items, items[:1])]

    def answer(inputs):
        said = network(inputs, training=network.training)
        return said["energy"], said["forces"]

    return networks.theirs(network, *batches, answer=answer)


def environment():
    """Its python; made where it is not there."""
    python = ENVIRONMENT / "bin/python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", ENVIRONMENT], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *PEER], check=True)
    return python


def ours():
    from course_lib.equivariant import MACE

    return MACE([1, 6, 8], CUTOFF, FEATURES, L_MAX, L_MAX_EDGE, CORRELATION, LAYERS)


if __name__ == "__main__" and networks.compare(f"{FEATURES} features to l = {L_MAX}, correlation {CORRELATION}, "
                                               f"{LAYERS} layers", "mace-torch", peer, environment, ours):
    from ase.build import bulk

    from course_lib.equivariant import MACE

    networks.cost_of_an_atom(MACE([14], CUTOFF, FEATURES), bulk("Si", cubic=True), (1, 2, 4))
