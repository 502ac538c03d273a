"""Correlations equal their integrals; networks on the sphere keep rotations, exactly or as well as their grids let them."""

import numpy as np
import pytest
import torch
from sklearn.base import clone

from course_lib.equivariant import ClebschGordanNetwork, SphericalCNN
from course_lib.equivariant.correlation import RotationCorrelation, RotationNorm, SphereCorrelation
from course_lib.equivariant.rotation_fourier import RotationFourier, matrix_places
from course_lib.learning import NetworkClassifier, Trainer
from course_lib.structures import load_images, project_images
from course_lib.symmetry import (
    random_rotations,
    rotate_coefficients,
    rotation_quadrature,
    sphere_quadrature,
    spherical_harmonics,
    wigner_D,
)

NETWORKS = {
    "spherical CNN": SphericalCNN(3, (4, 3), (4, 6), head=(8,), oversampling=1.5, activation="quadratic"),
    "Clebsch–Gordan": ClebschGordanNetwork(3, 4, (4, 4), head=(8,)),
}


@pytest.fixture(autouse=True)
def double():
    torch.set_default_dtype(torch.float64)
    torch.manual_seed(0)
    yield
    torch.set_default_dtype(torch.float32)


def functions(l_max, rotations):
    """(2l + 1) D^l_mn, (n, Σ (2l + 1)²)."""
    return np.hstack([(2 * l + 1) * wigner_D(l, rotations).reshape(len(rotations), -1) for l in range(l_max + 1)])


def signals(l_max, directions, count=4, seed=0):
    """Values (count, n) of random functions up to l_max, and a function which gives them turned by R."""
    f = np.random.default_rng(seed).normal(size=(count, (l_max + 1) ** 2))
    values = lambda f: torch.tensor(f @ spherical_harmonics(l_max, directions).T)  # noqa: E731
    return values(f), lambda R: values(rotate_coefficients(f, R))


def turned_matrices(F, l_max, R):
    """Coefficients of F(R⁻¹ ·)."""
    parts = [torch.tensor(wigner_D(l, R)) @ F[..., place].unflatten(-1, (2 * l + 1, 2 * l + 1))
             for l, place in enumerate(matrix_places(l_max))]
    return torch.cat([part.flatten(-2) for part in parts], dim=-1)


@torch.no_grad()
def change_under_rotation(function, l_max, directions, samples=4):
    """Largest change of invariants under random rotations, in standard deviations among four random signals."""
    before, turned = signals(l_max, directions)
    said = function(before)
    changes = [(function(turned(R)) - said).abs().max() for R in random_rotations(samples, np.random.default_rng(1))]
    return (max(changes) / said.std(dim=0).max()).item()


@torch.no_grad()
def test_correlation_on_the_sphere_is_the_integral_of_the_signal_with_the_turned_filter():
    l_max, rotations = 5, random_rotations(20, np.random.default_rng(0))
    layer, f = SphereCorrelation(3, 2, l_max), torch.randn(4, 3, (l_max + 1) ** 2)
    points, weights = sphere_quadrature(2 * l_max)
    values = f.numpy() @ spherical_harmonics(l_max, points).T                                    # f_c(r̂)
    turned = np.einsum("cdk,Rpk->Rcdp", layer.filters.numpy(), spherical_harmonics(l_max, points @ rotations))  # ψ(R⁻¹ r̂)
    expected = np.einsum("Mcp,Rcdp,p->MdR", values, turned, weights)
    found = layer(f).numpy() @ functions(l_max, rotations).T
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-10)


@torch.no_grad()
def test_correlation_on_the_rotations_is_the_integral_of_the_signal_with_the_shifted_filter():
    l_max, rotations = 3, random_rotations(5, np.random.default_rng(0))
    layer, F = RotationCorrelation(2, 3, l_max), torch.randn(4, 2, matrix_places(l_max)[-1].stop)
    grid, weights = rotation_quadrature(2 * l_max)
    values = F.numpy() @ functions(l_max, grid).T
    shifted = np.stack([layer.filters.numpy() @ functions(l_max, R.T @ grid).T for R in rotations])            # ψ(R⁻¹Q)
    expected = np.einsum("McQ,RcdQ,Q->MdR", values, shifted, weights)
    np.testing.assert_allclose(layer(F).numpy() @ functions(l_max, rotations).T, expected, rtol=0, atol=1e-10)


@torch.no_grad()
def test_both_correlations_turn_along_exactly_and_not_the_other_way():
    l_max, (R,) = 6, random_rotations(1, np.random.default_rng(2))
    first, second = SphereCorrelation(1, 2, l_max), RotationCorrelation(2, 2, l_max)
    f = torch.randn(3, 1, (l_max + 1) ** 2)
    answers = [second(first(x)) for x in (f, torch.tensor(rotate_coefficients(f.numpy(), R)))]
    torch.testing.assert_close(answers[1], turned_matrices(answers[0], l_max, R), rtol=0, atol=1e-11)
    assert (answers[1] - turned_matrices(answers[0], l_max, R.T)).abs().max() > 0.1 * answers[0].abs().max()


@torch.no_grad()
def test_a_filter_symmetric_about_its_axis_answers_with_a_function_on_the_sphere():
    layer = SphereCorrelation(1, 1, 4)
    layer.weight[..., 1:] = 0  # a bump at the pole is left
    F = layer(torch.randn(1, 1, 25))[0, 0]
    for l, place in enumerate(matrix_places(4)):
        block = F[place].view(2 * l + 1, 2 * l + 1)
        assert block[:, l].abs().max() > 1e-3 and not torch.cat([block[:, :l], block[:, l + 1:]], dim=1).any()


@torch.no_grad()
def test_filters_are_as_local_as_their_bandlimit_allows():
    points = random_rotations(2000, np.random.default_rng(6))[:, 2]
    far = np.arccos(points[:, 2]) > 0.5 + 2.5 * np.pi / 16
    squares = (SphereCorrelation(2, 3, 16, reach=0.5).filters.numpy() @ spherical_harmonics(16, points).T) ** 2
    assert squares[..., far].mean() < 0.02 * squares[..., ~far].mean()


def test_the_error_of_a_pointwise_nonlinearity_falls_with_oversampling_and_with_the_bandlimit():
    def error(l_max, oversampling, activation):
        torch.manual_seed(0)
        network = SphericalCNN(2, (l_max, l_max), (6, 6), activation=activation, oversampling=oversampling, sampling=16).eval()
        return change_under_rotation(network.invariants, 3, network.directions)  # of signals with degrees up to 3

    for activation, fall in {"relu": 10, "silu": 50}.items():  # silu has no kink, and so fewer high degrees
        errors = np.array([[error(l_max, s, activation) for s in (1, 2, 4)] for l_max in (3, 6)])
        assert (errors[:, :-1] > 2 * errors[:, 1:]).all() and (errors[:, 0] > fall * errors[:, 2]).all()
        assert (errors[0] > 1.2 * errors[1]).all() and errors[0, 0] > 2 * errors[1, 0] and 1e-2 < errors[0, 0] < 1


def test_a_quadratic_nonlinearity_is_exact_once_the_grid_holds_three_times_the_bandlimit():
    exact, coarse = (SphericalCNN(2, (5, 5, 5), (4, 4, 4), activation="quadratic", oversampling=s).eval()
                     for s in (1.5, 1))
    assert change_under_rotation(exact.invariants, 5, exact.directions) < 1e-10
    assert change_under_rotation(coarse.invariants, 5, coarse.directions) > 1e-3


@pytest.mark.parametrize("l_max", [3, 6, 10])
def test_the_clebsch_gordan_network_is_exact_at_every_bandlimit(l_max):
    network = ClebschGordanNetwork(2, l_max, (4, 4, 4)).eval()
    assert change_under_rotation(network.invariants, l_max, network.directions) < 1e-10
    assert change_under_rotation(network, l_max, network.directions) < 1e-10


@torch.no_grad()
def test_the_activations_of_the_clebsch_gordan_network_turn_along():
    network, (R,) = ClebschGordanNetwork(2, 5, (3, 3)), random_rotations(1, np.random.default_rng(3))
    before, turned = signals(5, network.directions)
    for x, y in zip(network.fields(before), network.fields(turned(R)), strict=True):
        np.testing.assert_allclose(y, rotate_coefficients(x.numpy(), R), rtol=0, atol=1e-11)


@torch.no_grad()
def test_the_layers_of_the_spherical_cnn_turn_along():
    network, (R,) = NETWORKS["spherical CNN"], random_rotations(1, np.random.default_rng(4))
    network = clone(network).eval()
    before, turned = signals(4, network.directions)
    for l_max, x, y in zip(network.l_max, network.fields(before), network.fields(turned(R)), strict=True):
        torch.testing.assert_close(y, turned_matrices(x, l_max, R), rtol=0, atol=1e-11)


@torch.no_grad()
def test_batches_are_normalised_over_all_rotations_by_their_coefficients():
    norm, fourier = RotationNorm(3, 4), RotationFourier(4, 16)
    F = 5 * torch.randn(6, 3, matrix_places(4)[-1].stop) + 2
    values, mean = fourier.synthesis(norm.train()(F)), RotationFourier(0, 16)
    torch.testing.assert_close(mean.analysis(values).mean(dim=0), torch.zeros(3, 1), rtol=0, atol=1e-12)
    torch.testing.assert_close(mean.analysis(values.square()).mean(dim=0), torch.ones(3, 1), rtol=0, atol=1e-4)
    for _ in range(200):
        norm(F)
    torch.testing.assert_close(norm.eval()(F), norm.train()(F), rtol=1e-6, atol=1e-6)


def test_a_mean_over_euler_angles_without_their_weights_is_not_invariant():
    network = SphericalCNN(2, (4,), (4,), activation="quadratic", oversampling=1.5).eval()
    plain = lambda s: network.grids[0].synthesis(network.fields(s)[0]).square().mean(dim=-1)  # noqa: E731
    assert change_under_rotation(network.invariants, 4, network.directions) < 1e-10
    assert change_under_rotation(plain, 4, network.directions) > 1e-2


@pytest.mark.parametrize("name", NETWORKS)
@torch.no_grad()
def test_mirror_images_are_told_apart_and_nothing_is_claimed_of_them(name):
    network = clone(NETWORKS[name]).eval()
    f, _ = signals(4, network.directions)
    mirrored, _ = signals(4, network.directions * [1, 1, -1])
    assert (network.invariants(mirrored) - network.invariants(f)).abs().max() > 1e-2 * network.invariants(f).std()
    assert not network.symmetry.inversion


@pytest.mark.parametrize("name", NETWORKS)
def test_gradients_in_the_signal_are_slopes(name):
    network = clone(NETWORKS[name]).eval()
    f, _ = signals(4, network.directions, count=2)
    direction, f = torch.randn_like(f), f.requires_grad_()
    (slope,) = torch.autograd.grad(network(f).square().sum(), f)
    with torch.no_grad():
        values = [network(f + step * direction).square().sum() for step in (-2e-4, -1e-4, 1e-4, 2e-4)]
    numeric = sum(a * b for a, b in zip([1, -8, 8, -1], values, strict=True)) / 12e-4
    torch.testing.assert_close((slope * direction).sum(), numeric, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("name", NETWORKS)
def test_single_precision_says_the_same(name):
    network = clone(NETWORKS[name]).eval()
    f, turned = signals(4, network.directions)
    (R,) = random_rotations(1, np.random.default_rng(5))
    single = clone(network).float().eval()
    single.load_state_dict(network.state_dict())
    with torch.no_grad():
        size = network(f).abs().max()
        torch.testing.assert_close(single(f.float()).double(), network(f), rtol=0, atol=1e-4 * size)
        torch.testing.assert_close(single(turned(R).float()).double(), network(f), rtol=0, atol=1e-4 * size)


@pytest.mark.parametrize("name", NETWORKS)
def test_a_classifier_learns_three_digits_in_any_orientation_and_keeps_what_it_learned_in_a_file(name, tmp_path):
    torch.set_default_dtype(torch.float32)
    network, digits = clone(NETWORKS[name]), load_images("digits").train
    few = np.isin(digits.labels, [0, 1, 4]).nonzero()[0][:120]
    images, labels = digits.images[few], digits.labels[few]
    upright = list(project_images(images, network.directions))
    turned = list(project_images(images, network.directions @ random_rotations(len(images), np.random.default_rng(0))))
    model = NetworkClassifier(network, Trainer(epochs=12, batch_size=8, learning_rate=1e-2))
    model.fit(upright, labels, progress=False)
    assert model.network_.scale > 10  # pixels up to 255
    assert model.score(upright, labels) > 0.9 and model.score(turned, labels) > 0.85
    model.save(tmp_path / "model.safetensors")
    said = NetworkClassifier.load(tmp_path / "model.safetensors").predict_proba(turned)
    np.testing.assert_array_equal(said, model.predict_proba(turned))


@pytest.mark.parametrize(("make", "words"), [
    (lambda: SphericalCNN(2, (4, 3), (4,)), r"l_max is \(4, 3\) and channels \(4,\)"),
    (lambda: SphericalCNN(2, (3, 4), (4, 4)), "never rising"),
    (lambda: SphericalCNN(2, activation="tanh"), "activation is 'tanh'; it must be 'relu'"),
    (lambda: SphericalCNN(2, oversampling=0.5), "oversampling is 0.5"),
    (lambda: SphericalCNN(2, (4, 3), (4, 4), sampling=6), "degree of the quadrature 6"),
    (lambda: clone(NETWORKS["spherical CNN"]).prepare([np.zeros(7)]), r"item 0 is of shape \(7,\)"),
])
def test_what_makes_no_sense_is_refused(make, words):
    with pytest.raises(ValueError, match=words):
        make()


def test_networks_know_their_grid_and_repeat_their_arguments():
    for network in NETWORKS.values():
        assert network.directions.shape == (network.size, 3) and repr(clone(network)) == repr(network)
    assert RotationFourier(4).shape == (9, 5, 9)
