"""Allegro beside nequip-allegro's own, one thread: a step of training, energies and forces; and what degrees and layers cost.

    OMP_NUM_THREADS=1 .venv/bin/python tests/benchmarks/allegro.py      # makes the peer's environment, see tests/oracles

Ours and the peer's are measured by turns, the peer in a process of its own, by the same clock, with the same torch, the same
labels and the same widths of all networks. The peer is not compiled, as it is not in a default run.
"""

import json
import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

from clock import fastest

N_FRAMES, CUTOFF, LAYERS, SCALARS, TENSORS, WIDTH, READOUT = 32, 5.0, 2, 64, 16, 64, 32


def peer():
    """In the peer's environment: least seconds of a step of training, and of energies and forces."""
    sys.path = [folder for folder in sys.path if not folder.endswith(("oracles", "benchmarks"))]  # a file has the peer's name
    import torch
    from ase.io import read

    spec = spec_from_file_location("oracle", Path(__file__).parents[1] / "oracles/allegro.py")
    spec.loader.exec_module(oracle := module_from_spec(spec))
    frames = [atoms for atoms in read(Path(__file__).parents[2] / "data/ethanol.extxyz", ":")
              if atoms.info["split"] == "train"][:N_FRAMES]
    network = oracle.network(True, "float32", LAYERS, SCALARS, TENSORS, 32, WIDTH, WIDTH, READOUT, CUTOFF, 8.0)
    inputs = oracle.batch(frames, CUTOFF)
    torch.set_num_threads(1)
    optimizer = torch.optim.AdamW(network.parameters(), 1e-3)

    def said():
        return network({name: tensor.clone() for name, tensor in inputs.items()})

    def step():
        both = said()
        loss = (both["total_energy"] ** 2).mean() + (both["forces"] ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    seconds = [fastest(step, 10)]
    network.eval()
    print(json.dumps([*seconds, fastest(said, 10)]))


def ours(**settings):
    """The same of ours, the making of the batch included in the step."""
    import torch
    from sklearn.base import clone

    from course_lib.equivariant import Allegro
    from course_lib.learning import NetworkPotential, Trainer
    from course_lib.structures import load

    frames = load("ethanol").train[:N_FRAMES]
    sizes = {"n_scalars": SCALARS, "n_tensors": TENSORS, "n_layers": LAYERS, "two_body": (WIDTH, WIDTH), "latent": (WIDTH,)}
    network = Allegro([1, 6, 8], CUTOFF, **sizes | {"readout": (READOUT,)} | settings)
    potential = NetworkPotential(network, Trainer(epochs=0)).fit(frames, progress=False)
    network, items = clone(potential.network).train(), potential._labelled(frames)
    optimizer = torch.optim.AdamW(network.parameters(), 1e-3)

    def step():
        loss = potential._loss(network, items)["loss"].mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    batch = potential._batch(items)
    return [fastest(step, 10), fastest(lambda: potential._derivatives(potential.network_, batch, True, False), 10)]


if __name__ == "__main__":
    if "--peer" in sys.argv:
        peer()
    else:
        sys.path.insert(0, str(Path(__file__).parents[1] / "oracles"))
        from allegro import environment

        ask = [environment(), Path(__file__), "--peer"]
        rounds = [(json.loads(subprocess.run(ask, check=True, capture_output=True, text=True).stdout.splitlines()[-1]), ours())
                  for _ in range(2)]
        print(f"{N_FRAMES} ethanols, {SCALARS} numbers and {TENSORS} tensors up to l = 2, {LAYERS} layers, {CUTOFF} Å, float32")
        for row, name in enumerate(["a step of training", "energies and forces"]):
            theirs, mine = (1000 * min(both[which][row] for both in rounds) for which in (0, 1))
            print(f"  {name:20s} nequip-allegro {theirs:8.2f} ms   Allegro {mine:8.2f} ms   {theirs / mine:5.2f} × its")
        for settings in ({"l_max": 0}, {"l_max": 1}, {"n_layers": 1}, {"l_max": 2}, {"n_layers": 3}, {"l_max": 3}):
            print(f"  {settings!s:32s} a step of training {1000 * ours(**settings)[0]:8.2f} ms")
