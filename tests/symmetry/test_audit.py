"""The audit passes what is exact, in float64 and float32, and finds one injected fault of every class."""

from types import SimpleNamespace

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, molecule
from ase.calculators.lj import LennardJones

from course_lib.symmetry import Symmetry, audit

SCALAR = Symmetry(permutation=True, translation=True, rotation=True, inversion=True, periodic=True, output="scalar")


@pytest.fixture(scope="module")
def frames():
    rng = np.random.default_rng(5)
    crystal = bulk("Si", cubic=True) * (1, 1, 1)
    found = [molecule("CH3CH2OH"), molecule("CH4"), molecule("H2O2"), crystal]
    for atoms in found:
        atoms.positions += rng.normal(scale=0.1, size=atoms.positions.shape)
    return found


def distances(atoms: Atoms) -> np.ndarray:
    return atoms.get_all_distances(mic=bool(atoms.pbc.any()))


def pair_energy(atoms: Atoms) -> float:
    z = atoms.numbers
    return float(np.sum(np.outer(z, z) * np.exp(-distances(atoms))))


def model(energy, dtype=float):
    return lambda frames: np.array([energy(atoms) for atoms in frames], dtype)


def verdicts(fn, frames, symmetry=SCALAR):
    return audit(fn, frames, symmetry=symmetry).set_index("element").verdict.to_dict()


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_an_exact_model_passes_every_class(frames, dtype):
    table = audit(model(pair_energy, dtype), frames, symmetry=SCALAR)
    assert (table.verdict == "kept").all()
    assert (table.error <= {np.float64: 1e-12, np.float32: 5e-4}[dtype]).all()
    assert (table.tolerance == 4096 * np.finfo(dtype).eps).all()


def chirality(atoms):
    a, b, c = (atoms.positions[k] - atoms.positions[0] for k in (1, 2, 3))
    return float(np.linalg.det([a, b, c])) if len(atoms) == 9 else 0.0


FAULTS = {
    "sorted features": (lambda a: float(np.sort(a.positions[:, 0] - a.positions[:, 0].mean()) @ np.arange(len(a))),
                        {"proper rotation", "inversion, reflection", "periodic image"}),
    "z-only rotation invariance": (lambda a: float(np.sum(distances(a)) + np.ptp(a.positions[:, 2])),
                                   {"proper rotation", "inversion, reflection", "periodic image"}),
    "parity-odd scalar": (lambda a: pair_energy(a) + chirality(a),
                          {"inversion, reflection", "permutation of like atoms"}),
    "order of the atoms": (lambda a: float(np.arange(len(a)) @ np.exp(-distances(a)).sum(axis=1)),
                           {"permutation of like atoms"}),
    "periodic image": (lambda a: float(np.sum(np.exp(-a.get_all_distances(mic=False)))), {"periodic image"}),
    "origin": (lambda a: float(np.linalg.norm(a.positions.sum(axis=0))), {"translation", "periodic image"}),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_an_injected_fault_is_found_in_its_own_rows_only(fault, frames):
    energy, expected = FAULTS[fault]
    found = {element for element, verdict in verdicts(model(energy), frames).items() if verdict == "BROKEN"}
    assert found == expected


def test_a_fault_of_one_part_in_a_million_is_found(frames):
    energy = model(lambda a: pair_energy(a) * (1 + 1e-6 * np.tanh(a.positions[0, 0])))
    assert verdicts(energy, frames)["translation"] == "BROKEN"


def test_rotations_about_z_alone_would_not_have_found_it(frames):
    energy = FAULTS["z-only rotation invariance"][0]
    turned = frames[0].copy()
    turned.rotate(37, "z")
    assert energy(turned) == pytest.approx(energy(frames[0]), rel=1e-13)


def test_a_model_that_multiplies_rounding_errors_is_allowed_for_that_and_no_more(frames):
    def cancelling(size):
        def predict(frames):
            return np.array([pair_energy(a) * (1 + size * np.sin(1e3 * a.positions.sum())) for a in frames])
        return SimpleNamespace(transform=predict, amplification=1e9, symmetry=SCALAR)

    quiet, loud = (audit(cancelling(size), frames).set_index("element") for size in (1e-10, 1e-6))
    assert quiet.tolerance.iloc[0] == pytest.approx(np.finfo(float).eps ** 0.5)
    assert quiet.verdict["translation"] == "kept" and loud.verdict["translation"] == "BROKEN"


def test_what_is_not_claimed_is_told_apart_from_what_is_broken(frames):
    modest = Symmetry(permutation=False, translation=True, rotation=True, inversion=True, periodic=True, output="scalar")
    assert verdicts(model(FAULTS["order of the atoms"][0]), frames, modest)["permutation of like atoms"] == "not claimed"
    assert verdicts(model(pair_energy), frames, modest)["permutation of like atoms"] == "kept, not claimed"


def test_a_class_that_no_frame_can_tell_is_not_called_kept(frames):
    assert verdicts(model(pair_energy), frames[:3])["periodic image"].startswith("not tested")


def test_nan_is_never_kept(frames):
    assert verdicts(model(lambda a: np.nan), frames)["translation"] == "BROKEN"


def forces(atoms):
    d = atoms.get_all_distances(vector=True, mic=bool(atoms.pbc.any()))
    return np.einsum("ijk,ij->ik", d, np.exp(-np.linalg.norm(d, axis=-1)))


def test_forces_must_turn_with_the_atoms(frames):
    def prediction(sign):
        return lambda frames: SimpleNamespace(
            energies=np.array([pair_energy(a) for a in frames]), stresses=None,
            forces=[forces(a) if sign else np.abs(forces(a)) for a in frames])

    assert (audit(SimpleNamespace(predict=prediction(True), symmetry=SCALAR), frames[:3]).verdict[:4] == "kept").all()
    broken = audit(SimpleNamespace(predict=prediction(False), symmetry=SCALAR), frames[:3]).set_index("element").verdict
    assert broken["proper rotation"] == "BROKEN" and broken["permutation of like atoms"] == "kept"


def test_vectors_pseudovectors_and_tensors_turn_by_their_own_rule(frames):
    def dipole(a):
        return a.numbers @ (a.positions - a.positions.mean(axis=0))

    def quadrupole(a):
        return np.einsum("i,ij,ik->jk", a.numbers, *2 * [a.positions - a.positions.mean(axis=0)])

    def axial(a):
        return np.cross(dipole(a), quadrupole(a) @ dipole(a))

    for fn, output in ((dipole, "vector"), (axial, "pseudovector"), (quadrupole, "tensor")):
        symmetry = Symmetry(permutation=True, translation=True, rotation=True, inversion=True, periodic=False, output=output)
        assert (audit(model(fn), frames[:3], symmetry=symmetry).verdict[:4] == "kept").all()
    wrong = Symmetry(permutation=True, translation=True, rotation=True, inversion=True, periodic=False, output="vector")
    table = audit(model(axial), frames[:3], symmetry=wrong).set_index("element").verdict
    assert table["proper rotation"] == "kept" and table["inversion, reflection"] == "BROKEN"


def test_features_of_atoms_follow_their_atoms(frames):
    features = SimpleNamespace(transform=lambda frames: np.concatenate(
        [np.exp(-distances(a)).sum(axis=1, keepdims=True) for a in frames]), symmetry=SCALAR)
    assert (audit(features, frames).verdict == "kept").all()


def test_frames_that_cannot_be_audited_are_refused(frames):
    with pytest.raises(ValueError, match="empty"):
        audit(model(pair_energy), [], symmetry=SCALAR)
    with pytest.raises(ValueError, match="3 rows for 4 frames"):
        audit(lambda frames: np.zeros(3), frames, symmetry=SCALAR)


def test_frames_that_cannot_tell_are_not_counted():
    flat, lone = molecule("C2H4"), bulk("Cu")
    found = verdicts(model(lambda a: 1.0), [flat, Atoms("Ar")])
    assert found["inversion, reflection"].startswith("not tested") and found["proper rotation"] == "kept"
    assert verdicts(model(lambda a: 1.0), [lone])["periodic image"].startswith("not tested")


@pytest.mark.parametrize("seed", range(20))
def test_no_random_element_is_the_identity(seed):
    two_alike = [Atoms("OHH", [[0, 0, 0], [1, 0, 0], [0, 1.2, 0]])]
    table = audit(model(lambda a: float(np.exp(-a.get_distance(0, 1)))), two_alike, symmetry=SCALAR, samples=1, seed=seed)
    assert table.verdict[0] == "BROKEN"


def test_what_vanishes_by_symmetry_is_not_broken():
    def predict(frames):
        found = [a.copy() for a in frames]
        for atoms in found:
            atoms.calc = LennardJones(sigma=2.3, rc=5.0, smooth=True)
        return SimpleNamespace(energies=np.array([a.get_potential_energy() for a in found]), stresses=None,
                               forces=[a.get_forces() for a in found])

    perfect = bulk("Cu", cubic=True)
    assert np.abs(predict([perfect]).forces).max() < 1e-12
    assert (audit(SimpleNamespace(predict=predict, symmetry=SCALAR), [perfect]).verdict == "kept").all()


def test_what_atoms_carry_goes_with_them(frames):
    charged = frames[0].copy()
    charged.set_initial_charges(np.arange(9.0))
    assert (audit(model(lambda a: float(a.get_initial_charges() @ np.exp(-distances(a)).sum(axis=1))), [charged],
                  symmetry=SCALAR).verdict[:4] == "kept").all()


def test_whole_numbers_may_be_audited(frames):
    assert verdicts(lambda frames: np.array([len(a) for a in frames]), frames)["translation"] == "kept"
