"""Floor 0: what a model sees.

A structure is an `ase.Atoms` with its labels on it, from a data set whose card says where it comes from (`datasets`; the
one set without atoms is of `images`, which can be laid on the sphere; the public `benchmarks` are fetched when asked for). A
method sees its neighbours: a graph a frame, computed once (`graphs`) or kept while atoms move (`verlet`), many frames as one
batch of tensors (`batches`); distances are counted (`distribution`), fade by cutoff functions (`cutoffs`) and become vectors
by radial bases (`radial`). Bad frames are refused by name (`validation`), and so are bare points (`points`). Only `AtomBatch`
and the neighbour search bring torch along, and only when they are used.
"""

from typing import TYPE_CHECKING

from course_lib.structures.benchmarks import benchmark, benchmarks
from course_lib.structures.cutoffs import CosineCutoff, CutoffFunction, PolynomialCutoff, QuinticSwitch
from course_lib.structures.datasets import Card, Dataset, datasets, load
from course_lib.structures.distribution import radial_distribution
from course_lib.structures.graphs import NeighbourGraph, neighbour_graphs
from course_lib.structures.images import ImageDataset, Images, load_images, project_images
from course_lib.structures.points import point_arrays
from course_lib.structures.radial import BesselBasis, GaussianBasis, GaussianTypeOrbitals, PolynomialBasis
from course_lib.structures.validation import check_labels, check_species, check_structures
from course_lib.structures.verlet import VerletList

if TYPE_CHECKING:
    from course_lib.structures.batches import AtomBatch

__all__ = ["AtomBatch", "BesselBasis", "Card", "CosineCutoff", "CutoffFunction", "Dataset", "GaussianBasis",
           "GaussianTypeOrbitals", "ImageDataset", "Images", "NeighbourGraph", "PolynomialBasis", "PolynomialCutoff",
           "QuinticSwitch", "VerletList", "benchmark", "benchmarks", "check_labels", "check_species", "check_structures",
           "datasets", "load", "load_images", "neighbour_graphs", "point_arrays", "project_images",
           "radial_distribution"]


def __getattr__(name: str):
    if name != "AtomBatch":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from course_lib.structures.batches import AtomBatch

    return AtomBatch
