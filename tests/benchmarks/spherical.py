"""Transform on the sphere beside torch-harmonics, and of the rotations by itself: milliseconds of one thread, double precision.

    OMP_NUM_THREADS=1 python tests/benchmarks/spherical.py      # makes the peer's environment if it is missing; two minutes

Ours and the peer's are measured by turns, the peer in a process of its own, by the same clock, with the same torch; the powers
of one signal must agree. (torch-harmonics 0.8.0 is the last that imports with this torch.)
"""

import json
import os
import subprocess
import sys
from pathlib import Path

from clock import fastest

ENVIRONMENT = Path(os.environ.get("COURSE_PEERS", Path.home() / ".cache/course_lib/peers")) / "torch-harmonics"
PEER, NEEDED = "torch-harmonics==0.8.0", "torch==2.13.* numpy scipy"
L, SIGNALS = 30, 64


def environment() -> Path:
    """Its python; made where it is not there."""
    python = ENVIRONMENT / "bin/python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", ENVIRONMENT], check=True)
        install = [python, "-m", "pip", "install", "--quiet"]
        subprocess.run([*install, *NEEDED.split()], check=True)
        subprocess.run([*install, "--no-deps", PEER], check=True)
    return python


def signal(height, azimuth):
    """A function of cos θ and φ with all degrees up to 30, and none above."""
    return (0.3 + height + (1 - height**2) ** 0.5 * azimuth.cos()) ** 30 / 100


def coefficient_sums(power):
    """Σ_m |f_lm|² for l = 0, 5 and 20, the same in real and in complex harmonics."""
    return [float(power[l]) for l in (0, 5, 20)]


def peer():
    """In the peer's environment: least seconds of analysis and synthesis on its best grid, and three powers."""
    import torch
    from numpy.polynomial.legendre import leggauss
    from torch_harmonics import InverseRealSHT, RealSHT

    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)
    found = []
    for n_phi in (61, 62, 64):
        there, back = (kind(L + 1, n_phi, lmax=L + 1, mmax=L + 1, grid="legendre-gauss", norm="ortho").double()
                       for kind in (RealSHT, InverseRealSHT))
        values = torch.randn(SIGNALS, L + 1, n_phi)
        f = there(values)
        found.append([fastest(lambda there=there, values=values: there(values)), fastest(lambda back=back, f=f: back(f))])
    height = torch.tensor(leggauss(L + 1)[0][::-1].copy())
    azimuth = 2 * torch.pi * torch.arange(64) / 64
    f = there(signal(height[:, None], azimuth))
    power = (f.abs() ** 2 * (2 - (torch.arange(L + 1) == 0).double())).sum(dim=1)
    print(json.dumps([*map(min, zip(*found, strict=True)), coefficient_sums(power)]))


def ours():
    import torch

    from course_lib.equivariant import SphericalFourier

    fourier = SphericalFourier(L)
    values = torch.randn(SIGNALS, len(fourier.directions), dtype=torch.float64)
    f = fourier.analysis(values)
    x, y, z = torch.tensor(fourier.directions).T
    power = fourier.analysis(signal(z, torch.atan2(y, x))).square()
    return [fastest(lambda: fourier.analysis(values)), fastest(lambda: fourier.synthesis(f)),
            coefficient_sums([power[l * l:(l + 1) ** 2].sum() for l in range(L + 1)])]


def rotations():
    """A layer's worth: 32 signals of 16 channels there and back, in single precision, and a training step of both networks."""
    import torch

    from course_lib.equivariant import ClebschGordanNetwork, RotationFourier, SphericalCNN

    for l_max in (4, 8, 16):
        fourier = RotationFourier(l_max)
        count = 512 if l_max < 16 else 32
        F = torch.randn(count, sum((2 * l + 1) ** 2 for l in range(l_max + 1)))
        values = fourier.synthesis(F)
        there, back = (fastest(call, 5) for call in (
            lambda fourier=fourier, values=values: fourier.analysis(values), lambda fourier=fourier, F=F: fourier.synthesis(F)))
        print(f"  SO(3), l_max = {l_max:2d}, {values.shape[1]:6d} rotations: analysis {1e6 * there / count:7.1f} µs a signal, "
              f"synthesis {1e6 * back / count:7.1f}")
    for network in (SphericalCNN(10), ClebschGordanNetwork(10)):
        signals = torch.randn(32, network.size)
        step = fastest(lambda network=network, signals=signals: network(signals).square().mean().backward(), 5)
        print(f"  a step of training of {type(network).__name__}, as it comes: {1e3 * step / 32:.2f} ms an item")


if __name__ == "__main__":
    if "--peer" in sys.argv:
        peer()
    else:
        ask = [environment(), Path(__file__), "--peer"]
        rounds = [(json.loads(subprocess.run(ask, check=True, capture_output=True).stdout), ours()) for _ in range(3)]
        theirs, mine = rounds[0][0][2], rounds[0][1][2]
        assert all(abs(a - b) < 1e-10 * abs(a) for a, b in zip(theirs, mine, strict=True)), (theirs, mine)
        print(f"S², l_max = {L}, {SIGNALS} signals, float64, each on its fastest Gauss–Legendre grid")
        for row, name in enumerate(["analysis", "synthesis"]):
            theirs, mine = (1000 * min(both[which][row] for both in rounds) for which in (0, 1))
            print(f"  {name:10s} torch-harmonics {theirs:6.2f} ms   SphericalFourier {mine:6.2f} ms   {theirs / mine:5.2f} ×")
        rotations()
