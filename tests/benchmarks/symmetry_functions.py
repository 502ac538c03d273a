"""Symmetry functions beside dscribe's, and what a network on them costs: values, energies with forces, a step of training."""

import numpy as np
from ase.build import bulk
from clock import compare
from dscribe.descriptors import ACSF

from course_lib.kernels import BehlerParrinello, SymmetryFunctions
from course_lib.learning import NetworkPotential, Trainer
from course_lib.structures import load

if __name__ == "__main__":
    silicon = bulk("Si", cubic=True).repeat(4)
    silicon.rattle(0.05, seed=0)
    for title, frames in {"100 frames of ethanol": load("ethanol").test[:100], "Si512": [silicon]}.items():
        ours = SymmetryFunctions(6.0).fit(frames)
        peer = ACSF(6.0, g2_params=ours.radial_, g4_params=ours.angular_, species=ours.species_.tolist(),
                    periodic=bool(frames[0].pbc.all()))
        assert np.isclose(ours.transform(frames).sum(), np.sum(peer.create(frames)) - np.sum(  # dscribe has G¹ besides
            ACSF(6.0, species=ours.species_.tolist(), periodic=bool(frames[0].pbc.all())).create(frames)))
        compare(f"{len(ours.radial_)} G² an element and {len(ours.angular_)} G⁴ a pair of elements, {title}", {
            "dscribe": lambda peer=peer, frames=frames: peer.create(frames),
            "transform": lambda ours=ours, frames=frames: ours.transform(frames)}, reference="dscribe", rounds=5)
    data = load("ethanol")
    potential = NetworkPotential(BehlerParrinello([1, 6, 8]), Trainer(epochs=0)).fit(data.train[:160], progress=False)
    epoch = NetworkPotential(potential.network, Trainer(epochs=1))
    compare("A network on these, ethanol, float32", {
        "energies and forces of 100 frames": lambda: potential.predict(data.test[:100]),
        "energies and forces of one": lambda: potential.predict(data.test[:1]),
        "an epoch of 160 frames in batches of 16": lambda: epoch.fit(data.train[:160], progress=False)},
        reference="energies and forces of 100 frames", rounds=5)
