"""What a model claims: under which group elements, and how its output answers them.

A declaration is a promise about f(ρ_in(g) x) = ρ_out(g) f(x): which classes of g it holds for, and ρ_out. It proves
nothing; `course_lib.symmetry.audit` measures it. Stated before testing, so that a kept promise means something.
"""

from dataclasses import dataclass, fields
from typing import Literal, get_args

Output = Literal["scalar", "pseudoscalar", "vector", "pseudovector", "tensor", "pseudotensor"]

RIGID_MOTIONS = {  # (translation, rotation, inversion)
    (True, True, True): "E(3)", (True, True, False): "SE(3)", (False, True, True): "O(3)", (False, True, False): "SO(3)",
    (True, False, True): "T(3) ⋊ C_i", (True, False, False): "T(3)", (False, False, True): "C_i",
}


@dataclass(frozen=True, kw_only=True)
class Symmetry:
    """The classes of group element a model claims, and how its output transforms under R of O(3).

    `permutation` of like atoms, `translation` of the structure, proper `rotation`, `inversion` (with rotation: every
    reflection), and `periodic`: the choice of another periodic image of an atom. `output` y answers R with: scalar y,
    vector R y, tensor R y Rᵀ (rank 2); a pseudo-quantity has one more factor det R. Raises ValueError for an unknown
    output and TypeError for a class that is neither claimed (True) nor not (False).
    """

    permutation: bool
    translation: bool
    rotation: bool
    inversion: bool
    periodic: bool
    output: Output = "scalar"

    def __post_init__(self) -> None:
        for field in fields(self)[:-1]:
            if not isinstance(claim := getattr(self, field.name), bool):
                raise TypeError(f"Symmetry({field.name}={claim!r}): a class of group elements is claimed or not, "
                                "True or False")
        if self.output not in get_args(Output):
            raise ValueError(f"Symmetry(output={self.output!r}): an output is one of {', '.join(get_args(Output))}")

    @property
    def name(self) -> str:
        """The group and the output as a reader says them: `S_n × E(3), scalar`."""
        rigid = RIGID_MOTIONS.get((self.translation, self.rotation, self.inversion))
        group = " × ".join(filter(None, ["S_n" if self.permutation else None, rigid])) or "no symmetry"
        return f"{group}, {self.output}" + ("" if self.periodic else ", one periodic image only")


E3_INVARIANT = Symmetry(permutation=True, translation=True, rotation=True, inversion=True, periodic=True)
"""An energy: S_n × E(3), scalar."""
SE3_INVARIANT = Symmetry(permutation=True, translation=True, rotation=True, inversion=False, periodic=True)
"""A scalar that may tell left from right."""
E3_VECTOR = Symmetry(permutation=True, translation=True, rotation=True, inversion=True, periodic=True, output="vector")
"""A dipole, or the forces: S_n × E(3), vector."""
E3_TENSOR = Symmetry(permutation=True, translation=True, rotation=True, inversion=True, periodic=True, output="tensor")
"""A polarizability, or the stress: S_n × E(3), tensor."""
