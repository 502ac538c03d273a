"""Icosahedral networks: a batch of 32 signals forward, and a step of training; and what of a layer is padding.

    OMP_NUM_THREADS=1 .venv/bin/python tests/benchmarks/icosahedral.py
"""

from functools import partial

import torch
from clock import compare

from course_lib.equivariant import IcosahedralCNN
from course_lib.equivariant.icosahedral import HexagonalConvolution
from course_lib.equivariant.icosahedral_grid import g_pad

CHANNELS = ((8,), (16,), (16,))


def step(network: IcosahedralCNN, signals: torch.Tensor) -> None:
    network.zero_grad()
    network(signals).square().mean().backward()


def measure(r: int) -> None:
    networks = {fields: IcosahedralCNN(10, r, CHANNELS, fields) for fields in ("S2S", "S2R", "R2R")}
    signals, fields = torch.randn(32, networks["S2S"].size), torch.randn(32, 5, 8, 6, 2**r, 2**(r + 1))
    layer = HexagonalConvolution(8, 8, 6, 6)
    with torch.no_grad():
        compare(f"forward, 32 signals, r = {r}, {signals.shape[1]} vertices, channels {CHANNELS}",
                {name: partial(network, signals) for name, network in networks.items()}, reference="S2S", rounds=5)
    compare("  forward and backward", {name: partial(step, network, signals) for name, network in networks.items()},
            reference="S2S", rounds=5)
    with torch.no_grad():
        compare("  one layer of 8 regular channels to 8",
                {"all": partial(layer, fields), "padding": partial(g_pad, fields)}, reference="all", rounds=5)


if __name__ == "__main__":
    for r in (3, 4):
        measure(r)
