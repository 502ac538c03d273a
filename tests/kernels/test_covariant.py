"""Kernels that turn: dipoles and polarizabilities of bond models, known in closed form."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import molecule

from course_lib.kernels import SOAP, DotProduct, GaussianProcess, LambdaSOAP, SymmetryAdaptedGP, to_cartesian, to_spherical
from course_lib.kernels.covariant import _kernel
from course_lib.structures import load
from course_lib.symmetry import audit, random_improper, random_rotations, wigner_D

FEATURES = LambdaSOAP(cutoff=3.0, n_max=4, l_max=3, width=0.4)


def waters(n, seed, molecules=1):
    """Water shaken and turned at random; a second molecule, if any, 2.8 Å away."""
    rng, frames = np.random.default_rng(seed), []
    for turn in random_rotations(n, rng):
        parts = [molecule("H2O").positions @ random_rotations(1, rng)[0].T + [0, 0, 2.8 * k] for k in range(molecules)]
        positions = np.concatenate(parts)
        frames.append(Atoms("OHH" * molecules, (positions + rng.normal(scale=0.06, size=positions.shape)) @ turn.T))
    return frames


def bonds(frames):
    x = np.array([atoms.positions for atoms in frames]).reshape(len(frames), -1, 3, 3)
    vectors = (x[:, :, 1:] - x[:, :, :1]).reshape(len(frames), -1, 3)
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return vectors / lengths, lengths


def dipoles(frames):
    u, r = bonds(frames)
    return (r * np.exp(-r) * u).sum(axis=1)


def polarizabilities(frames):
    u, r = bonds(frames)
    uniaxial = u[..., :, None] * u[..., None, :] - np.eye(3) / 3
    return (r[..., None] * np.eye(3) / 3 + (r**2 * np.exp(-r))[..., None] * uniaxial).sum(axis=1)


MODELS = {"vector": dipoles, "tensor": polarizabilities}


@pytest.fixture(scope="module", params=MODELS)
def learned(request):
    train = waters(100, 0)
    return SymmetryAdaptedGP(FEATURES, request.param, noise=1e-5).fit(train, MODELS[request.param](train))


def relative_error(model, truth, frames):
    y = truth(frames)
    return np.sqrt(np.square(model.predict(frames) - y).mean() / np.square(y - y.mean(axis=0)).mean())


def test_a_model_of_bonds_is_learned_to_one_part_in_ten_thousand(learned):
    assert relative_error(learned, MODELS[learned.output], waters(60, 1)) < 1e-4


def test_it_turns_as_it_says(learned):
    table = audit(learned, waters(4, 2, molecules=2)).set_index("element")  # two waters are not flat
    assert (table.verdict.iloc[:4] == "kept").all() and table.tolerance.iloc[0] < 1e-7


def test_computed_dipoles_and_polarizabilities_of_water_are_learned_from_a_hundred_molecules():
    data = load("water_tensors")
    train, test = ([atoms for atoms in part if len(atoms) == 3] for part in (data.train, data.test))
    labels = {"vector": lambda atoms: atoms.get_dipole_moment(), "tensor": lambda atoms: atoms.info["polarizability"]}
    for output, label in labels.items():
        fitted = SymmetryAdaptedGP(FEATURES, output, noise=1e-3).fit(train[:100], np.array([label(a) for a in train[:100]]))
        assert relative_error(fitted, lambda frames, label=label: np.array([label(a) for a in frames]), test) < 0.01


def test_a_scalar_kernel_on_each_component_does_not_turn(learned):
    train, soap = waters(100, 0), SOAP(cutoff=3.0, n_max=4, l_max=3, width=0.4, normalise=True)

    def describe(frames):
        return soap.transform(frames).reshape(len(frames), 3, -1).sum(axis=1)

    y = MODELS[learned.output](train)
    soap.fit(train)
    processes = [GaussianProcess(DotProduct(power=2), noise=1e-2).fit(describe(train), part) for part in y.reshape(100, -1).T]

    def predict(frames):
        return np.stack([p.predict(describe(frames)) for p in processes], axis=1).reshape(len(frames), *y.shape[1:])

    table = audit(predict, waters(4, 2), symmetry=learned.symmetry).set_index("element")
    assert table.verdict["proper rotation"] == "BROKEN" and table.error["proper rotation"] > 0.01
    assert table.error["permutation of like atoms"] < 1e-6
    if learned.output == "vector":  # of a vector that turns at random nothing is learned but zero
        test = waters(60, 1)
        assert np.square(predict(test) - dipoles(test)).mean() > 0.5 * np.square(dipoles(test)).mean()


@pytest.mark.parametrize("improper", [False, True])
def test_the_kernel_turns_with_the_structure(learned, improper):
    degree = max(learned.features_)
    R = (random_improper if improper else random_rotations)(1, np.random.default_rng(0))[0]
    a, b = waters(3, 3, molecules=2), waters(2, 4)
    turned = [Atoms(atoms.numbers, atoms.positions @ R.T) for atoms in a]
    k, k_turned = (_kernel(learned._describe(x, degree), learned._describe(b, degree), 2).reshape(3, 2 * degree + 1, -1)
                   for x in (a, turned))
    np.testing.assert_allclose(k_turned, wigner_D(degree, R) @ k, rtol=0, atol=1e-12 * np.abs(k).max())


def test_the_kernel_is_the_sum_over_pairs_of_like_atoms(learned):
    frames, degree = waters(2, 5) + waters(1, 6, molecules=2) + [molecule("OH")], max(learned.features_)
    described = learned._describe(frames, degree)
    expected = np.zeros((4, 2 * degree + 1, 4, 2 * degree + 1))
    for z, A, p, q in zip(*described, strict=True):
        for z_, B, p_, q_ in zip(*described, strict=True):
            expected[A, :, B] += (z == z_) * (q @ q_.T) * (p @ p_) ** 2
    np.testing.assert_allclose(_kernel(described, described, 3).reshape(expected.shape), expected, rtol=0, atol=1e-12)


def test_what_symmetry_forbids_is_exactly_zero():
    train = waters(60, 0)
    vectors = SymmetryAdaptedGP(FEATURES, noise=1e-3).fit(train, dipoles(train))
    linear = Atoms("OHH", [[0, 0, 0], [0, 0, 0.96], [0, 0, -0.96]])
    flat = Atoms("OHH", [[0, 0, 0], [0.96, 0, 0], [-0.2, 0.9, 0]])
    assert np.abs(vectors.predict([linear])).max() < 1e-11
    assert np.abs(vectors.predict([flat])[0, 2]) < 1e-11 < np.abs(vectors.predict([flat])[0, :2]).min()


def test_what_symmetry_forbids_in_every_frame_is_not_learned_from_rounding():
    frames = [molecule("CH4"), Atoms("C"), Atoms("H")]
    round_tensors = np.array([2.0, 1.0, 0.5])[:, None, None] * np.eye(3)
    tensors = SymmetryAdaptedGP(FEATURES, "tensor").fit(frames, round_tensors)
    np.testing.assert_allclose(tensors.predict(frames), round_tensors, atol=1e-3)
    assert not np.triu(tensors.predict([*frames, molecule("C2H4")]), 1).any()  # nothing was learned of degree 2
    assert np.isfinite(tensors.amplification)
    with pytest.raises(ValueError, match="symmetry of every frame forbids a part of degree 1"):
        SymmetryAdaptedGP(FEATURES).fit(frames, np.ones((3, 3)))


def test_vectors_that_are_all_zero_are_answered_with_zero():
    silent = SymmetryAdaptedGP(FEATURES).fit(waters(3, 0), np.zeros((3, 3)))
    assert not silent.predict(waters(2, 1)).any() and silent.amplification == 1


def test_an_atom_that_its_features_do_not_see_says_nothing():
    features = LambdaSOAP(cutoff=3.0, n_max=4, l_max=3, width=0.4, mixing=np.array([[1.0], [0.0]]))  # oxygen weighs nothing
    frames = [*waters(5, 0), Atoms("O")]
    vectors = SymmetryAdaptedGP(features).fit(frames, np.append(dipoles(frames[:5]), np.zeros((1, 3)), axis=0))
    assert np.isfinite(vectors.predict(frames)).all() and not vectors.predict([Atoms("O")]).any()


@pytest.mark.parametrize("settings", [{"noise": {0: 1e-3}}, {"noise": -1.0}, {"noise": np.nan}, {"power": 0}])
def test_a_noise_for_each_degree_and_a_power_are_needed(settings):
    with pytest.raises(ValueError, match="noise of 0 or more for each degree 0, 2, and a power of 1 or more"):
        SymmetryAdaptedGP(FEATURES, "tensor", **settings).fit(waters(2, 0), polarizabilities(waters(2, 0)))


@pytest.mark.parametrize("output, shape", [("vector", (50, 3)), ("tensor", (50, 3, 3))])
def test_spherical_components_are_another_basis(output, shape):
    rng = np.random.default_rng(0)
    y = rng.normal(size=shape)
    y = y if output == "vector" else y + y.swapaxes(1, 2)
    parts = to_spherical(y, output)
    assert {l: part.shape for l, part in parts.items()} == {l: (50, 2 * l + 1) for l in ([1] if output == "vector" else [0, 2])}
    np.testing.assert_allclose(to_cartesian(parts, output), y, rtol=0, atol=1e-13)
    np.testing.assert_allclose(sum(np.square(p).sum() for p in parts.values()), np.square(y).sum(), rtol=1e-13)
    for R in (*random_rotations(2, rng), *random_improper(2, rng)):
        turned = y @ R.T if output == "vector" else R @ y @ R.T
        for l, part in to_spherical(turned, output).items():
            np.testing.assert_allclose(part, parts[l] @ wigner_D(l, R).T, rtol=0, atol=1e-12)


def test_spherical_components_by_hand():
    assert to_spherical([[1, 2, 3]], "vector")[1] == pytest.approx(np.array([[2, 3, 1]]))
    xx, xy = np.zeros((2, 1, 3, 3))
    xx[0, 0, 0] = xy[0, 0, 1] = xy[0, 1, 0] = 1
    assert np.abs(to_spherical(xx, "tensor")[0]) == pytest.approx(np.sqrt(1 / 3))
    np.testing.assert_allclose(to_spherical(xx, "tensor")[2], [[0, 0, -np.sqrt(1 / 6), 0, np.sqrt(1 / 2)]], atol=1e-15)
    np.testing.assert_allclose(to_spherical(xy, "tensor")[2], [[np.sqrt(2), 0, 0, 0, 0]], atol=1e-15)


def test_each_degree_has_a_noise_of_its_own():
    train = waters(40, 0)
    y = polarizabilities(train)
    exact, deaf = (SymmetryAdaptedGP(FEATURES, "tensor", noise={0: 1e-4, 2: noise}).fit(train, y).predict(train)
                   for noise in (1e-4, 1e4))
    np.testing.assert_allclose(exact, y, atol=1e-3)
    trace = np.trace(y, axis1=1, axis2=2)[:, None, None] / 3 * np.eye(3)
    np.testing.assert_allclose(deaf, trace, atol=1e-3)  # degree 2 was not listened to


@pytest.mark.parametrize("labels, message", [
    (np.zeros((2, 3)), r"shape \(2, 3\); a tensor.*\(M, 3, 3\)"), (np.zeros((3, 3, 3)), "3 labels beside 2 frames"),
    (np.full((2, 3, 3), np.nan), "label 0 is not finite"), (np.tri(3)[None].repeat(2, 0), r"tensor 0 is not symmetric, by 1")])
def test_labels_that_are_none_are_refused(labels, message):
    with pytest.raises(ValueError, match=message):
        SymmetryAdaptedGP(FEATURES, "tensor").fit(waters(2, 0), labels)


def test_outputs_and_elements_it_does_not_know_are_refused():
    with pytest.raises(ValueError, match="output is 'spinor'"):
        SymmetryAdaptedGP(FEATURES, "spinor").fit(waters(2, 0), np.zeros((2, 3)))
    with pytest.raises(ValueError, match=r"is C,.*species are H, O"):
        SymmetryAdaptedGP(FEATURES).fit(waters(2, 0), np.ones((2, 3))).predict([molecule("CO")])
