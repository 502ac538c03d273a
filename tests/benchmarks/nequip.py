"""NequIP beside nequip's own, one thread, with the same labels, channels, layers and hidden radial functions; cost of degrees.

    OMP_NUM_THREADS=1 .venv/bin/python tests/benchmarks/nequip.py      # makes the peer's environment, see tests/oracles

The peer is not compiled, as it is not in a default run.
"""

import networks

CUTOFF, FEATURES, RADIAL = 5.0, 32, 128


def peer():
    oracle, frames = networks.oracle("nequip"), networks.ethanol()
    network = oracle.network(False, FEATURES, RADIAL, CUTOFF, "float32", 8.0)
    return networks.theirs(network, oracle.batch(frames, CUTOFF), oracle.batch(frames[:1], CUTOFF),
                           answer=lambda inputs: [network(inputs)[name] for name in ("total_energy", "forces")])


def ours(**settings):
    from course_lib.equivariant import NequIP

    return NequIP([1, 6, 8], CUTOFF, **{"n_features": FEATURES, "radial": (RADIAL,)} | settings)


if __name__ == "__main__" and networks.compare(f"{FEATURES} features of each degree up to 2, 3 layers, {CUTOFF} Å", "nequip",
                                               peer, networks.oracle("nequip").environment, ours):
    for settings in ({"l_max": 0}, {"l_max": 1}, {"l_max": 2}, {"l_max": 2, "parity": True}, {"l_max": 3}):
        print(f"  {settings!s:32s} a step of training {1000 * networks.ours(ours(**settings))[0]:8.2f} ms")
