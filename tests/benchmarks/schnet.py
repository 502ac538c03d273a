"""SchNet beside schnetpack's, one thread: a step of training, energies and forces, a step of dynamics; and cost against size.

    OMP_NUM_THREADS=1 .venv/bin/python tests/benchmarks/schnet.py      # makes the peer's environment, see tests/oracles

Ours and the peer's are measured by turns, the peer in a process of its own, by the same clock, with the same torch.
"""

import json
import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

from clock import fastest

N_FRAMES, FEATURES, INTERACTIONS = 32, 128, 3


def frames_of_ethanol():
    from ase.io import read

    return [atoms for atoms in read(Path(__file__).parents[2] / "data/ethanol.extxyz", ":")
            if atoms.info["split"] == "train"][:N_FRAMES]


def peer():
    """In the peer's environment: least seconds of a step of training, of energies and forces, and of those of one molecule."""
    sys.path = [folder for folder in sys.path if not folder.endswith(("oracles", "benchmarks"))]  # a file has the peer's name
    import torch

    spec = spec_from_file_location("oracle", Path(__file__).parents[1] / "oracles/schnetpack.py")
    spec.loader.exec_module(oracle := module_from_spec(spec))
    torch.set_num_threads(1)
    network, frames = oracle.network(FEATURES, INTERACTIONS), frames_of_ethanol()
    batch, one = oracle.batch(frames, single=True), oracle.batch(frames[:1], single=True)
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

    from course_lib.learning import NetworkPotential, Trainer
    from course_lib.point_clouds import SchNet
    from course_lib.structures import load

    frames = load("ethanol").train[:N_FRAMES]
    potential = NetworkPotential(SchNet([1, 6, 8], n_features=FEATURES, n_interactions=INTERACTIONS), Trainer(epochs=0))
    potential.fit(frames, progress=False)
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


def dynamics_and_sizes():
    """A step of ASE's dynamics, all included, with and without a skin; energies and forces of ever larger silicon."""
    import numpy as np
    from ase import units
    from ase.build import bulk
    from ase.calculators.singlepoint import SinglePointCalculator
    from ase.md.velocitydistribution import thermalize_momenta
    from ase.md.verlet import VelocityVerlet

    from course_lib.learning import NetworkPotential, Trainer
    from course_lib.point_clouds import SchNet

    cell = bulk("Si", cubic=True)
    cell.calc = SinglePointCalculator(cell, energy=0.0, forces=np.ones((8, 3)))
    potential = NetworkPotential(SchNet([14], n_features=64), Trainer(epochs=0)).fit([cell], progress=False)
    for skin in (0.0, 0.5):
        atoms = cell.repeat(2)
        atoms.calc = potential.calculator(skin)
        thermalize_momenta(atoms, temperature_K=100, rng=np.random.default_rng(0))
        run = VelocityVerlet(atoms, 0.2 * units.fs)
        print(f"  dynamics of Si64, 64 features, skin {skin} Å: {100 * fastest(lambda run=run: run.run(10), 3):.2f} ms a step")
    for times in (2, 4, 8):
        atoms = cell.repeat(times)
        cost = fastest(lambda atoms=atoms: potential.predict([atoms]), 3) / len(atoms)
        print(f"  energies and forces of Si{len(atoms)}, 64 features, neighbour search included: {1e6 * cost:.0f} µs an atom")


if __name__ == "__main__":
    if "--peer" in sys.argv:
        peer()
    else:
        sys.path.append(str(Path(__file__).parents[1] / "oracles"))
        from schnetpack import environment

        ask = [environment(), Path(__file__), "--peer"]
        rounds = [(json.loads(subprocess.run(ask, check=True, capture_output=True).stdout), ours()) for _ in range(2)]
        print(f"{N_FRAMES} ethanols, {FEATURES} features, {INTERACTIONS} interactions, float32")
        for row, name in enumerate(["a step of training", "energies and forces", "energies and forces of one ethanol"]):
            theirs, mine = (1000 * min(both[which][row] for both in rounds) for which in (0, 1))
            print(f"  {name:38s} schnetpack {theirs:8.2f} ms   SchNet {mine:8.2f} ms   {theirs / mine:5.2f} × schnetpack")
        dynamics_and_sizes()
