from dataclasses import FrozenInstanceError
from itertools import product

import pytest

from course_lib.symmetry.declaration import E3_INVARIANT, E3_TENSOR, E3_VECTOR, SE3_INVARIANT, Symmetry

CLASSES = ("permutation", "translation", "rotation", "inversion", "periodic")


def test_presets_read_as_one_says_them():
    names = [s.name for s in (E3_INVARIANT, SE3_INVARIANT, E3_VECTOR, E3_TENSOR)]
    assert names == ["S_n × E(3), scalar", "S_n × SE(3), scalar", "S_n × E(3), vector", "S_n × E(3), tensor"]
    nothing = Symmetry(**dict.fromkeys(CLASSES, False))
    assert nothing.name == "no symmetry, scalar, one periodic image only"


def test_different_claims_have_different_names():
    claims = [Symmetry(**dict(zip(CLASSES, bits, strict=True))) for bits in product([True, False], repeat=5)]
    assert len({s.name for s in claims}) == len(claims) == 32


def test_a_claim_is_yes_or_no_the_output_one_we_can_turn_and_neither_changes_afterwards():
    yes = dict.fromkeys(CLASSES, True)
    with pytest.raises(TypeError, match=r"rotation='z only'.*True or False"):
        Symmetry(**yes | {"rotation": "z only"})
    with pytest.raises(ValueError, match=r"output='spinor'.*scalar, pseudoscalar"):
        Symmetry(**yes, output="spinor")
    with pytest.raises(TypeError, match="inversion"):
        Symmetry(permutation=True, translation=True, rotation=True, periodic=True)
    with pytest.raises(FrozenInstanceError):
        E3_INVARIANT.output = "vector"
