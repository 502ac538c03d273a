"""Floor 1: groups, their representations, and the audit that holds every model to its word.

A model is a function f with f(ρ_in(g) x) = ρ_out(g) f(x) for every g of a stated group. This room draws g at random
by Haar measure (`groups`), writes ρ for functions on the sphere (`harmonics`, `wigner`, `coupling`, in the one
convention that `conventions` translates to SciPy, e3nn and sphericart), takes vectors and tensors to pieces (`tensors`),
makes any f symmetric by averaging (`averaging`), counts what symmetric functions there are (`molien`), and measures how
well a model keeps its word (`audit`).
"""

from course_lib.symmetry.audit import audit
from course_lib.symmetry.averaging import reynolds, rotation_quadrature, sphere_quadrature
from course_lib.symmetry.conventions import to_e3nn, to_scipy
from course_lib.symmetry.coupling import clebsch_gordan, couple, invariant_couplings
from course_lib.symmetry.declaration import E3_INVARIANT, E3_TENSOR, E3_VECTOR, SE3_INVARIANT, Symmetry
from course_lib.symmetry.groups import (
    Isometry,
    icosahedral_rotations,
    random_improper,
    random_isometry,
    random_permutation,
    random_rotations,
)
from course_lib.symmetry.harmonics import recurred_harmonics, spherical_harmonics, spherical_harmonics_gradient
from course_lib.symmetry.molien import cycle_index, molien_of_matrices, molien_series
from course_lib.symmetry.tensors import to_cartesian, to_spherical
from course_lib.symmetry.wigner import rotate_coefficients, wigner_D

__all__ = [
    "E3_INVARIANT",
    "E3_TENSOR",
    "E3_VECTOR",
    "SE3_INVARIANT",
    "Isometry",
    "Symmetry",
    "audit",
    "clebsch_gordan",
    "couple",
    "cycle_index",
    "icosahedral_rotations",
    "invariant_couplings",
    "molien_of_matrices",
    "molien_series",
    "random_improper",
    "random_isometry",
    "random_permutation",
    "random_rotations",
    "recurred_harmonics",
    "reynolds",
    "rotate_coefficients",
    "rotation_quadrature",
    "sphere_quadrature",
    "spherical_harmonics",
    "spherical_harmonics_gradient",
    "to_cartesian",
    "to_e3nn",
    "to_scipy",
    "to_spherical",
    "wigner_D",
]
