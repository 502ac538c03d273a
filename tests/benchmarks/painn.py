"""PaiNN beside schnetpack's, one thread: a step of training, energies and forces.

    OMP_NUM_THREADS=1 .venv/bin/python tests/benchmarks/painn.py      # makes the peer's environment, see tests/oracles

Ours and the peer's are measured by turns, the peer in a process of its own, by the same clock, with the same torch, the same
numbers of features, layers and waves.
"""

import json
import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

from clock import fastest

N_FRAMES, FEATURES, INTERACTIONS, WAVES = 32, 128, 3, 20
ORACLE = Path(__file__).parents[1] / "oracles/painn.py"


def oracle():
    spec = spec_from_file_location("oracle", ORACLE)
    spec.loader.exec_module(module := module_from_spec(spec))
    return module


def peer():
    """In the peer's environment: least seconds of a step of training, of energies and forces, and of those of one molecule."""
    sys.path = [folder for folder in sys.path if not folder.endswith(("oracles", "benchmarks"))]  # a file has the peer's name
    import torch
    from ase.io import read

    torch.set_num_threads(1)
    frames = [atoms for atoms in read(Path(__file__).parents[2] / "data/ethanol.extxyz", ":")
              if atoms.info["split"] == "train"][:N_FRAMES]
    network, schnetpack = oracle().network(FEATURES, INTERACTIONS, WAVES), oracle().schnetpack_oracle
    batch, one = schnetpack.batch(frames, single=True), schnetpack.batch(frames[:1], single=True)
    optimizer = torch.optim.AdamW(network.parameters(), 1e-3)

    def said(inputs):
        return network({name: tensor.clone() for name, tensor in inputs.items()})

    def step():
        both = said(batch)
        loss = (both["energy"] ** 2).mean() + (both["forces"] ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    seconds = [fastest(step)]
    network.eval()
    print(json.dumps([*seconds, fastest(lambda: said(batch)), fastest(lambda: said(one), 100)]))


def ours():
    """The same of ours, the making of the batch included in the step."""
    import torch
    from sklearn.base import clone

    from course_lib.equivariant import PaiNN
    from course_lib.learning import NetworkPotential, Trainer
    from course_lib.structures import load

    frames = load("ethanol").train[:N_FRAMES]
    network = PaiNN([1, 6, 8], n_features=FEATURES, n_interactions=INTERACTIONS, n_rbf=WAVES)
    potential = NetworkPotential(network, Trainer(epochs=0)).fit(frames, progress=False)
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


if __name__ == "__main__":
    if "--peer" in sys.argv:
        peer()
    else:
        ask = [oracle().schnetpack_oracle.environment(), Path(__file__), "--peer"]
        rounds = [(json.loads(subprocess.run(ask, check=True, capture_output=True).stdout), ours()) for _ in range(2)]
        print(f"{N_FRAMES} ethanols, {FEATURES} features, {INTERACTIONS} interactions, {WAVES} waves, float32")
        for row, name in enumerate(["a step of training", "energies and forces", "energies and forces of one ethanol"]):
            theirs, mine = (1000 * min(both[which][row] for both in rounds) for which in (0, 1))
            print(f"  {name:38s} schnetpack {theirs:8.2f} ms   PaiNN {mine:8.2f} ms   {theirs / mine:5.2f} × schnetpack")
