"""Floor 3, part IV: sets and point clouds. A sum over points does not know their order, and neither does what follows it.

Networks of sets differ in what they sum: a function of each point (`DeepSets`, `PointNet`), of each k of them
(`JanossyPooling`), or answers of every point to every other (`SetTransformer`). Point convolutions sum over neighbours,
weighted by a filter of where these are (`PointConvolution`) or of how far (`SchNet`); `DeepPotSE` multiplies two such sums, so
that angles enter.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from course_lib.point_clouds.deep_pot import DeepPotSE
    from course_lib.point_clouds.deep_sets import DeepSets, EquivariantSetLayer
    from course_lib.point_clouds.janossy import JanossyPooling
    from course_lib.point_clouds.point_convolution import ContinuousConvolution, PointConvolution
    from course_lib.point_clouds.point_sets import PointSets
    from course_lib.point_clouds.pointnet import PointNet
    from course_lib.point_clouds.schnet import SchNet
    from course_lib.point_clouds.set_transformer import SetTransformer

__all__ = [
    "ContinuousConvolution",
    "DeepPotSE",
    "DeepSets",
    "EquivariantSetLayer",
    "JanossyPooling",
    "PointConvolution",
    "PointNet",
    "PointSets",
    "SchNet",
    "SetTransformer",
]

_WITH_TORCH = {
    "ContinuousConvolution": "point_convolution",
    "DeepPotSE": "deep_pot",
    "DeepSets": "deep_sets",
    "EquivariantSetLayer": "deep_sets",
    "JanossyPooling": "janossy",
    "PointConvolution": "point_convolution",
    "PointNet": "pointnet",
    "PointSets": "point_sets",
    "SchNet": "schnet",
    "SetTransformer": "set_transformer",
}


def __getattr__(name: str):
    if name not in _WITH_TORCH:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_WITH_TORCH[name]}"), name)
