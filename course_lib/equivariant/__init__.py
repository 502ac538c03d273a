"""Floor 3, part V: equivariant networks. Features turn with the structure, each by the law it is labelled with."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from course_lib.equivariant.allegro import Allegro
    from course_lib.equivariant.clebsch_gordan_network import ClebschGordanNetwork
    from course_lib.equivariant.correlation import RotationCorrelation, SphereCorrelation
    from course_lib.equivariant.icosahedral import IcosahedralCNN
    from course_lib.equivariant.icosahedral_grid import IcosahedralGrid
    from course_lib.equivariant.mace import MACE
    from course_lib.equivariant.mesh import MeshConvolution, MeshNetwork
    from course_lib.equivariant.nequip import NequIP
    from course_lib.equivariant.painn import PaiNN
    from course_lib.equivariant.rotation_fourier import RotationFourier
    from course_lib.equivariant.spherical_cnn import SphericalCNN
    from course_lib.equivariant.spherical_fourier import SphericalFourier
    from course_lib.equivariant.tensor_field import TensorFieldNetwork

__all__ = [
    "MACE",
    "Allegro",
    "ClebschGordanNetwork",
    "IcosahedralCNN",
    "IcosahedralGrid",
    "MeshConvolution",
    "MeshNetwork",
    "NequIP",
    "PaiNN",
    "RotationCorrelation",
    "RotationFourier",
    "SphereCorrelation",
    "SphericalCNN",
    "SphericalFourier",
    "TensorFieldNetwork",
]

_WITH_TORCH = {
    "Allegro": "allegro",
    "ClebschGordanNetwork": "clebsch_gordan_network",
    "IcosahedralCNN": "icosahedral",
    "IcosahedralGrid": "icosahedral_grid",
    "MACE": "mace",
    "MeshConvolution": "mesh",
    "MeshNetwork": "mesh",
    "NequIP": "nequip",
    "PaiNN": "painn",
    "RotationCorrelation": "correlation",
    "RotationFourier": "rotation_fourier",
    "SphereCorrelation": "correlation",
    "SphericalCNN": "spherical_cnn",
    "SphericalFourier": "spherical_fourier",
    "TensorFieldNetwork": "tensor_field",
}


def __getattr__(name: str):
    if name not in _WITH_TORCH:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_WITH_TORCH[name]}"), name)
