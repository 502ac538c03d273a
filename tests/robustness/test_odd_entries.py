"""What potentials and feature maps are not: networks of sets and signals, vectors, audits, drawings, distributions, loaders."""

import matplotlib.pyplot as plt
import numpy as np
import odd
import pytest
from ase import Atoms
from hypothesis import given
from hypothesis import strategies as st
from odd import SOME

from course_lib import show
from course_lib.equivariant import (
    Allegro,
    ClebschGordanNetwork,
    IcosahedralCNN,
    MeshNetwork,
    PaiNN,
    SphericalCNN,
    TensorFieldNetwork,
)
from course_lib.kernels import LambdaSOAP, SymmetryAdaptedGP
from course_lib.learning import CompositionBaseline, NetworkClassifier, NetworkPotential, NetworkRegressor, Trainer
from course_lib.point_clouds import DeepSets, JanossyPooling, PointConvolution, PointNet, SetTransformer
from course_lib.polynomials import InvariantPolynomials
from course_lib.scattering import ImageScattering, SignalScattering
from course_lib.structures import (
    VerletList,
    load,
    load_images,
    neighbour_graphs,
    project_images,
    radial_distribution,
)
from course_lib.symmetry import audit

ONCE = Trainer(epochs=1, batch_size=8)
ATOMS = {"PaiNN": PaiNN([1, 6], 4.0, n_features=8, n_interactions=1),
         "Allegro": Allegro([1, 6], 4.0, n_scalars=8, n_tensors=2, l_max=1)}
SETS = {"DeepSets": DeepSets(2, phi=(8,), rho=(8,)), "Janossy": JanossyPooling(2), "PointConvolution": PointConvolution(2, 2.0),
        "PointNet": PointNet(2, local=(8,), deep=(8, 16)), "SetTransformer": SetTransformer(2, width=8, heads=2)}
OCTAHEDRON = np.array([[1, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0], [0, 0, 1], [0, 0, -1.0]])
FACES = np.array([[0, 2, 4], [2, 1, 4], [1, 3, 4], [3, 0, 4], [2, 0, 5], [1, 2, 5], [3, 1, 5], [0, 3, 5]])
SIGNALS = {"SphericalCNN": SphericalCNN(2, (3, 2), (2, 2)),
           "ClebschGordan": ClebschGordanNetwork(2, 2, channels=(2, 2), head=(4,)),
           "Icosahedral": IcosahedralCNN(2, 2, channels=((2,), (2,))), "Mesh": MeshNetwork(2, OCTAHEDRON, FACES, channels=(2,))}


@pytest.fixture(scope="module")
def methane():
    return load("methane_b3lyp").train[:10]


def said(answer, *arguments, words=("frame ", "empty")):
    """What it answers, or None where it refuses and one of `words` says what."""
    try:
        return answer(*arguments)
    except ValueError as error:
        assert any(word in str(error) for word in words), error
        return None


@pytest.mark.parametrize("name", ATOMS)
def test_a_network_of_atoms_answers_or_refuses_in_words_in_both_precisions(methane, name):
    potential = NetworkPotential(ATOMS[name], ONCE).fit(methane, progress=False)

    @SOME
    @given(atoms=odd.frames())
    def holds(atoms):
        single, double = (said(potential.set_params(dtype=dtype).predict, [atoms]) for dtype in ("float32", "float64"))
        assert (single is None) == (double is None)
        if single:
            np.testing.assert_allclose(single.energies, double.energies, rtol=1e-4, atol=1e-3)
            np.testing.assert_allclose(single.forces[0], double.forces[0], rtol=1e-2, atol=1e-2 * abs(double.forces[0]).max())
            assert np.isfinite(double.energies).all() and double.forces[0].shape == (len(atoms), 3)

    holds()


@st.composite
def sets(draw):
    """An array of points, or a frame, few of which are what a network of sets in space can take."""
    if draw(st.booleans()):
        atoms = draw(odd.frames())
        atoms.numbers[:] = draw(st.sampled_from([atoms.numbers, 1]))
        atoms.pbc = atoms.pbc & draw(st.booleans())
        return atoms
    shape = (draw(st.integers(0, 5)), draw(st.sampled_from([3, 3, 3, 2])))
    points = np.random.default_rng(draw(st.integers(0, 99))).normal(size=shape) * draw(st.sampled_from([0.0, 1e-6, 1.0, 1e5]))
    points = points.astype(draw(st.sampled_from(["f4", "f8", "i4", "c8", "U3"])))
    if points.dtype.kind == "f" and points.size and draw(st.integers(0, 4)) == 0:
        points[0, 0] = draw(st.sampled_from([np.nan, np.inf]))
    return points


def classifier(network, items, dtype):
    return NetworkClassifier(network, ONCE, dtype=dtype).fit(items, np.arange(len(items)) % 2, progress=False)


def is_probability(answer):
    return answer.shape == (1, 2) and np.isfinite(answer).all() and answer.sum() == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", SETS)
def test_a_network_of_sets_answers_or_refuses_in_words(name, dtype):
    rng = np.random.default_rng(0)
    model = classifier(SETS[name], [rng.normal(size=(4, 3)) for _ in range(8)], dtype)

    @SOME
    @given(item=sets())
    def holds(item):
        answer = said(model.predict_proba, [item], words=("item ", "frame ", "set "))
        assert answer is None or is_probability(answer)

    holds()


@pytest.mark.parametrize("name", SIGNALS)
def test_a_network_of_signals_answers_or_refuses_in_words(name):
    network, rng = SIGNALS[name], np.random.default_rng(0)
    model = classifier(network, [rng.normal(size=network.size) for _ in range(8)], "float32")

    @SOME
    @given(scale=st.sampled_from([0.0, 1e-20, 1.0, 1e6]), off=st.sampled_from([0, 0, 0, 1, -1]),
           bad=st.sampled_from([0, 0, np.nan, np.inf]), dtype=st.sampled_from(["f4", "f8", "u1", "c8"]))
    def holds(scale, off, bad, dtype):
        with np.errstate(invalid="ignore"):
            signal = (scale * rng.normal(size=network.size + off) + bad).astype(dtype)
        answer = said(model.predict_proba, [signal], words=("item ",))
        assert answer is None or is_probability(answer)

    holds()


def dipoles(frames):
    return np.array([atoms.positions.sum(axis=0) for atoms in frames])


VECTORS = {"TensorFieldNetwork": NetworkRegressor(TensorFieldNetwork([1, 6], 4.0, "vector", n_features=4, n_layers=1), ONCE),
           "SymmetryAdaptedGP": SymmetryAdaptedGP(LambdaSOAP(4.0, 2, 2))}


@pytest.mark.parametrize("name", VECTORS)
def test_a_vector_is_finite_or_refused_in_words(methane, name):
    model = VECTORS[name]
    model.fit(methane, dipoles(methane), **{"progress": False} if name == "TensorFieldNetwork" else {})

    @SOME
    @given(atoms=odd.frames())
    def holds(atoms):
        answer = said(model.predict, [atoms])
        assert answer is None or (answer.shape == (1, 3) and np.isfinite(answer).all())

    holds()


@SOME
@given(atoms=odd.frames(), like=st.booleans())
def test_polynomials_of_one_molecule_refuse_every_other(atoms, like):
    if like:
        atoms = Atoms("CH4", np.resize(atoms.positions, (5, 3)) if len(atoms) else np.zeros((5, 3)))
    answer = said(InvariantPolynomials(["C", "H", "H", "H", "H"], 2).fit().transform, [atoms])
    assert answer is None or (answer.shape[0] == 1 and np.isfinite(answer).all())


@SOME
@given(atoms=odd.frames())
def test_an_audit_has_a_verdict_for_every_class_or_refuses_in_words(methane, atoms):
    model = CompositionBaseline().fit(methane)
    table = said(audit, model, [atoms])
    assert table is None or set(table.verdict) <= {"kept", "kept, not claimed", "not tested: no frame can tell"}


@SOME
@given(frames=st.lists(odd.frames(), max_size=3))
def test_a_drawing_has_every_frame_in_it_or_refuses_in_words(frames):
    figure = said(show.molecule, None, frames)
    if figure:
        figure.canvas.draw()
        pictures = [np.asarray(image.get_array()) for axis in figure.axes for image in axis.images]
        assert len(pictures) == len(frames) and all(np.isfinite(p).all() and p[..., 3].any() for p in pictures)
    plt.close("all")


@SOME
@given(atoms=odd.frames(), cutoff=st.sampled_from([0.5, 3.0]))
def test_a_distribution_is_finite_or_refused_in_words(atoms, cutoff):
    answer = said(radial_distribution, [atoms], 1, 6, cutoff, 4)
    assert answer is None or (answer[1].shape == (4,) and np.isfinite(answer[1]).all() and (answer[1] >= 0).all())


@SOME
@given(steps=st.lists(odd.frames(least=2, sound=True), min_size=1, max_size=3), seed=st.integers(0, 99))
def test_a_kept_list_has_the_neighbours_of_a_search_whatever_comes_next(steps, seed):
    kept, rng = VerletList(3.0, 0.5), np.random.default_rng(seed)
    for atoms in steps:
        for _ in range(2):
            atoms.positions += 0.1 * rng.normal(size=atoms.positions.shape)
            searched, held = said(neighbour_graphs, [atoms], 3.0), said(kept.graph, atoms)
            assert (searched is None) == (held is None)
            if searched:
                lengths = [np.sort(np.linalg.norm(graph.edge_vectors(), axis=1)) for graph in (searched[0], held)]
                np.testing.assert_allclose(*lengths, atol=1e-6)


@SOME
@given(name=st.text(max_size=4) | st.sampled_from(["../data/methane", "methane.json", "", ".", "digits", "Ethanol", None, 3]))
def test_a_loader_knows_its_names_and_answers_any_other_with_them(name):
    for read in (load,) if name == "digits" else (load, load_images):
        with pytest.raises(ValueError, match=r"no data set is called .* there are: .*methane|load_images\('digits'\)"):
            read(name)


@SOME
@given(shape=st.lists(st.integers(0, 4), min_size=1, max_size=4), bad=st.sampled_from([0.0, 1.0, 1e300, np.nan, np.inf]))
def test_images_on_the_sphere_are_finite_or_refused_in_words(shape, bad):
    directions = np.eye(3) * [1, 1, 1]
    directions[1, 0] = bad
    try:
        seen = project_images(np.ones(shape), directions)
    except ValueError as error:
        assert "shape" in str(error) or "direction" in str(error), error
    else:
        assert seen.shape == (shape[0], 3) and np.isfinite(seen).all()


@pytest.mark.parametrize("scattering", [SignalScattering(2), ImageScattering(1, L=2)], ids=lambda s: type(s).__name__)
def test_scattering_is_finite_or_refuses_in_words(scattering):
    axes = 1 if isinstance(scattering, SignalScattering) else 2

    @SOME
    @given(shape=st.lists(st.sampled_from([0, 1, 8, 16]), min_size=axes, max_size=axes + 2), dtype=st.sampled_from("fFd"),
           scale=st.sampled_from([0.0, 1.0, 1e30]), bad=st.sampled_from([0, 0, np.nan, np.inf]))
    def holds(shape, scale, bad, dtype):
        with np.errstate(invalid="ignore", over="ignore"):
            values = (scale * np.random.default_rng(0).normal(size=shape) + bad).astype(dtype)
        answer = said(scattering.fit(np.zeros((1, *[16] * axes))).transform, values, words=("shape", "finite", "complex"))
        assert answer is None or (len(answer) == shape[0] and np.isfinite(answer).all())

    holds()
