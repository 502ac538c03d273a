"""What Kymatio makes of a few periodic signals and images, in kymatio_signals.npz.

    python tests/oracles/kymatio_signals.py [folder]   # makes an environment of its own with kymatio 0.3.0; a minute

Its cores are called without their padding and without subsampling on the way, which is an approximation.
"""

import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ENVIRONMENT = Path(os.environ.get("COURSE_PEERS", Path.home() / ".cache/course_lib/peers")) / "kymatio"
PEERS = ["kymatio==0.3.0", "scipy<1.17"]                         # which no longer imports with SciPy 1.17
SIGNALS = [(256, 4, 8), (256, 5, 1)]                             # T, J, Q
IMAGE = (32, 24, 2, 6)                                           # height, width, J, L


def signals(rng, length, scales, per_octave):
    from kymatio.scattering1d.backend.numpy_backend import backend
    from kymatio.scattering1d.core.scattering1d import scattering1d
    from kymatio.scattering1d.filter_bank import scattering_filter_factory

    x = rng.normal(size=(2, length))
    phi, first, second = scattering_filter_factory(length, scales, (per_octave, 1), 2**scales)
    found = scattering1d(x, backend, first, second, phi, ind_start={0: 0}, ind_end={0: length}, oversampling=99)
    return x, [path["n"] for path in found], [path["coef"][:, :: 2**scales] for path in found]


def images(rng, height, width, scales, orientations):
    from kymatio.scattering2d.backend.numpy_backend import NumpyBackend2D
    from kymatio.scattering2d.core.scattering2d import scattering2d
    from kymatio.scattering2d.filter_bank import filter_bank

    class AtFullResolution(NumpyBackend2D):
        @staticmethod
        def subsample_fourier(x, k):
            return x

    x = rng.normal(size=(2, height, width))
    filters = filter_bank(height, width, scales, orientations)
    for kind in (filters["phi"], *filters["psi"]):
        kind["levels"] = [kind["levels"][0]] * (scales + 1)
    found = scattering2d(x, lambda y: y, lambda y: y, AtFullResolution, scales, orientations, filters["phi"], filters["psi"], 2,
                         out_type="list")
    return x, [path["n"] for path in found], [path["coef"][:, :: 2**scales, :: 2**scales] for path in found]


def in_the_environment(target):
    import numpy as np

    rng = np.random.default_rng(0)
    arrays = {}
    for name, make, settings in [*((f"signals{n}", signals, s) for n, s in enumerate(SIGNALS)), ("images", images, IMAGE)]:
        x, paths, coefficients = make(rng, *settings)
        padded = [[*path, -1, -1][:2] for path in paths]
        arrays |= {f"{name}_settings": settings, f"{name}_x": x, f"{name}_paths": padded,
                   f"{name}_coefficients": np.stack(coefficients, axis=1).astype(np.float64)}
        print(f"{name}: {len(paths)} paths")
    np.savez_compressed(target / "kymatio_signals.npz", **arrays)


def run(target):
    """Make the environment if it is not there, and do all in it."""
    python = ENVIRONMENT / "bin/python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", ENVIRONMENT], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *PEERS], check=True)
    subprocess.run([python, Path(__file__).resolve(), "--inside", Path(target).resolve()], check=True,
                   env=os.environ | {"OMP_NUM_THREADS": "1"})


if __name__ == "__main__":
    if "--inside" in sys.argv:
        in_the_environment(Path(sys.argv[2]))
    else:
        run(sys.argv[1] if len(sys.argv) > 1 else HERE)
