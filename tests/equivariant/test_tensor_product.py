"""Tensor products against e3nn's own, against a double sum, and against the rotations they answer to."""

from functools import cache
from itertools import product

import numpy as np
import pytest
import torch
from e3nn import o3

from course_lib.equivariant.linear import (
    SILU_SIZE,
    TANH_SIZE,
    Gate,
    Mixing,
    NormActivation,
    Perceptron,
)
from course_lib.equivariant.tensor_product import (
    Convolution,
    Label,
    coupling,
    feature_labels,
    harmonic_labels,
    harmonics,
    places,
)
from course_lib.symmetry import random_improper, random_rotations, to_e3nn, wigner_D

N, E, C = 7, 30, 3


def normal(*shape, seed=0):
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def edges(seed=0):
    return torch.randint(N, (2, E), generator=torch.Generator().manual_seed(seed))


def turn(R, label):
    """How e3nn's components of a label answer R of O(3)."""
    sign = round(np.linalg.det(R))
    return rotation(label.l, (sign * R).tobytes()) * (label.p if sign < 0 else 1)


@cache
def rotation(l, R):
    D = wigner_D(l, np.frombuffer(R).reshape(3, 3))
    return torch.from_numpy(to_e3nn(l) @ D @ to_e3nn(l).T)


def turned(blocks, R, labels):
    return [torch.einsum("kl,nlc->nkc", turn(R, label), block) for label, block in zip(labels, blocks, strict=True)]


@pytest.fixture
def in_double():
    """e3nn builds its constants in the default dtype."""
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def blocks_of(x, labels):
    return list(x.split([label.dim for label in labels], dim=1))


def to_theirs(blocks):
    """Ours (N, 2l + 1, C) as e3nn's flat (N, Σ C (2l + 1)), channels first."""
    return torch.cat([block.mT.flatten(1) for block in blocks], dim=1)


def irreps(labels, channels=C):
    return o3.Irreps([(channels, (label.l, label.p)) for label in labels])


@pytest.mark.parametrize("degree", range(7))
def test_harmonics_are_those_of_e3nn(degree):
    vectors = normal(40, 3)
    theirs = o3.spherical_harmonics(list(range(degree + 1)), vectors, True, "component")
    torch.testing.assert_close(harmonics(vectors, degree), theirs, rtol=0, atol=1e-12)


def test_couplings_are_those_of_e3nn_signs_included():
    for l1, l2, l in product(range(4), repeat=3):
        if abs(l1 - l2) <= l <= l1 + l2:
            theirs = np.sqrt(2 * l + 1) * o3.wigner_3j(l1, l2, l, dtype=torch.float64).numpy()
            np.testing.assert_allclose(coupling(l1, l2, l), theirs, rtol=0, atol=1e-13)


@pytest.mark.parametrize("parity", [True, False])
@pytest.mark.parametrize("l_max", [0, 1, 2, 3])
def test_a_convolution_is_a_sum_of_tensor_products_of_e3nn(l_max, parity, in_double):
    """With one weight a path, channel and edge: `uvu`, whose paths into one output each have a slot of their own."""
    labels, filters = feature_labels(l_max, parity), harmonic_labels(l_max, parity)
    convolution = Convolution(labels, filters, labels)
    x, Y, w = normal(N, sum(label.dim for label in labels), C), normal(E, (l_max + 1) ** 2, seed=1), normal(
        E, convolution.n_paths * C, seed=2)
    senders, receivers = edges()
    paths = [(a, b, out) for out, pairs in convolution.paths.items() for a, b in pairs]
    theirs = o3.TensorProduct(
        irreps(labels), irreps(filters, 1), irreps([out for _, _, out in paths]),
        [(labels.index(a), filters.index(b), slot, "uvu", True) for slot, (a, b, _) in enumerate(paths)],
        internal_weights=False, shared_weights=False, path_normalization="element")
    messages = theirs(to_theirs(blocks_of(x, labels))[senders], Y, w)
    sums = torch.zeros(N, messages.shape[1], dtype=torch.float64).index_add(0, receivers, messages)
    ours = []
    for out, block in zip(convolution.outputs, convolution(x, Y, w, senders, receivers), strict=True):
        ours += block.view(N, out.dim, -1, C).unbind(2)
    torch.testing.assert_close(to_theirs(ours), sums, rtol=0, atol=1e-12 * float(sums.abs().max()))


def test_with_element_weights_mixing_is_the_fully_connected_product_with_one_hot_elements(in_double):
    labels, species = feature_labels(2), 3
    before, after = dict.fromkeys(labels, C), dict.fromkeys(labels, 4)
    mixing, element = Mixing(before, after, species).double(), torch.tensor([0, 2, 1, 1, 0, 2, 2])
    theirs = o3.FullyConnectedTensorProduct(irreps(labels), f"{species}x0e", irreps(labels, 4), internal_weights=False,
                                            path_normalization="element")
    weights = torch.cat([W.permute(1, 0, 2).flatten() for W in mixing.weights])  # theirs: channel, element, channel
    x = normal(N, sum(label.dim for label in labels), C)
    said = theirs(to_theirs(blocks_of(x, labels)), torch.nn.functional.one_hot(element, species).double(), weights)
    ours = to_theirs(mixing(blocks_of(x, labels), element)) / np.sqrt(species)  # e3nn counts the one-hot zeros as terms
    torch.testing.assert_close(ours, said, rtol=0, atol=1e-12)


def test_mixing_is_the_linear_layer_of_e3nn(in_double):
    labels = feature_labels(2)
    mixing, x = Mixing(dict.fromkeys(labels, C), dict.fromkeys(labels, 4)).double(), normal(N, 18, C)
    theirs = o3.Linear(irreps(labels), irreps(labels, 4), internal_weights=False)
    said = theirs(to_theirs(blocks_of(x, labels)), torch.cat([W.flatten() for W in mixing.weights]))
    torch.testing.assert_close(to_theirs(mixing(blocks_of(x, labels))), said, rtol=0, atol=1e-12)


def convolved(vectors, x, w, senders, receivers, parity=True, couple=None):
    labels, filters = feature_labels(2, parity), harmonic_labels(2, parity)
    convolution = Convolution(labels, filters, labels)
    return convolution(x, harmonics(vectors, 2), w[:, :convolution.n_paths * C], senders, receivers)


def error_under(R, parity):
    """Of a convolution of random features, relative to its size."""
    labels = feature_labels(2, parity)
    vectors, x, w = normal(E, 3), normal(N, sum(label.dim for label in labels), C), normal(E, 120 * C)
    before = convolved(vectors, x, w, *edges(), parity)
    moved = torch.cat(turned(blocks_of(x, labels), R, labels), dim=1)
    after = convolved(vectors @ torch.from_numpy(R).T, moved, w, *edges(), parity)
    return max((a - b).abs().max() / b.abs().max() for a, b in zip(after, turned(before, R, labels), strict=True)).item()


def test_it_turns_with_what_goes_in():
    rng = np.random.default_rng(0)
    for R in random_rotations(2, rng):
        assert error_under(R, True) < 1e-12 and error_under(R, False) < 1e-12
    for R in random_improper(2, rng):
        assert error_under(R, True) < 1e-12
        assert error_under(R, False) > 1e-1  # labels without parity: inversions are not answered


def test_one_wrong_sign_in_a_coupling_is_seen(monkeypatch):
    from course_lib.equivariant import tensor_product

    wrong = coupling(1, 1, 2).copy()
    wrong[0, 1] *= -1
    monkeypatch.setattr(tensor_product, "coupling", lambda *degrees: wrong if degrees == (1, 1, 2) else coupling(*degrees))
    monkeypatch.setattr(tensor_product, "_coupling_table", tensor_product._coupling_table.__wrapped__)
    assert error_under(random_rotations(1, np.random.default_rng(0))[0], True) > 1e-2


def test_vectors_multiply_as_vectors_do():
    """1o ⊗ 1o: dot product /√3 into 0e, cross product /√2 into 1e, and no path into a 1o that calls itself a vector."""
    a, b = normal(1, 3), normal(1, 3, seed=1)
    vector, out = Label(1, -1), (Label(0, 1), Label(1, 1))
    convolution = Convolution((vector,), (vector,), (*out, vector))
    assert convolution.outputs == out
    here = torch.zeros(1, dtype=torch.long)
    scalar, cross = convolution(a[:, :, None], b, torch.ones(1, 2, dtype=torch.float64), here, here)
    assert scalar.item() == pytest.approx((a * b).sum().item() / np.sqrt(3), rel=1e-13)
    torch.testing.assert_close(cross[:, :, 0], torch.linalg.cross(a, b) / np.sqrt(2), rtol=0, atol=1e-14)


@pytest.mark.parametrize("activation", [Gate, NormActivation])
@pytest.mark.parametrize("improper", [False, True])
def test_nonlinearities_turn_with_what_goes_in(activation, improper):
    labels = feature_labels(2)
    bend = activation(labels, C).double()
    x = [normal(N, label.dim, bend.needed[label], seed=seed) for seed, label in enumerate(labels)]
    for R in (random_improper if improper else random_rotations)(3, np.random.default_rng(0)):
        after = blocks_of(bend(turned(x, R, labels)), labels)
        for one, other in zip(after, turned(blocks_of(bend(x), labels), R, labels), strict=True):
            torch.testing.assert_close(one, other, rtol=0, atol=1e-13)


def test_silu_of_components_would_not_turn():
    """Why vectors are gated: the same function of each component breaks the symmetry."""
    R, x = random_rotations(1, np.random.default_rng(0))[0], normal(N, 3)
    silu = torch.nn.functional.silu
    assert (silu(x @ torch.from_numpy(R).T) - silu(x) @ torch.from_numpy(R).T).abs().max() > 0.1


def test_sizes_of_activations_are_their_mean_squares():
    z, weight = np.polynomial.hermite_e.hermegauss(120)
    weight /= weight.sum()
    for size, values in ((SILU_SIZE, z / (1 + np.exp(-z))), (TANH_SIZE, np.tanh(z))):
        assert size == pytest.approx(np.sqrt(weight @ values**2), abs=1e-5)


def test_features_of_size_one_keep_their_size():
    """Couplings, harmonics and weights are normalised: a sum of n messages over √n, mixed, has components of about 1."""
    labels, channels = feature_labels(2), 64
    convolution = Convolution(labels, harmonic_labels(2), labels)
    x, Y = normal(40, 18, channels), harmonics(normal(800, 3, seed=1), 2)
    senders, receivers = torch.arange(800) % 40, torch.arange(800) // 20
    blocks = convolution(x / 20**0.5, Y, normal(800, convolution.n_paths * channels, seed=2), senders, receivers)
    sizes = {label: block.square().mean().sqrt().item() for label, block in zip(labels, blocks, strict=True)}
    assert all(0.8 < size < 1.2 for size in sizes.values()), sizes
    mixing = Mixing({label: block.shape[2] for label, block in zip(labels, blocks, strict=True)}, dict.fromkeys(labels, 64))
    assert all(0.7 < block.square().mean().sqrt().item() < 1.3 for block in mixing.double()(blocks))
    assert 0.7 < Perceptron(16, 64, 64).double()(normal(500, 16)).square().mean().sqrt().item() < 1.3


def test_a_perceptron_of_zeros_is_zero():
    assert Perceptron(4, 8, 3)(torch.zeros(2, 4)).abs().max() == 0


def test_places_are_side_by_side():
    labels = feature_labels(2)
    assert [places(labels)[label] for label in labels][:3] == [slice(0, 1), slice(1, 2), slice(2, 5)]
    assert " ".join(map(str, labels)) == "0e 0o 1e 1o 2e 2o"
    assert [str(label) for label in harmonic_labels(3)] == ["0e", "1o", "2e", "3o"]


def test_single_precision_and_derivatives_of_second_order():
    labels = harmonic_labels(2)
    convolution = Convolution(labels, labels, labels)
    vectors, x, w = normal(E, 3), normal(N, 9, C), normal(E, convolution.n_paths * C)
    senders, receivers = edges()
    double = convolution(x, harmonics(vectors, 2), w, senders, receivers)
    single = convolution(x.float(), harmonics(vectors.float(), 2), w.float(), senders, receivers)
    for a, b in zip(single, double, strict=True):
        assert a.dtype == torch.float32 and (a - b).abs().max() < 1e-4
    along = [normal(*t.shape, seed=9) for t in (vectors, x, w)]

    def slopes(step):
        """Of a sum of squares, at a point moved by `step`, as one vector."""
        inputs = [(t + step * u).requires_grad_() for t, u in zip((vectors, x, w), along, strict=True)]
        v, x_, w_ = inputs
        squares = sum((block**2).sum() for block in convolution(x_, harmonics(v, 2), w_, senders, receivers))
        return inputs, torch.autograd.grad(squares, inputs, create_graph=True)

    inputs, first = slopes(0)
    second = torch.autograd.grad(sum((g * u).sum() for g, u in zip(first, along, strict=True)), inputs)
    ahead, behind = slopes(1e-5)[1], slopes(-1e-5)[1]
    for exact, a, b in zip(second, ahead, behind, strict=True):
        torch.testing.assert_close((a - b) / 2e-5, exact, rtol=0, atol=1e-6 * float(exact.abs().max()))


def test_a_gate_without_scalars_is_refused():
    with pytest.raises(ValueError, match="a gate needs scalars, 0e; got 1o, 2e"):
        Gate((Label(1, -1), Label(2, 1)), 4)
