"""Floor 2: what a potential is, how it is judged, and how it learns with more data.

A `Potential` learns energies, forces and stresses from labelled structures and is then an ASE calculator like any
other. `CompositionBaseline` is the one that knows only what a structure is made of; `scores` says how wrong a
prediction is beside the best constant, and `learning_curve` how that falls with the number of training structures.
"""

from course_lib.learning.baseline import CompositionBaseline
from course_lib.learning.calculator import PotentialCalculator
from course_lib.learning.curves import learning_curve, slope
from course_lib.learning.potential import Potential
from course_lib.learning.prediction import Prediction, labels
from course_lib.learning.scores import scores

__all__ = [
    "CompositionBaseline",
    "Potential",
    "PotentialCalculator",
    "Prediction",
    "labels",
    "learning_curve",
    "scores",
    "slope",
]
