"""Floor 2: what a potential is, how it is judged, and how it learns with more data.

A `Potential` learns energies, forces and stresses from labelled structures and is then an ASE calculator like any
other. `CompositionBaseline` is the one that knows only what a structure is made of; `scores` says how wrong a
prediction is beside the best constant, and `learning_curve` how that falls with the number of training structures;
`coverage` whether a model knows how wrong it is, and `committee_scale` how to mend it; `diamond_constants` what it makes of a
crystal.
A `Network` becomes a potential by `NetworkPotential`, a classifier by `NetworkClassifier`, learns vectors and tensors by
`NetworkRegressor`, all of them by `Trainer`; only these bring torch along. What took long to train is `pretrained`.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from course_lib.learning.baseline import CompositionBaseline
from course_lib.learning.calculator import PotentialCalculator
from course_lib.learning.crystals import diamond_constants
from course_lib.learning.curves import learning_curve, slope
from course_lib.learning.potential import Potential
from course_lib.learning.prediction import Prediction, labels
from course_lib.learning.pretrained import checkpoints, pretrained
from course_lib.learning.scores import scores
from course_lib.learning.uncertainty import committee_scale, coverage

if TYPE_CHECKING:
    from course_lib.learning.classifier import NetworkClassifier
    from course_lib.learning.graph_network import GraphNetwork
    from course_lib.learning.network import Network, NetworkEstimator
    from course_lib.learning.network_potential import NetworkPotential
    from course_lib.learning.regressor import NetworkRegressor
    from course_lib.learning.training import Trainer

__all__ = [
    "CompositionBaseline",
    "GraphNetwork",
    "Network",
    "NetworkClassifier",
    "NetworkEstimator",
    "NetworkPotential",
    "NetworkRegressor",
    "Potential",
    "PotentialCalculator",
    "Prediction",
    "Trainer",
    "checkpoints",
    "committee_scale",
    "coverage",
    "diamond_constants",
    "labels",
    "learning_curve",
    "pretrained",
    "scores",
    "slope",
]

_WITH_TORCH = {
    "GraphNetwork": "graph_network",
    "Network": "network",
    "NetworkClassifier": "classifier",
    "NetworkEstimator": "network",
    "NetworkPotential": "network_potential",
    "NetworkRegressor": "regressor",
    "Trainer": "training",
}


def __getattr__(name: str):
    if name not in _WITH_TORCH:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_WITH_TORCH[name]}"), name)
