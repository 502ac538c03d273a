"""MACE beside mace-torch's, one thread: a step of training, energies and forces; and cost against size.

    OMP_NUM_THREADS=1 .venv/bin/python tests/benchmarks/mace.py      # makes an environment of its own with mace-torch 0.3.16

Ours and the peer's are measured by turns, the peer in a process of its own, by the same clock, with the same torch.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

from clock import fastest

ENVIRONMENT = Path(os.environ.get("COURSE_PEERS", Path.home() / ".cache/course_lib/peers")) / "mace"
PEER = ["mace-torch==0.3.16", "e3nn==0.4.4", "torch==2.13.0"]
N_FRAMES, FEATURES, L_MAX, L_MAX_EDGE, CORRELATION, LAYERS, CUTOFF = 32, 32, 2, 3, 3, 2, 5.0


def frames_of_ethanol():
    from ase.io import read

    return [atoms for atoms in read(Path(__file__).parents[2] / "data/ethanol.extxyz", ":")
            if atoms.info["split"] == "train"][:N_FRAMES]


def peer():
    """In the peer's environment: least seconds of a step of training, of energies and forces, and of those of one molecule."""
    sys.path = [folder for folder in sys.path if not folder.endswith("benchmarks")]  # a file here has the peer's name
    import numpy as np
    import torch
    from mace import data, modules, tools

    torch.set_num_threads(1)
    from e3nn import o3  # after mace, which lets torch load its constants

    torch.manual_seed(0)
    network = modules.ScaleShiftMACE(
        r_max=CUTOFF, num_bessel=8, num_polynomial_cutoff=5, max_ell=L_MAX_EDGE, num_interactions=LAYERS, num_elements=3,
        interaction_cls_first=modules.interaction_classes["RealAgnosticResidualInteractionBlock"],
        interaction_cls=modules.interaction_classes["RealAgnosticResidualInteractionBlock"],
        hidden_irreps=o3.Irreps("+".join(f"{FEATURES}x{l}{'eo'[l % 2]}" for l in range(L_MAX + 1))),
        MLP_irreps=o3.Irreps("16x0e"), gate=torch.nn.functional.silu, atomic_energies=np.zeros(3), avg_num_neighbors=8.0,
        atomic_numbers=[1, 6, 8], correlation=CORRELATION, atomic_inter_scale=1.0, atomic_inter_shift=0.0)
    table = tools.AtomicNumberTable([1, 6, 8])
    items = [data.AtomicData.from_config(data.config_from_atoms(atoms), z_table=table, cutoff=CUTOFF)
             for atoms in frames_of_ethanol()]
    batch, one = (next(iter(tools.torch_geometric.dataloader.DataLoader(some, len(some)))).to_dict()
                  for some in (items, items[:1]))
    optimizer = torch.optim.AdamW(network.parameters(), 1e-3)

    def step():
        said = network(batch, training=True)
        loss = (said["energy"] ** 2).mean() + (said["forces"] ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    seconds = [fastest(step)]
    network.eval()
    print(json.dumps([*seconds, fastest(lambda: network(batch)), fastest(lambda: network(one), 100)]))


def ours():
    """The same of ours, the making of the batch included in the step."""
    import torch
    from sklearn.base import clone

    from course_lib.equivariant import MACE
    from course_lib.learning import NetworkPotential, Trainer
    from course_lib.structures import load

    frames = load("ethanol").train[:N_FRAMES]
    mace = MACE([1, 6, 8], CUTOFF, FEATURES, L_MAX, L_MAX_EDGE, CORRELATION, LAYERS)
    potential = NetworkPotential(mace, Trainer(epochs=0)).fit(frames, progress=False)
    network, items = clone(potential.network).train(), potential._labelled(frames)
    optimizer = torch.optim.AdamW(network.parameters(), 1e-3)

    def step():
        loss = potential._loss(network, items)["loss"].mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    batch, one = potential._batch(items), potential._batch(items[:1])
    infer = lambda inputs: potential._derivatives(potential.network_, inputs, True, False)  # noqa: E731
    return [fastest(step), fastest(lambda: infer(batch)), fastest(lambda: infer(one), 100)]


def sizes():
    """Energies and forces of ever larger silicon: the cost of an atom."""
    import numpy as np
    from ase.build import bulk
    from ase.calculators.singlepoint import SinglePointCalculator

    from course_lib.equivariant import MACE
    from course_lib.learning import NetworkPotential, Trainer

    cell = bulk("Si", cubic=True)
    cell.calc = SinglePointCalculator(cell, energy=0.0, forces=np.ones((8, 3)))
    potential = NetworkPotential(MACE([14], CUTOFF, FEATURES), Trainer(epochs=0)).fit([cell], progress=False)
    for times in (1, 2, 4):
        atoms = cell.repeat(times)
        cost = fastest(lambda atoms=atoms: potential.predict([atoms]), 3) / len(atoms)
        print(f"  energies and forces of Si{len(atoms)}, {FEATURES} features, neighbour search included: "
              f"{1e6 * cost:.0f} µs an atom")


def environment():
    """Its python; made where it is not there."""
    python = ENVIRONMENT / "bin/python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", ENVIRONMENT], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *PEER], check=True)
    return python


if __name__ == "__main__":
    if "--peer" in sys.argv:
        peer()
    else:
        ask = [environment(), Path(__file__), "--peer"]
        rounds = [(json.loads(subprocess.run(ask, check=True, capture_output=True).stdout), ours()) for _ in range(2)]
        print(f"{N_FRAMES} ethanols, {FEATURES} features to l = {L_MAX}, correlation {CORRELATION}, {LAYERS} layers, float32")
        for row, name in enumerate(["a step of training", "energies and forces", "energies and forces of one ethanol"]):
            theirs, mine = (1000 * min(both[which][row] for both in rounds) for which in (0, 1))
            print(f"  {name:38s} mace-torch {theirs:8.2f} ms   MACE {mine:8.2f} ms   {theirs / mine:5.2f} × mace-torch")
        sizes()
