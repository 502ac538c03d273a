"""Labels against points computed once more by the same engine (data/generate/recompute.py): signs, units, axes, atom order."""

import json
from pathlib import Path

import numpy as np
import pytest

from course_lib.structures import load

HERE = Path(__file__).parent
NAMES = sorted(path.name.removesuffix("_recomputed.json") for path in HERE.glob("*_recomputed.json"))
VOLT_ANGSTROM = 14.399645  # e/4πε₀: a polarizability of 1 Å³ makes 1/14.399645 e·Å out of 1 V/Å
# what a grid fixed in space costs when the molecule turns, by label; CCSD(T) and xTB have no grid
GRID = {"energy": 3e-4, "forces": 1e-2, "dipole": 5e-5, "polarizability": 1e-3}
EXACT = {"energy": 1e-6, "forces": 1e-4}


def labels_of(atoms):
    return atoms.calc.results | atoms.info


def in_other_axes(label, matrix):
    """A scalar, vectors in the last axis, or a tensor of second rank; `matrix` (3, 3)."""
    label = np.asarray(label)
    return matrix @ label @ matrix.T if label.shape == (3, 3) else label @ matrix.T if label.ndim else label


@pytest.fixture(scope="module", params=NAMES)
def recomputed(request):
    """Name, and for two frames: the frame, and what was computed beside it."""
    dataset = load(request.param)
    points = json.loads((HERE / f"{request.param}_recomputed.json").read_text(encoding="utf-8"))
    for point in points:
        point |= {key: np.array(value) for key, value in point.items() if isinstance(value, list)}
    beside = [(atoms, [point for point in points if point["frame"].items() <= atoms.info.items()])
              for atoms in dataset.train + dataset.test]
    return request.param, [(atoms, found) for atoms, found in beside if found]


def with_key(points, key):
    return [point for point in points if key in point]


def test_a_turned_and_reflected_molecule_has_the_turned_labels(recomputed):
    name, frames = recomputed
    for atoms, points in frames:
        (point,) = with_key(points, "turned")
        assert np.linalg.det(point["turned"]) == pytest.approx(-1)
        tolerances = GRID if "dipole" in point else EXACT
        for label in tolerances.keys() & point.keys():
            there = in_other_axes(labels_of(atoms)[label], point["turned"])
            np.testing.assert_allclose(point[label], there, atol=tolerances[label], rtol=0, err_msg=f"{name} {label}")
            if label != "energy":
                back = in_other_axes(labels_of(atoms)[label], point["turned"].T)
                assert abs(point[label] - back).max() > 5 * tolerances[label], "a transposition must not pass"


def test_forces_are_minus_the_gradient(recomputed):
    name, frames = recomputed
    for atoms, points in frames:
        moved = with_key(points, "moved")
        assert len(moved) == 2 * ("forces" in atoms.calc.results), name
        if moved:
            plus, minus = moved
            length = np.linalg.norm(plus["moved"])
            slope = (plus["energy"] - minus["energy"]) / (2 * length)
            along = (atoms.get_forces() * plus["moved"]).sum() / length
            # third derivatives of some 100 eV/Å³ at 0.002 Å: 7e-5; energies to 1e-7 eV: 3e-5
            assert -slope == pytest.approx(along, abs=2e-4), name
            assert (plus["energy"] + minus["energy"]) / 2 == pytest.approx(atoms.get_potential_energy(), abs=2e-4)
            assert abs(slope - along) > 0.1, "the wrong sign must not pass"


def test_the_dipole_is_minus_the_derivative_of_the_energy_by_the_field(recomputed):
    name, frames = recomputed
    for atoms, points in frames:
        in_field = with_key(points, "field")
        assert len(in_field) == 6 * ("dipole" in atoms.calc.results), name
        if in_field:
            plus, minus = np.array([point["energy"] for point in in_field]).reshape(2, 3)
            strengths = np.array([point["field"] for point in in_field])
            dipole = -np.linalg.solve(strengths[:3], (plus - minus) / 2)
            np.testing.assert_allclose(dipole, atoms.get_dipole_moment(), atol=2e-5, rtol=0, err_msg=name)
            assert abs(dipole + atoms.get_dipole_moment()).max() > 1e-3, "the wrong sign must not pass"


def test_the_polarizability_is_the_derivative_of_the_dipole_by_the_field(recomputed):
    name, frames = recomputed
    for atoms, points in frames:
        if "polarizability" in atoms.info:
            plus, minus = np.array([point["dipole"] for point in with_key(points, "field")]).reshape(2, 3, 3)
            strengths = np.array([point["field"] for point in with_key(points, "field")])
            induced = VOLT_ANGSTROM * np.linalg.solve(strengths[:3], (plus - minus) / 2).T
            np.testing.assert_allclose(induced, atoms.info["polarizability"], atol=1e-3, rtol=0, err_msg=name)


def test_every_molecular_set_computed_here_is_recomputed():
    assert set(NAMES) == {"degenerate_methane", "ethanol", "ethanol_xtb", "hydronium", "methane", "methane_b3lyp",
                          "water_tensors"}
