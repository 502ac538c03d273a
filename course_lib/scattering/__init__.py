"""Floor 3, part III: scattering. Wavelets, moduli and averages, in a cascade of two.

A Fourier modulus does not see a translation and trembles when its argument is stretched; moduli of wavelets bend along,
and their averages are invariant and stable (Mallat, Comm. Pure Appl. Math. 65, 1331 (2012)): `SignalScattering` and
`ImageScattering`. In space, wavelets that turn like spherical harmonics and a sum over their orders m take away rotation too:
`SolidHarmonicScattering` of molecules, `VoxelScattering` of any density on a grid, and `ScatteringRegression`, a potential.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from course_lib.scattering.images import ImageScattering
    from course_lib.scattering.regression import MultilinearRegression, ScatteringRegression
    from course_lib.scattering.signals import SignalScattering
    from course_lib.scattering.solid_harmonic import SolidHarmonicScattering
    from course_lib.scattering.voxels import VoxelScattering

__all__ = ["ImageScattering", "MultilinearRegression", "ScatteringRegression", "SignalScattering", "SolidHarmonicScattering",
           "VoxelScattering"]

_MODULES = {"ImageScattering": "images", "MultilinearRegression": "regression", "ScatteringRegression": "regression",
            "SignalScattering": "signals", "SolidHarmonicScattering": "solid_harmonic", "VoxelScattering": "voxels"}


def __getattr__(name: str):
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
