"""Tensor field networks: what each declares and keeps, the mirror test, and what no choice of weights can do."""

import numpy as np
import pytest
import torch
from ase import Atoms
from ase.build import bulk, molecule
from ase.calculators.singlepoint import SinglePointCalculator
from sklearn.base import clone

from course_lib.equivariant import TensorFieldNetwork
from course_lib.learning import NetworkClassifier, NetworkPotential, NetworkRegressor, Trainer
from course_lib.structures import load
from course_lib.symmetry import E3_VECTOR, audit, random_rotations

TETRIS = {
    "left screw": [[0, 0, 0], [0, 0, 1], [1, 0, 0], [1, 1, 0]], "right screw": [[0, 0, 0], [0, 0, 1], [1, 0, 0], [1, -1, 0]],
    "square": [[0, 0, 0], [1, 0, 0], [0, 1, 0], [1, 1, 0]], "line": [[0, 0, 0], [0, 0, 1], [0, 0, 2], [0, 0, 3]],
    "corner": [[0, 0, 0], [0, 0, 1], [0, 1, 0], [1, 0, 0]], "L": [[0, 0, 0], [0, 0, 1], [0, 0, 2], [0, 1, 0]],
    "T": [[0, 0, 0], [0, 0, 1], [0, 0, 2], [0, 1, 1]], "zigzag": [[0, 0, 0], [1, 0, 0], [1, 1, 0], [2, 1, 0]],
}


def small(species=(1, 6, 8), dtype=torch.float64, **settings):
    torch.manual_seed(0)
    return TensorFieldNetwork(list(species), **{"n_features": 6, "cutoff": 4.0, "radial": (8,)} | settings).to(dtype)


@torch.no_grad()
def said(network, frames):
    return network(network.batch(network.prepare(frames), torch.float64)).numpy()


def frames_to_audit():
    frames = [molecule("CH3CH2OH"), molecule("CH3OH"), bulk("SiC", "zincblende", a=4.36), bulk("Si", cubic=True)]
    for atoms in frames:
        atoms.rattle(0.1, seed=1)
    return frames


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=str)
@pytest.mark.parametrize("nonlinearity", ["norm", "gate"])
@pytest.mark.parametrize("output", ["energy", "scores", "vector", "tensor"])
@pytest.mark.parametrize("parity", [True, False])
def test_it_keeps_what_it_declares_and_no_more(parity, output, nonlinearity, dtype):
    """Without parity an inversion changes every output; what is kept all the same would be `kept, not claimed`."""
    network = small((1, 6, 8, 14), dtype, output=output, outputs=3 if output == "scores" else 1, l_max=2, parity=parity,
                    nonlinearity=nonlinearity)
    frames = frames_to_audit()

    @torch.no_grad()
    def model(frames):
        return network(network.batch(network.prepare(frames), dtype)).numpy()

    table = audit(model, frames, symmetry=network.symmetry, samples=2).set_index("element")
    inversion = table.verdict.pop("inversion, reflection")
    assert (table.verdict.drop("inversion, reflection", errors="ignore") == "kept").all() and len(table) == 5, table
    assert inversion == ("kept" if parity else "not claimed"), table


def test_the_audit_would_see_a_vector_that_is_half_a_pseudovector():
    """Without parities what calls itself a vector is made of both; declared a vector, it breaks its word at a mirror."""
    network = small((1, 6, 8, 14), output="vector", parity=False)
    table = audit(lambda frames: said(network, frames), frames_to_audit(), symmetry=E3_VECTOR).set_index("element")
    assert table.verdict["proper rotation"] == "kept" and table.verdict["inversion, reflection"] == "BROKEN", table


def trained(seed, parity):
    network = TensorFieldNetwork([0], 3.5, "scores", 8, n_features=8, l_max=1, n_layers=3, parity=parity, n_rbf=4, radial=(8,))
    trainer = Trainer(epochs=150, batch_size=8, learning_rate=2e-2)
    points = [np.array(shape, float) for shape in TETRIS.values()]
    return NetworkClassifier(network, trainer, random_state=seed).fit(points, list(TETRIS), progress=False)


def confusions(model, seed):
    """Which shapes are taken for which, of 100 rotations of each, shifted too."""
    rng, wrong = np.random.default_rng(seed), set()
    for name, shape in TETRIS.items():
        turned = [np.array(shape) @ R.T + rng.normal(size=3) for R in random_rotations(100, rng)]
        wrong |= {(name, str(other)) for other in model.predict(turned) if other != name}
    return wrong


@pytest.mark.parametrize("seed", range(3))
def test_eight_shapes_learned_upright_are_known_from_every_side(seed):
    """Trained on one orientation of each. SE(3): all. O(3) labels: seven of eight, the mirror pair being one shape to it."""
    assert confusions(trained(seed, parity=False), seed) == set()
    assert confusions(trained(seed, parity=True), seed) in ({("left screw", "right screw")}, {("right screw", "left screw")})


def test_with_parity_the_mirror_pair_has_one_score_whatever_the_weights():
    left, right = (np.array(TETRIS[f"{hand} screw"], float) for hand in ("left", "right"))
    for seed in range(3):
        torch.manual_seed(seed)
        scores = {parity: said(TensorFieldNetwork([0], 3.5, "scores", 8, l_max=2, parity=parity, n_features=6).double(),
                               [left, right]) for parity in (True, False)}
        np.testing.assert_allclose(scores[True][0], scores[True][1], rtol=0, atol=1e-13)
        assert np.abs(scores[False][0] - scores[False][1]).max() > 1e-6


def test_two_layers_of_degree_one_are_blind_to_handedness_even_without_parity():
    """A pseudoscalar of vectors is a triple product: two products and a third layer."""
    left, right = (np.array(TETRIS[f"{hand} screw"], float) for hand in ("left", "right"))
    for layers, blind in ((2, True), (3, False)):
        a, b = said(small((0,), output="scores", parity=False, n_layers=layers), [left, right])
        assert (np.abs(a - b).max() < 1e-13) == blind


def test_distances_alone_cannot_tell_six_atoms_in_a_ring_from_two_triangles():
    """All have two neighbours at the same distance, so l = 0 says one thing at any depth (colour refinement); l = 1 sees
    angles.
    """
    ring = np.array([[np.cos(a), np.sin(a), 0] for a in np.pi / 3 * np.arange(6)])
    triangle = np.array([[np.cos(a), np.sin(a), 0] for a in 2 * np.pi / 3 * np.arange(3)]) / np.sqrt(3)
    shapes = [ring, np.vstack([triangle, triangle + [9, 0, 0]])]
    for l_max, n_layers, blind in ((0, 4, True), (1, 1, True), (1, 2, False)):
        network = small((0,), output="scores", cutoff=1.3, l_max=l_max, n_layers=n_layers)
        one, two = said(network, shapes)
        assert (np.abs(one - two).max() < 1e-13) == blind, l_max


@pytest.mark.parametrize("output, l_max, words", [
    ("vector", 0, "a vector is read from features of degree 1; l_max is 0"),
    ("tensor", 1, "a tensor is read from features of degree 2; l_max is 1")])
def test_low_degrees_cannot_give_vectors_or_tensors(output, l_max, words):
    with pytest.raises(ValueError, match=words):
        small(output=output, l_max=l_max)


def test_symmetry_forbids_a_dipole_where_there_is_a_centre_and_shear_where_there_is_an_axis():
    benzene, ammonia = molecule("C6H6"), molecule("NH3")
    assert np.abs(said(small((1, 6), output="vector", l_max=2), [benzene])).max() < 1e-12
    dipole = said(small((1, 7), output="vector", l_max=2), [ammonia])[0]
    assert np.abs(dipole[:2]).max() < 1e-5 * abs(dipole[2])  # along z, to the digits of ASE's geometry
    tensor = said(small((1, 7), output="tensor", l_max=2), [ammonia])[0]
    np.testing.assert_allclose(tensor, np.diag(np.diag(tensor)), atol=1e-5 * np.abs(tensor).max())
    assert tensor[0, 0] == pytest.approx(tensor[1, 1], rel=1e-4) and abs(tensor[2, 2] / tensor[0, 0] - 1) > 1e-4


def test_tensors_are_symmetric_and_sums_over_atoms():
    network = small((1, 8), output="tensor", l_max=2)
    water, far = molecule("H2O"), molecule("H2O")
    far.positions += [20, 0, 0]
    far.rotate(40, "x")
    one, other, both = said(network, [water, far, water + far])
    np.testing.assert_allclose(both, one + other, rtol=0, atol=1e-13)
    np.testing.assert_allclose(both, both.T, rtol=0, atol=1e-14)


def test_as_a_potential_its_forces_are_slopes():
    atoms = molecule("CH3CH2OH")
    atoms.rattle(0.1, seed=1)
    atoms.calc = SinglePointCalculator(atoms, energy=0.0, forces=np.ones((9, 3)))
    for nonlinearity in ("norm", "gate"):
        network = small(l_max=2, nonlinearity=nonlinearity)
        model = NetworkPotential(network, Trainer(epochs=0), dtype="float64").fit([atoms], progress=False)
        along = np.random.default_rng(0).normal(size=(9, 3))
        moved = [Atoms(atoms.numbers, atoms.positions + h * along) for h in (-2e-3, -1e-3, 1e-3, 2e-3)]
        work = np.dot([1, -8, 8, -1], model.predict(moved).energies) / 12e-3
        assert work == pytest.approx(-np.vdot(model.predict([atoms]).forces[0], along), rel=1e-6)


def test_it_learns_dipoles_of_water_in_seconds_and_they_turn():
    data = load("water_tensors")
    train, test = ([atoms for atoms in part if atoms.info["molecules"] == 1][:60] for part in (data.train, data.test))
    y, truth = (np.array([atoms.get_dipole_moment() for atoms in part]) for part in (train, test))
    network = TensorFieldNetwork([1, 8], 4.0, "vector", l_max=1, n_layers=2, n_features=8)
    model = NetworkRegressor(network, Trainer(epochs=20, batch_size=10, learning_rate=2e-2)).fit(train, y, progress=False)
    assert model.score(test, truth) > 0.98
    assert (audit(model, data.test[-3:]).verdict[:4] == "kept").all()


@pytest.mark.parametrize("settings, words", [
    (dict(output="charge"), "output is 'charge'.*must be one of 'energy', 'scores', 'vector', 'tensor'"),
    (dict(nonlinearity="relu"), "nonlinearity 'relu'"), (dict(n_layers=0), "got 6, 0 and 1"), (dict(l_max=-1), "l_max is -1"),
    (dict(species=[6, 6]), r"species are \[6, 6\]; give each element once"), (dict(cutoff=-1.0), "cutoff must be"),
    (dict(n_rbf=1), "n ≥ 2"),
])
def test_settings_without_meaning_are_refused(settings, words):
    with pytest.raises(ValueError, match=words):
        small(**settings)


def test_it_is_cloned_and_shown_by_its_arguments():
    network = small(output="tensor", l_max=2)
    assert repr(clone(network)) == repr(network)
