"""DeepPotSE beside DeePMD-kit's PyTorch backend: a training step, an evaluation, and the cost of an atom as cells grow.

Two processes in turn, one thread each, since the peer has an environment of its own, which is made if missing. The peer has
padded neighbour lists; it is timed with room to spare, as in use, and with none.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import torch
from ase.build import bulk
from ase.io import read
from clock import fastest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "oracles"))
import deepmd_kit

SPECIES = [1, 6, 8]
ROOM = {"room to spare": [8, 4, 2], "no room to spare": [6, 2, 1]}
FRAMES = Path(__file__).resolve().parents[2] / "data/ethanol.extxyz"


def step(parameters, answer):
    """A call that learns from energies and forces; `answer` gives both, with a graph."""
    optimizer = torch.optim.Adam(parameters, 1e-3)

    def call():
        energies, forces = answer()
        loss = (energies**2).mean() + (forces**2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    return call


def theirs():
    frames, found = read(FRAMES, ":32"), {}
    positions = torch.tensor(np.array([atoms.positions for atoms in frames]).reshape(32, -1))
    kinds = torch.tensor(np.searchsorted(SPECIES, [atoms.numbers for atoms in frames]))
    for precision in ("float64", "float32"):
        for name, room in ROOM.items():
            model = deepmd_kit.network(deepmd_kit.COURSE, True, SPECIES, room, precision)

            def answer(model=model):
                said = model(coord=positions, atype=kinds, box=None)
                return said["energy"], said["force"]

            found |= {f"{precision} {name} step": 1000 * fastest(step(model.parameters(), answer)),
                      f"{precision} {name} evaluation": 1000 * fastest(answer)}
    return found


def ours(precision):
    from course_lib.point_clouds import DeepPotSE
    from course_lib.structures import AtomBatch

    torch.set_default_dtype(getattr(torch, precision))
    network = DeepPotSE(SPECIES, **deepmd_kit.COURSE)
    batch = AtomBatch.from_frames(read(FRAMES, ":32"), network.cutoff)
    network.adapt([batch])
    positions = batch.positions.requires_grad_(True)

    def answer(create_graph=True):
        each = network(batch)
        energies = each.new_zeros(32).index_add(0, batch.structure, each)
        return energies, -torch.autograd.grad(energies.sum(), positions, create_graph=create_graph)[0]

    return {"step": 1000 * fastest(step(network.parameters(), answer)), "evaluation": 1000 * fastest(lambda: answer(False))}


def cost_of_an_atom():
    from course_lib.learning import NetworkPotential, Trainer
    from course_lib.point_clouds import DeepPotSE

    torch.set_default_dtype(torch.float32)
    small = bulk("Si", cubic=True).repeat(2)
    small.rattle(0.05)
    labelled = read(FRAMES.with_name("silicon.extxyz"), ":8")
    potential = NetworkPotential(DeepPotSE([14], **deepmd_kit.COURSE), Trainer(epochs=0)).fit(labelled, progress=False)
    print("\nenergies, forces and stress of silicon with a potential's predict, float32")
    for n in (1, 2, 4):
        atoms = small.repeat(n)
        time = 1000 * fastest(lambda atoms=atoms: potential.predict([atoms]), rounds=3)
        print(f"  {len(atoms):5d} atoms {time:9.1f} ms   {1000 * time / len(atoms):6.0f} µs an atom")


if __name__ == "__main__":
    if "--theirs" in sys.argv:
        print(json.dumps(theirs()))
    else:
        found = subprocess.run([deepmd_kit.prepared(), __file__, "--theirs"], check=True, capture_output=True, text=True,
                               env=os.environ | {"OMP_NUM_THREADS": "1"}).stdout
        peer = json.loads(found.splitlines()[-1])
        print("32 ethanols, embedding 25-50-100, 16 axis neurons, fitting 240³")
        for precision in ("float64", "float32"):
            for what, time in ours(precision).items():
                others = {name: peer[f"{precision} {name} {what}"] for name in ROOM}
                print(f"  {precision} {what:10s} {time:7.1f} ms", *(
                    f"  DeePMD-kit, {name}: {other:.1f} ms, {other / time:.1f} ×" for name, other in others.items()))
        cost_of_an_atom()
