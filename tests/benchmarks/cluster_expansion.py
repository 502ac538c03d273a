"""What the cluster expansion costs with the order and with the neighbours; with no peer here, compared with itself."""

import numpy as np
from ase.build import bulk
from clock import compare

from course_lib.kernels import AtomicClusterExpansion, ClusterBasis
from course_lib.structures import load, neighbour_graphs

N_MAX, L_MAX = (8, 5, 3, 2), (0, 4, 3, 2)

if __name__ == "__main__":
    silicon, rng = bulk("Si", cubic=True) * (4, 4, 4), np.random.default_rng(0)
    silicon.positions += rng.normal(scale=0.05, size=silicon.positions.shape)

    def prepared(order: int, cutoff: float):
        basis = ClusterBasis(cutoff, N_MAX[:order], L_MAX[:order], species=[14]).fit()
        table = basis.contraction(rng.normal(size=(1, len(basis.features_))))
        return lambda: basis.contract([silicon], table)

    compare("energy and slopes of 512 silicon atoms, 28 neighbours within 5 Å", {
        f"order {order}": prepared(order, 5.0) for order in (1, 2, 3, 4)}, reference="order 1", rounds=5)
    cutoffs = (3.0, 4.2, 5.0, 6.0, 7.0, 8.0)
    neighbours = {cutoff: len(neighbour_graphs([silicon], cutoff)[0].senders) / 512 for cutoff in cutoffs}
    compare("the same at order 4 with the neighbours", {
        f"{count:.1f} neighbours": prepared(4, cutoff) for cutoff, count in neighbours.items()},
        reference=f"{neighbours[5.0]:.1f} neighbours", rounds=5)
    frames = load("methane_b3lyp").train[:100]
    compare("least squares, 100 frames of CH4 with forces", {
        f"order {order}": lambda order=order: AtomicClusterExpansion(4.0, (6, 4, 2, 2)[:order], (0, 3, 2, 2)[:order])
        .fit(frames, progress=False) for order in (1, 2, 3, 4)}, reference="order 1", rounds=3)
