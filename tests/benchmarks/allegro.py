"""Allegro beside nequip-allegro's own, one thread, with the same labels and widths of all networks; cost of degrees and layers.

    OMP_NUM_THREADS=1 .venv/bin/python tests/benchmarks/allegro.py      # makes the peer's environment, see tests/oracles

The peer is not compiled, as it is not in a default run.
"""

import networks

CUTOFF, LAYERS, SCALARS, TENSORS, WIDTH, READOUT = 5.0, 2, 64, 16, 64, 32


def peer():
    oracle, frames = networks.oracle("allegro"), networks.ethanol()
    network = oracle.network(True, "float32", LAYERS, SCALARS, TENSORS, 32, WIDTH, WIDTH, READOUT, CUTOFF, 8.0)
    return networks.theirs(network, oracle.batch(frames, CUTOFF), oracle.batch(frames[:1], CUTOFF),
                           answer=lambda inputs: [network(inputs)[name] for name in ("total_energy", "forces")])


def ours(**settings):
    from course_lib.equivariant import Allegro

    return Allegro([1, 6, 8], CUTOFF, **{
        "n_scalars": SCALARS, "n_tensors": TENSORS, "n_layers": LAYERS, "two_body": (WIDTH, WIDTH), "latent": (WIDTH,),
        "readout": (READOUT,)} | settings)


if __name__ == "__main__" and networks.compare(f"{SCALARS} numbers and {TENSORS} tensors up to l = 2, {LAYERS} layers, "
                                               f"{CUTOFF} Å", "nequip-allegro", peer,
                                               networks.oracle("allegro").environment, ours):
    for settings in ({"l_max": 0}, {"l_max": 1}, {"n_layers": 1}, {"l_max": 2}, {"n_layers": 3}, {"l_max": 3}):
        print(f"  {settings!s:32s} a step of training {1000 * networks.ours(ours(**settings))[0]:8.2f} ms")
