"""What the benchmarks of networks share: training and evaluation on ethanol, ours and a peer's, measured by turns.

The peer runs in a process and an environment of its own, by the same clock, with the same torch. A step of training is that of
energies and forces, and ours makes its batch in it.
"""

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import torch
from ase import Atoms
from clock import fastest

TESTS = Path(__file__).resolve().parents[1]
N_FRAMES, ROUNDS = 32, 10
ROWS = ["a step of training", "energies and forces", "energies and forces of one ethanol"]


def oracle(name: str) -> ModuleType:
    """tests/oracles/<name>.py, which knows the peer and where its python is; a file there has the peer's name."""
    spec = spec_from_file_location(f"oracle_{name}", TESTS / f"oracles/{name}.py")
    spec.loader.exec_module(module := module_from_spec(spec))
    return module


def ethanol() -> list[Atoms]:
    """The frames that both see."""
    from ase.io import read

    return [atoms for atoms in read(TESTS.parent / "data/ethanol.extxyz", ":") if atoms.info["split"] == "train"][:N_FRAMES]


def theirs(network: torch.nn.Module, *inputs: dict, answer: Callable) -> list[float]:
    """Least seconds of a step of training on the first of the inputs, and of the energies and forces of each.

    `answer(inputs)` gives energies and forces; it is handed copies, for peers write into what they are given.
    """
    optimizer = torch.optim.AdamW(network.parameters(), 1e-3)

    def said(given):
        return answer({name: value.clone() if isinstance(value, torch.Tensor) else value for name, value in given.items()})

    def step():
        energies, forces = said(inputs[0])
        optimizer.zero_grad()
        ((energies**2).mean() + (forces**2).mean()).backward()
        optimizer.step()

    seconds = [fastest(step, ROUNDS)]
    network.eval()
    return [*seconds, *(fastest(lambda given=given: said(given), ROUNDS) for given in inputs)]


def ours(described) -> list[float]:
    """The same of one of our networks, on all frames and on one."""
    from sklearn.base import clone

    from course_lib.learning import NetworkPotential, Trainer
    from course_lib.structures import load

    frames = load("ethanol").train[:N_FRAMES]
    potential = NetworkPotential(described, Trainer(epochs=0)).fit(frames, progress=False)
    network, items = clone(described).train(), potential._labelled(frames)
    optimizer = torch.optim.AdamW(network.parameters(), 1e-3)

    def step():
        loss = potential._loss(network, items)["loss"].mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    batches = [potential._batch(some) for some in (items, items[:1])]
    return [fastest(step, ROUNDS), *(fastest(lambda batch=batch: potential._derivatives(
        potential.network_, batch, True, False), ROUNDS) for batch in batches)]


def compare(title: str, name: str, peer: Callable[[], Sequence[float]], environment: Callable[[], Path], described) -> bool:
    """Print both, and how many times as fast ours is; called again in the peer's environment it measures the peer alone.

    True where ours were measured, so that a script can go on.
    """
    if "--peer" in sys.argv:
        sys.path = [folder for folder in sys.path if not folder.endswith(("oracles", "benchmarks"))]
        print(json.dumps(list(peer())))
        return False
    ask, described = [environment(), sys.argv[0], "--peer"], described()
    rounds = [(json.loads(subprocess.run(ask, check=True, capture_output=True, text=True).stdout.splitlines()[-1]),
               ours(described)) for _ in range(2)]
    print(f"{N_FRAMES} ethanols, {title}, float32")
    for row, (their, mine) in zip(ROWS, zip(*(map(min, zip(*side, strict=True)) for side in zip(*rounds, strict=True)),
                                            strict=True), strict=True):
        print(f"  {row:38s} {name} {1000 * their:8.2f} ms   {type(described).__name__} {1000 * mine:8.2f} ms   "
              f"{their / mine:5.2f} × {name}")
    return True


def cost_of_an_atom(described, cell: Atoms, repeats: Sequence[int]) -> None:
    """Energies and forces of an ever larger crystal, neighbour search included."""
    import numpy as np
    from ase.calculators.singlepoint import SinglePointCalculator

    from course_lib.learning import NetworkPotential, Trainer

    cell.calc = SinglePointCalculator(cell, energy=0.0, forces=np.ones((len(cell), 3)))
    potential = NetworkPotential(described, Trainer(epochs=0)).fit([cell], progress=False)
    for times in repeats:
        atoms = cell.repeat(times)
        cost = fastest(lambda atoms=atoms: potential.predict([atoms]), 3) / len(atoms)
        print(f"  energies and forces of {atoms.symbols}, neighbour search included: {1e6 * cost:.0f} µs an atom")
