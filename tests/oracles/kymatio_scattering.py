"""What kymatio 0.3.0 makes of a density on voxels, in single and in double precision, in kymatio_scattering.npz.

    python tests/oracles/kymatio_scattering.py            # makes an environment of its own with kymatio; a minute
    python tests/oracles/kymatio_scattering.py --serve    # inside it: times and memory, for tests/benchmarks/scattering.py

kymatio's filters are in single precision; for double, its filter bank is built from its own source with wider types. Sides are
even: for an odd one its frequencies run from −(N + 1)/2, one too low.
"""

import inspect
import json
import os
import subprocess
import sys
from pathlib import Path
from time import process_time

HERE = Path(__file__).resolve().parent
ENVIRONMENT = Path(os.environ.get("COURSE_PEERS", Path.home() / ".cache/course_lib/peers")) / "kymatio"
PEER = ["kymatio==0.3.0", "torch==2.13.*", "numpy<3", "setuptools"]
POWERS, CASES = [0.5, 1.0, 2.0, 3.0], {"fine": ((18, 20, 16), 1.0), "smooth": ((14, 20, 24), 2.0)}


def kymatio():
    """The class, after giving SciPy back the function that kymatio imports: other order of degrees and of angles."""
    import scipy.special
    import torch

    torch.set_num_threads(1)
    scipy.special.sph_harm = lambda m, l, azimuth, polar: scipy.special.sph_harm_y(l, m, polar, azimuth)
    from kymatio.torch import HarmonicScattering3D

    return HarmonicScattering3D


def in_double():
    import kymatio.scattering3d.filter_bank as bank
    import kymatio.scattering3d.frontend.base_frontend as frontend

    source = inspect.getsource(bank).replace("complex64", "complex128").replace("float32", "float64")
    wider: dict = {}
    exec(source.replace("from .utils", "from kymatio.scattering3d.utils"), wider)
    frontend.solid_harmonic_filter_bank = wider["solid_harmonic_filter_bank"]
    frontend.gaussian_filter_bank = wider["gaussian_filter_bank"]


def density(shape):
    """Ten Gaussians of width 1 to 3 voxels anywhere in the box."""
    import numpy as np

    random = np.random.default_rng(0)
    grid = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), axis=-1)
    return sum(np.exp(-((grid - random.uniform(0, shape)) ** 2).sum(-1) / random.uniform(2, 18)) for _ in range(10))


def in_the_environment(target):
    import numpy as np
    import torch

    Scattering, found = kymatio(), {}
    for precision in ("float32", "float64"):
        if precision == "float64":
            in_double()
            torch.set_default_dtype(torch.float64)
        for name, (shape, sigma) in CASES.items():
            scattering = Scattering(J=2, shape=shape, L=3, sigma_0=sigma, integral_powers=POWERS, max_order=2)
            x = torch.as_tensor(density(shape), dtype=getattr(torch, precision))
            found[f"{name} {precision}"] = scattering(x[None])[0].numpy()
            found[f"{name} density"], found[f"{name} sigma"] = density(shape), sigma
    np.savez_compressed(target, powers=POWERS, peer=PEER[0], **found)


def peak():
    """MB that this process has taken at most. (Linux; `ru_maxrss` would count what its parent had taken.)"""
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM")) / 1024


def serve():
    """A line in, a line out: {"shape", "sigma"} builds a transform; an empty line runs it; answers are seconds and MB."""
    import torch

    Scattering = kymatio()
    for line in sys.stdin:
        start = process_time()
        if line.strip():
            given = json.loads(line)
            scattering = Scattering(J=2, shape=given["shape"], L=3, sigma_0=given["sigma"], integral_powers=POWERS, max_order=2)
            x = torch.rand(1, *given["shape"], generator=torch.Generator().manual_seed(0))
        else:
            scattering(x)
        print(process_time() - start, peak(), flush=True)


def python():
    """Its interpreter, made if it is not there."""
    path = ENVIRONMENT / "bin/python"
    if not path.exists():
        subprocess.run([sys.executable, "-m", "venv", ENVIRONMENT], check=True)
        subprocess.run([path, "-m", "pip", "install", "--quiet", *PEER], check=True)
    return path


if __name__ == "__main__":
    if "--serve" in sys.argv:
        serve()
    elif "--inside" in sys.argv:
        in_the_environment(HERE / "kymatio_scattering.npz")
    else:
        subprocess.run([python(), Path(__file__).resolve(), "--inside"], check=True, env=os.environ | {"OMP_NUM_THREADS": "1"})
