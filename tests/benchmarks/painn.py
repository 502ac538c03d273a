"""PaiNN beside schnetpack's, one thread, with the same numbers of features, layers and waves.

    OMP_NUM_THREADS=1 .venv/bin/python tests/benchmarks/painn.py      # makes the peer's environment, see tests/oracles
"""

import networks

FEATURES, INTERACTIONS, WAVES = 128, 3, 20


def peer():
    oracle, frames = networks.oracle("painn"), networks.ethanol()
    network, batch = oracle.network(FEATURES, INTERACTIONS, WAVES), oracle.schnetpack_oracle.batch
    return networks.theirs(network, batch(frames, single=True), batch(frames[:1], single=True),
                           answer=lambda inputs: [network(inputs)[name] for name in ("energy", "forces")])


def ours():
    from course_lib.equivariant import PaiNN

    return PaiNN([1, 6, 8], n_features=FEATURES, n_interactions=INTERACTIONS, n_rbf=WAVES)


if __name__ == "__main__":
    networks.compare(f"{FEATURES} features, {INTERACTIONS} interactions, {WAVES} waves", "schnetpack", peer,
                     networks.oracle("schnetpack").environment, ours)
