"""Continuous convolution against the double sum it stands for."""

import numpy as np
import pytest
import torch
from ase import Atoms
from ase.build import bulk

from course_lib.point_clouds import ContinuousConvolution, PointConvolution
from course_lib.point_clouds.point_convolution import KERNELS
from course_lib.symmetry import audit

CUTOFF = 1.8


def adapted(kernel, items, **options):
    torch.manual_seed(0)
    network = PointConvolution(2, CUTOFF, kernel, **{"channels": (5,), "n": 7} | options).double()
    network.adapt([network.batch(network.prepare(items), torch.float64)])
    return network.eval()


@torch.no_grad()
def direct(network, points, layer, features):
    """Σ_j S_j W(x_j − x_i) f_j over |x_j − x_i| < cutoff, i itself among them, with W (c_out, c_in) from the basis: loops."""
    matrices = layer.filter.weight.unflatten(1, (network.n, -1))
    out = []
    for xi in points:
        total = 0
        for xj, f in zip(points, features, strict=True):
            if np.linalg.norm(xj - xi) < network.cutoff:
                b = layer.basis(torch.from_numpy(xj - xi)[None])[0]
                scale = 1.0
                if network.density:
                    near = [np.exp(-8 * np.sum((x - xj) ** 2) / CUTOFF**2) for x in points if np.linalg.norm(x - xj) < CUTOFF]
                    scale = network.density(torch.tensor([[1 / np.sum(near)]], dtype=torch.float64))[0]
                total = total + scale * torch.einsum("k,okc,c->o", b, matrices, f)
        out.append(total)
    return torch.stack(out)


@pytest.mark.parametrize("kernel", KERNELS)
def test_it_is_the_double_sum(kernel, clouds):
    network = adapted(kernel, clouds, channels=(5, 4))
    for points in clouds:
        features = torch.ones(len(points), 1, dtype=torch.float64)
        for layer, bias in zip(network.layers, network.biases, strict=True):
            features = torch.nn.functional.silu(direct(network, points, layer, features) / network.neighbours + bias)
        said = network(network.batch(network.prepare([points]), torch.float64))[0]
        torch.testing.assert_close(said, network.readout(features.mean(dim=0)), rtol=1e-10, atol=1e-12)


def test_kernel_points_fall_linearly_to_zero_at_sigma():
    """KPConv's correlation max(0, 1 − |y − x̃_k|/σ), point by point."""
    basis = PointConvolution(2, CUTOFF, "kernel_points").double().layers[0].basis
    vectors = np.random.default_rng(0).normal(size=(40, 3))
    expected = [[max(0.0, 1 - np.linalg.norm(y - x) / basis.sigma) for x in basis.points.numpy()] for y in vectors]
    np.testing.assert_allclose(basis(torch.from_numpy(vectors)).numpy(), expected, atol=1e-12)
    assert (np.array(expected) == 0).mean() > 0.2  # each of them sees part of space only


def test_kernel_points_leave_no_hole_within_the_cutoff():
    basis = PointConvolution(2, CUTOFF, "kernel_points").double().layers[0].basis
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(2000, 3))
    vectors *= CUTOFF * rng.random((2000, 1)) ** (1 / 3) / np.linalg.norm(vectors, axis=1, keepdims=True)
    assert (basis(torch.from_numpy(vectors)).sum(dim=1) > 0).all()
    shell = basis.points[1:]
    assert (shell.norm(dim=1) - 0.75 * CUTOFF).abs().max() < 1e-6
    assert (torch.cdist(shell, shell) + 9 * torch.eye(14)).min() > 0.5  # spread evenly


def test_a_layer_is_linear_in_what_points_carry_and_knows_only_differences():
    torch.manual_seed(0)
    layer = ContinuousConvolution(2, 3, torch.nn.Linear(3, 4), 4).double()
    senders, receivers = torch.tensor([0, 1, 2, 2]), torch.tensor([1, 0, 0, 1])
    f, g, vectors = torch.randn(3, 2).double(), torch.randn(3, 2).double(), torch.randn(4, 3).double()
    torch.testing.assert_close(layer(f + 2 * g, vectors, senders, receivers),
                               layer(f, vectors, senders, receivers) + 2 * layer(g, vectors, senders, receivers))


@pytest.mark.parametrize("kernel", KERNELS)
def test_crystals_are_convolved_with_their_images(kernel):
    """A crystal in its primitive cell and the same in a supercell: the same mean over atoms."""
    cells = [bulk("Si", cubic=True), bulk("Si", cubic=True) * (2, 1, 1)]
    network = PointConvolution(3, 2.6, kernel, species=(14,)).double().eval()
    said = network(network.batch(network.prepare(cells), torch.float64))
    torch.testing.assert_close(said[0], said[1], rtol=0, atol=1e-12)
    table = audit(lambda frames: network(network.batch(network.prepare(frames), torch.float64)).detach().numpy(),
                  cells, symmetry=network.symmetry).set_index("element")
    assert (table.verdict[["translation", "periodic image"]] == "kept").all()


def test_inverse_density_makes_a_sum_less_sensitive_to_where_points_crowd():
    """A cloud with half of its points doubled is the same shape: PointConv's S of 1/ρ may halve what each copy carries."""
    rng = np.random.default_rng(0)
    points = rng.normal(scale=0.5, size=(8, 3))
    crowded = np.concatenate([points, points[:4] + 1e-5])
    network = adapted("mlp", [points])
    shifts = {}
    for weighted in (True, False):
        network.density = torch.nn.Identity() if weighted else None
        near = [network.layers[0](torch.ones(len(p), 1).double(), *_edges(p), *_scale(network, p)) for p in (points, crowded)]
        shifts[weighted] = ((near[1][:8] - near[0]).norm() / near[0].norm()).item()
    assert shifts[True] < 0.5 * shifts[False]


def _edges(points):
    receivers, senders = np.indices((len(points), len(points))).reshape(2, -1)
    return torch.from_numpy(points[senders] - points[receivers]), torch.from_numpy(senders), torch.from_numpy(receivers)


def _scale(network, points):
    vectors, senders, receivers = _edges(points)
    return (network._inverse_density(vectors, receivers)[senders],) if network.density else ()


def test_elements_are_told_apart_and_strangers_refused():
    network = PointConvolution(2, 2.0, species=(1, 8)).double().eval()
    frames = [Atoms("OH", [[0, 0, 0], [1, 0, 0]]), Atoms("HO", [[0, 0, 0], [1, 0, 0]])]
    said = network(network.batch(network.prepare(frames), torch.float64))
    assert (said[0] - said[1]).abs().max() > 1e-5
    with pytest.raises(ValueError, match=r"atom 1.* is C, which the model does not know"):
        network.prepare([Atoms("HC", [[0, 0, 0], [1, 0, 0]])])
    with pytest.raises(ValueError, match="kernel is 'cubic'"):
        PointConvolution(2, 2.0, "cubic")
