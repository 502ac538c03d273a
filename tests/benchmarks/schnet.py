"""SchNet beside schnetpack's, one thread; dynamics; and cost against size.

    OMP_NUM_THREADS=1 .venv/bin/python tests/benchmarks/schnet.py      # makes the peer's environment, see tests/oracles
"""

import networks
from clock import fastest

FEATURES, INTERACTIONS = 128, 3


def peer():
    oracle, frames = networks.oracle("schnetpack"), networks.ethanol()
    network = oracle.network(FEATURES, INTERACTIONS)
    return networks.theirs(network, oracle.batch(frames, single=True), oracle.batch(frames[:1], single=True),
                           answer=lambda inputs: [network(inputs)[name] for name in ("energy", "forces")])


def ours():
    from course_lib.point_clouds import SchNet

    return SchNet([1, 6, 8], n_features=FEATURES, n_interactions=INTERACTIONS)


def dynamics():
    """A step of ASE's dynamics, all included, with and without a skin."""
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


if __name__ == "__main__" and networks.compare(f"{FEATURES} features, {INTERACTIONS} interactions", "schnetpack", peer,
                                               networks.oracle("schnetpack").environment, ours):
    from ase.build import bulk

    from course_lib.point_clouds import SchNet

    dynamics()
    networks.cost_of_an_atom(SchNet([14], n_features=64), bulk("Si", cubic=True), (2, 4, 8))
