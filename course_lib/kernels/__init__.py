"""Floor 3, part II: kernels. Two structures are compared, and what is known of one is believed of the other.

Whole molecules are compared by a list of numbers (`CoulombMatrix`, `BagOfBonds`), atoms by the density of their neighbours
(`SOAP`, and `LambdaSOAP` for what turns with the molecule) or by a body-ordered expansion of it; Gaussian processes learn
from energies, forces, vectors and tensors, and say how sure they are.
"""

from typing import TYPE_CHECKING

from course_lib.kernels.bispectrum import Bispectrum
from course_lib.kernels.cluster_basis import ClusterBasis
from course_lib.kernels.coulomb import BagOfBonds, CoulombMatrix
from course_lib.kernels.covariant import SymmetryAdaptedGP, to_cartesian, to_spherical
from course_lib.kernels.degeneracies import (
    DegeneratePair,
    cluster_difference,
    degenerate_methane_pair,
    harmonic_pair,
    homometric_pair,
    ring_pair,
    smallest_rmsd,
    sphere_invariants,
)
from course_lib.kernels.density import DensityExpansion
from course_lib.kernels.expansion import AtomicClusterExpansion
from course_lib.kernels.gap import GAP
from course_lib.kernels.gaussian_process import GaussianProcess
from course_lib.kernels.kernel_functions import RBF, DotProduct, Kernel, Laplacian, Matern52, Symmetrized
from course_lib.kernels.lambda_soap import LambdaSOAP
from course_lib.kernels.observations import Observations, covariance, pair_observations
from course_lib.kernels.potential import KernelPotential
from course_lib.kernels.soap import SOAP

if TYPE_CHECKING:
    from course_lib.kernels.symmetry_functions import BehlerParrinello, SymmetryFunctions

__all__ = [
    "GAP",
    "RBF",
    "SOAP",
    "AtomicClusterExpansion",
    "BagOfBonds",
    "BehlerParrinello",
    "Bispectrum",
    "ClusterBasis",
    "CoulombMatrix",
    "DegeneratePair",
    "DensityExpansion",
    "DotProduct",
    "GaussianProcess",
    "Kernel",
    "KernelPotential",
    "LambdaSOAP",
    "Laplacian",
    "Matern52",
    "Observations",
    "Symmetrized",
    "SymmetryAdaptedGP",
    "SymmetryFunctions",
    "cluster_difference",
    "covariance",
    "degenerate_methane_pair",
    "harmonic_pair",
    "homometric_pair",
    "pair_observations",
    "ring_pair",
    "smallest_rmsd",
    "sphere_invariants",
    "to_cartesian",
    "to_spherical",
]


def __getattr__(name: str):
    if name not in ("BehlerParrinello", "SymmetryFunctions"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from course_lib.kernels import symmetry_functions  # it brings torch along

    return getattr(symmetry_functions, name)
