"""The icosahedral CNN: exact under 60 rotations, its kernels counted by a projector, and what it does not keep."""

import numpy as np
import pytest
import torch
from sklearn.base import clone

from course_lib.equivariant import IcosahedralCNN, IcosahedralGrid
from course_lib.equivariant.icosahedral import (
    HexagonalConvolution,
    HexagonalPooling,
    IcosahedralLayer,
    kernel_orbits,
)
from course_lib.learning import NetworkClassifier, Trainer
from course_lib.symmetry import random_rotations, spherical_harmonics

DTYPES = {torch.float64: 1e-11, torch.float32: 1e-5}
FIELDS = ["R2R", "S2R", "S2S"]
GRID = IcosahedralGrid(2)
COUNTS = {(1, 1): 2, (6, 1): 7, (1, 6): 7, (6, 6): 42}  # (G_out, G_in)


def charts(values, grid):
    """(M, C, G, V) to (M, 5, C, G, n, 2n)."""
    return values[..., :-2].unflatten(-1, (5, grid.n, 2 * grid.n)).movedim(3, 1)


def vertices(fields):
    """And back, with 0 at the poles."""
    return torch.nn.functional.pad(fields.movedim(1, 3).flatten(3), (0, 2))


def field(G, grid=GRID, C=3, dtype=torch.float64, seed=0):
    values = torch.randn(2, C, G, grid.size, generator=torch.Generator().manual_seed(seed), dtype=dtype)
    values[..., grid.corners] = 0
    return values


def network(fields="R2R", refinement=2, dtype=torch.float64):
    """With weights as after a training: none of them special."""
    torch.manual_seed(0)
    made = IcosahedralCNN(4, refinement, ((4,), (3, 5)), fields).to(dtype)
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
        for _ in range(20):  # running means as after a training
            made(torch.randn(8, made.size, dtype=dtype))
    return made.eval()


@pytest.mark.parametrize("G_out, G_in", COUNTS)
def test_free_weights_are_as_many_as_the_projector_on_equivariant_kernels_has_ranks(G_out, G_in):
    size = G_out * G_in * 7
    turn = np.zeros((size, size))
    for column, (k, l, t) in enumerate(np.ndindex(G_out, G_in, 7)):
        turn[np.ravel_multi_index(((k + 1) % G_out, (l + 1) % G_in, t and t % 6 + 1), (G_out, G_in, 7)), column] = 1
    projector = sum(np.linalg.matrix_power(turn, s) for s in range(6)) / 6
    orbits = kernel_orbits(G_out, G_in)
    assert np.linalg.matrix_rank(projector) == orbits.max() + 1 == COUNTS[G_out, G_in]
    np.testing.assert_allclose(projector @ np.random.default_rng(0).normal(size=orbits.max() + 1)[orbits].ravel(),
                               np.random.default_rng(0).normal(size=orbits.max() + 1)[orbits].ravel(), atol=1e-14)


@pytest.mark.parametrize("G_out, G_in", COUNTS)
def test_the_convolution_is_the_sum_over_neighbours_carried_to_the_frame_of_the_centre(G_out, G_in):
    layer = HexagonalConvolution(3, 2, G_in, G_out).double()
    values = field(G_in)
    with torch.no_grad():
        found = vertices(layer(charts(values, GRID)))
        weight = layer.weight.numpy()[..., kernel_orbits(G_out, G_in)]  # (C_out, C_in, G_out, G_in, 7)
    x, rng = values.numpy(), np.random.default_rng(0)
    for p in rng.choice(np.setdiff1d(np.arange(GRID.size - 2), GRID.corners), 60, replace=False):
        own = np.einsum("ocgh,mch->mog", weight[..., 0], x[..., p])
        for k, (q, turns) in enumerate(zip(GRID.neighbours[p], GRID.turns[p], strict=True)):
            carried = np.roll(x[..., q], turns, axis=-1)
            own += np.einsum("ocgh,mch->mog", weight[..., k + 1], carried)
        np.testing.assert_allclose(found[..., p], own, atol=1e-12)


def layers(G_in, G_out):
    torch.manual_seed(0)
    convolution, layer = HexagonalConvolution(3, 4, G_in, G_out), IcosahedralLayer(3, 4, G_in, G_out, False)
    return {"convolution": lambda x: convolution.to(x)(x), "layer": lambda x: layer.to(x).eval()(x),
            "layer in training": lambda x: layer.to(x).train()(x), "pooling": HexagonalPooling(),
            "orientation pooling": lambda x: x.amax(dim=3, keepdim=True)}


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("G_out, G_in", COUNTS)
@torch.no_grad()
def test_every_layer_is_exact_under_all_sixty_rotations(G_out, G_in, dtype):
    x = field(G_in, dtype=dtype)
    for name, layer in layers(G_in, G_out).items():
        after = vertices(layer(charts(x, GRID)))
        grid = IcosahedralGrid(1) if name == "pooling" else GRID
        for element in range(60):
            error = (vertices(layer(charts(GRID.rotate(x, element), GRID))) - grid.rotate(after, element)).abs().max()
            assert error < DTYPES[dtype] * after.abs().max(), (name, element)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("fields", FIELDS)
@torch.no_grad()
def test_scores_are_the_same_for_all_sixty_rotations_of_a_signal_the_corners_included(fields, dtype):
    net, x = network(fields, dtype=dtype), torch.randn(3, 1, GRID.size, dtype=dtype)
    before = net(x[:, 0])
    assert (before[0] - before[1]).abs().max() > 1e-3  # it does tell signals apart
    for element in range(60):
        assert (net(GRID.rotate(x, element)[:, 0]) - before).abs().max() < DTYPES[dtype] * before.abs().max()


@torch.no_grad()
def test_without_the_shift_of_channels_errors_stand_at_the_seams_and_nowhere_else():
    """The sum over neighbours above, once with the turns and once with 0 for all of them."""
    convolution = HexagonalConvolution(1, 1, 6, 6).double()
    weight = convolution.weight.numpy()[0, 0][kernel_orbits(6, 6)]
    here = np.setdiff1d(np.arange(GRID.size), GRID.corners)
    seam = (GRID.turns[here] != 0).any(axis=1)

    def convolved(x, turns):
        out = np.zeros_like(x)
        channels = (np.arange(6)[:, None, None] - turns[here]) % 6
        out[:, here] = np.einsum("ghk,hvk->gv", weight[..., 1:], x[channels, GRID.neighbours[here]])
        out[:, here] += np.einsum("gh,hv->gv", weight[..., 0], x[:, here])
        return out

    x = field(6).numpy()[0, 0]
    for turns, broken in ((GRID.turns, False), (0 * GRID.turns, True)):
        error = np.zeros(GRID.size)
        for element in range(60):
            difference = convolved(GRID.rotate(x, element), turns) - GRID.rotate(convolved(x, turns), element)
            error[GRID.permutations[element]] = np.maximum(error[GRID.permutations[element]], np.abs(difference).max(axis=0))
            if broken:  # wrong only where a turn was forgotten: at a seam, or at a vertex that comes from one
                wrong = np.abs(difference).max(axis=0)[here] > 1e-9
                from_seam = np.isin(here, GRID.permutations[element][here[seam]])
                assert not (wrong & ~seam & ~from_seam).any()
                assert wrong.any() or element == 0 or not (from_seam ^ seam).any()
        assert (error.max() > 0.1) == broken


@torch.no_grad()
def test_a_general_rotation_leaves_an_error_that_does_not_vanish():
    """A smooth function, sampled exactly after rotation: only the grid is to blame."""
    rng = np.random.default_rng(0)
    coefficients = rng.normal(size=49)

    def signal(net, R):
        return torch.from_numpy(spherical_harmonics(6, net.directions @ R) @ coefficients)[None]

    errors = {}
    for r in (2, 4):
        torch.manual_seed(0)
        net = IcosahedralCNN(4, r, ((6,), (6,)), "R2R").double().eval()
        before = net(signal(net, np.eye(3)))
        spread = before.std()
        errors[r] = [((net(signal(net, R)) - before).abs().max() / spread).item() for R in random_rotations(6, rng)]
        exact = [((net(signal(net, R)) - before).abs().max() / spread).item() for R in net.grid.rotations[::10]]
        assert max(exact) < 1e-12 < 1e-3 < min(errors[r])
    assert max(errors[4]) < 1


@pytest.mark.parametrize("fields", FIELDS)
@torch.no_grad()
def test_a_mirror_image_is_another_signal_unless_all_kernels_are_rings(fields):
    net = network(fields)
    mirror = np.linalg.norm(GRID.directions[:, None] - GRID.directions * [1, -1, 1], axis=-1).argmin(axis=1)
    x = torch.randn(2, GRID.size, dtype=torch.float64)
    change = ((net(x[:, mirror]) - net(x)).abs().max() / net(x).std(dim=0).max())
    assert change < 1e-10 if fields == "S2S" else change > 1e-3


def test_with_regular_fields_a_network_sees_more_than_rings_do():
    """Two signals with equal values in the centre and on every ring around it, until a kernel has a direction."""
    x = torch.zeros(2, GRID.size, dtype=torch.float64)
    p = int(np.setdiff1d(np.arange(GRID.size - 2), GRID.corners)[40])
    x[0, GRID.neighbours[p, [0, 1]]], x[1, GRID.neighbours[p, [0, 3]]] = 1.0, 1.0
    for G, tells in ((1, False), (6, True)):
        torch.manual_seed(0)
        convolved = HexagonalConvolution(1, 1, 1, G).double()(charts(x[:, None, None], GRID))
        values = vertices(convolved)[:, 0, :, p].sort(dim=-1).values
        assert ((values[0] - values[1]).abs().max() > 1e-3) == tells


def test_gradients_are_slopes():
    net, x = network(), torch.randn(2, GRID.size, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(net, x, fast_mode=True)


def test_it_learns_as_a_classifier_and_keeps_the_sixty_rotations(tmp_path):
    rng = np.random.default_rng(0)
    centres = rng.integers(GRID.size, size=24)
    signals = [np.exp(-(8 + 40 * (m % 2)) * (1 - GRID.directions @ GRID.directions[c])) for m, c in enumerate(centres)]
    model = NetworkClassifier(IcosahedralCNN(2, 2, ((3,), (3,))), Trainer(epochs=8, batch_size=6, learning_rate=5e-2))
    model.fit(signals, np.arange(24) % 2, progress=False)
    turned = [GRID.rotate(signal[None], m % 60)[0] for m, signal in enumerate(signals, 7)]
    assert model.score(signals, np.arange(24) % 2) == model.score(turned, np.arange(24) % 2) > 0.9
    np.testing.assert_allclose(model.predict_proba(signals), model.predict_proba(turned), atol=1e-5)
    model.save(tmp_path / "model")
    again = NetworkClassifier.load(tmp_path / "model")
    np.testing.assert_array_equal(again.predict_proba(signals), model.predict_proba(signals))


@pytest.mark.parametrize("fields", FIELDS)
def test_networks_are_cloned_and_shown_by_their_arguments(fields):
    net = network(fields)
    assert repr(clone(net)) == repr(net)


@pytest.mark.parametrize("arguments, words", [
    ({"fields": "S2X"}, "fields is 'S2X'"), ({"channels": ()}, r"channels are \(\)"), ({"channels": ((4,), ())}, "one or more"),
    ({"refinement": 1, "channels": ((4,),) * 2}, "at most r = 1 grids"), ({"refinement": 11}, "refinement is 11")])
def test_networks_without_meaning_are_refused(arguments, words):
    with pytest.raises(ValueError, match=words):
        IcosahedralCNN(2, **arguments)


@pytest.mark.parametrize("bad, words", [
    (np.zeros((1, 162)), r"item 0 is of shape \(1, 162\)"), (np.zeros(42), "162 numbers"),
    (np.where(np.arange(162) == 5, np.nan, 0.0), "item 0, vertex 5 is not finite"), (np.array(["a"] * 162), "item 0")])
def test_signals_without_meaning_are_refused_with_their_place(bad, words):
    with pytest.raises(ValueError, match=words):
        IcosahedralCNN(2, 2, ((2,),)).prepare([bad])
