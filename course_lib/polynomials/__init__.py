"""Part I: permutationally invariant polynomials.

A global model of one molecule: its energy as a polynomial in functions of all interatomic distances that no relabelling of
like atoms changes. `orbits` finds the symmetrised monomials, `recipe` computes each from lower ones, `invariants` makes
features and their slopes of them, `potential` fits energies and forces by linear least squares.
"""

from course_lib.polynomials.invariants import InvariantPolynomials
from course_lib.polynomials.potential import PIP

__all__ = ["PIP", "InvariantPolynomials"]
