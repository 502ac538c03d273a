"""Meshes: arrows carried along edges, the curvature they meet, and a convolution that no choice of frames can change."""

from itertools import product

import numpy as np
import pytest
import torch
from sklearn.base import clone

from course_lib.equivariant import IcosahedralGrid, MeshConvolution, MeshNetwork
from course_lib.equivariant.mesh import NormNonlinearity, turn
from course_lib.equivariant.surfaces import (
    angle_defects,
    edges,
    holonomy,
    log_map,
    tangent_frames,
    transporters,
    vertex_normals,
)

GRID = IcosahedralGrid(2)


def torus(n=12, m=8):
    """(n m, 3) vertices and (2 n m, 3) faces of a ring of radius 2 and thickness 1."""
    u, v = (angles.ravel() for angles in np.meshgrid(2 * np.pi * np.arange(n) / n, 2 * np.pi * np.arange(m) / m, indexing="ij"))
    vertices = np.stack([(2 + np.cos(v)) * np.cos(u), (2 + np.cos(v)) * np.sin(u), np.sin(v)], axis=1)
    a = np.arange(n * m).reshape(n, m)
    b, c, d = np.roll(a, -1, 0), np.roll(a, (-1, -1), (0, 1)), np.roll(a, -1, 1)
    return vertices, np.stack([[a, b, c], [a, c, d]]).transpose(2, 3, 0, 1).reshape(-1, 3)


MESHES = {"sphere": (GRID.directions, GRID.faces), "egg": (GRID.directions * [1, 1.2, 1.7], GRID.faces), "torus": torus()}


@pytest.fixture(autouse=True)
def double():
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def gauge(n, seed=0):
    return np.random.default_rng(seed).uniform(0, 2 * np.pi, n)


def network(vertices, faces, angles=0.0, order=2):
    torch.manual_seed(0)
    return MeshNetwork(3, vertices, faces, (4, 5, 4), order, angles).eval()


@pytest.mark.parametrize("mesh, total", [("sphere", 4 * np.pi), ("egg", 4 * np.pi), ("torus", 0.0)])
def test_angle_defects_sum_to_the_euler_characteristic(mesh, total):
    assert angle_defects(*MESHES[mesh]).sum() == pytest.approx(total, abs=1e-10)


def test_a_walk_round_a_corner_of_the_flat_icosahedron_turns_an_arrow_by_60_degrees_and_round_any_other_vertex_by_none():
    flat = IcosahedralGrid(0)
    np.testing.assert_allclose(angle_defects(flat.directions, flat.faces), np.pi / 3, atol=1e-12)
    # refined without pushing out: the two midpoint levels of each triangle stay in its plane
    corners = flat.directions[flat.faces]
    vertices = np.concatenate([corners, (corners + np.roll(corners, -1, axis=1)) / 2], axis=1)
    points, same = np.unique(vertices.reshape(-1, 3).round(9), axis=0, return_inverse=True)
    cut = same.reshape(-1, 6)[:, [[0, 3, 5], [3, 1, 4], [5, 4, 2], [3, 4, 5]]].reshape(-1, 3)
    defects = angle_defects(points, cut)
    assert np.sort(defects)[-12:] == pytest.approx(np.pi / 3, abs=1e-7) and np.sort(defects)[:-12] == pytest.approx(0, abs=1e-7)


def test_the_channels_of_the_charts_turn_by_60_degrees_round_a_corner_and_by_none_round_a_hexagon():
    """The same holonomy by G-padding: shifts added up along a closed walk through the neighbours."""
    neighbours, turns = GRID.neighbours, GRID.turns

    def walked(loop):
        steps = zip(loop, np.roll(loop, -1), strict=True)
        return sum(turns[p, int(np.flatnonzero(neighbours[p] == q)[0])] for q, p in steps) % 6

    around = {p: [] for p in range(GRID.size)}
    for face in GRID.faces.tolist():
        for k in range(3):
            around[face[k]].append((face[(k + 1) % 3], face[(k + 2) % 3]))
    for p, pairs in around.items():
        follows = dict(pairs)
        loop = [pairs[0][0]]
        while follows[loop[-1]] != loop[0]:
            loop.append(follows[loop[-1]])
        if not np.isin(loop, GRID.corners).any():
            assert walked(loop) == (1 if p in GRID.corners else 0)  # counterclockwise, as the walk


def test_round_a_triangle_of_the_sphere_an_arrow_is_turned_by_its_area():
    frames = tangent_frames(GRID.directions, gauge(GRID.size))
    areas = []
    for face in GRID.faces:
        a, b, c = GRID.directions[face]
        areas.append(2 * np.arctan2(a @ np.cross(b, c), 1 + a @ b + b @ c + c @ a))  # van Oosterom and Strackee
        assert holonomy(frames, face) == pytest.approx(areas[-1], abs=1e-12)
        assert holonomy(frames, face[::-1]) == pytest.approx(-areas[-1], abs=1e-12)
    assert sum(areas) == pytest.approx(4 * np.pi)


@pytest.mark.parametrize("mesh", MESHES)
def test_there_and_back_again_nothing_turns_and_frames_are_right_handed(mesh):
    vertices, faces = MESHES[mesh]
    normals = vertex_normals(vertices, faces)
    frames, (q, p) = tangent_frames(normals, gauge(len(vertices))), edges(faces)
    np.testing.assert_allclose(np.cross(frames[:, 0], frames[:, 1]), normals, atol=1e-12)
    np.testing.assert_allclose(np.exp(1j * (transporters(frames, q, p) + transporters(frames, p, q))), 1, atol=1e-12)
    assert len(q) == len(faces) * 3  # each edge of a closed surface is in two faces


@pytest.mark.parametrize("mesh", MESHES)
@pytest.mark.parametrize("m_in, m_out", [(0, 0), (0, 2), (1, 0), (2, 1), (2, 2)])
def test_the_convolution_is_the_direct_sum_with_every_kernel_written_out(mesh, m_in, m_out, C=(2, 3)):
    """K(θ) from the constraint, carried features from explicit matrices; at a few vertices."""
    vertices, faces = MESHES[mesh]
    frames, (q, p) = tangent_frames(vertex_normals(vertices, faces), gauge(len(vertices))), edges(faces)
    theta, g = log_map(vertices, frames, q, p), transporters(frames, q, p)
    layer, rng = MeshConvolution(*C, m_in, m_out), np.random.default_rng(0)
    x = rng.normal(size=(len(vertices), C[0], 1 + 2 * m_in))
    with torch.no_grad():
        found = layer(*map(torch.from_numpy, (x, q, p, theta, g))).numpy()

    def rho(angle, order):
        matrix = np.eye(1 + 2 * order)
        for m in range(1, order + 1):
            c, s = np.cos(m * angle), np.sin(m * angle)
            matrix[2 * m - 1:2 * m + 1, 2 * m - 1:2 * m + 1] = [[c, -s], [s, c]]
        return matrix

    W = layer.W.detach().numpy().reshape(C[0], 1 + 2 * m_in, C[1], 1 + 2 * m_out)
    a, b = layer.a.detach().numpy(), layer.b.detach().numpy()
    for vertex in rng.choice(len(vertices), 5, replace=False):
        total = np.zeros((C[1], 1 + 2 * m_out))
        total[:, 0] = a[0].T @ x[vertex, :, 0]
        for m in range(1, min(m_in, m_out) + 1):
            for c, k in product(range(C[0]), range(C[1])):
                block = a[m, c, k] * np.eye(2) + b[m - 1, c, k] * np.array([[0, -1], [1, 0]])
                total[k, 2 * m - 1:2 * m + 1] += block @ x[vertex, c, 2 * m - 1:2 * m + 1]
        mine = np.flatnonzero(p == vertex)
        for e in mine:
            n_q, n_p = (np.cross(*frames[end]) for end in (q[e], vertex))
            axis = np.cross(n_q, n_p)
            angle = np.arctan2(np.linalg.norm(axis), n_q @ n_p)
            u = axis / max(np.linalg.norm(axis), 1e-15)
            cross = np.array([[0, -u[2], u[1]], [u[2], 0, -u[0]], [-u[1], u[0], 0]])
            carry = np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross  # Rodrigues
            plane = frames[vertex] @ carry @ frames[q[e]].T  # (2, 2): a turn
            transport = np.arctan2(plane[1, 0], plane[0, 0])
            for c, k in product(range(C[0]), range(C[1])):
                kernel = rho(theta[e], m_out) @ W[c, :, k].T @ rho(-theta[e], m_in)
                total[k] += kernel @ rho(transport, m_in) @ x[q[e], c] / len(mine)
        np.testing.assert_allclose(found[vertex], total, atol=1e-12)


def test_the_solutions_of_the_constraint_are_1_2_2_and_4_and_of_the_self_term_1_and_2():
    """Dimensions by the null space of the constraint on sampled kernels, independently of the formula."""
    def rho(angle, m):
        return np.array([[1.0]]) if m == 0 else np.array([[np.cos(m * angle), -np.sin(m * angle)],
                                                         [np.sin(m * angle), np.cos(m * angle)]])

    N, step = 16, 2 * np.pi / 16
    for n, m in product(range(3), repeat=2):
        turned = np.kron(rho(step, m), rho(step, n))  # ρ K ρ⁻¹ of a flattened K
        rows = np.kron(np.roll(np.eye(N), 1, axis=1), np.eye(len(turned))) - np.kron(np.eye(N), turned)
        assert rows.shape[1] - np.linalg.matrix_rank(rows) == (1 + (n > 0)) * (1 + (m > 0))
        own = len(turned) - np.linalg.matrix_rank(turned - np.eye(len(turned)))
        layer = MeshConvolution(1, 1, n, m)
        assert own == (0 if n != m else 1 if n == 0 else 2)
        if n == m:
            assert layer.a[m].numel() + (layer.b[m - 1].numel() if m else 0) == own
    assert MeshConvolution(1, 1, 2, 2).W.numel() == sum((1 + (n > 0)) * (1 + (m > 0)) for n, m in product(range(3), repeat=2))


@pytest.mark.parametrize("mesh", MESHES)
@torch.no_grad()
def test_a_change_of_frames_at_every_vertex_turns_features_and_leaves_scalars(mesh):
    vertices, faces = MESHES[mesh]
    x, angles = torch.randn(2, len(vertices)), gauge(len(vertices), 3)
    before, after = network(vertices, faces), network(vertices, faces, angles)
    torch.testing.assert_close(after.trunk(x), before.trunk(x), rtol=0, atol=1e-12)
    torch.testing.assert_close(after(x), before(x), rtol=0, atol=1e-12)
    fields = []
    for net in (before, after):
        convolved = net.convolutions[0](x[..., None, None], net.senders, net.receivers, net.theta, net.g)
        fields.append(net.nonlinearities[0](convolved))
    torch.testing.assert_close(fields[1], turn(fields[0], -torch.from_numpy(angles)), rtol=0, atol=1e-12)
    assert (fields[1] - fields[0]).abs().max() > 0.1


@torch.no_grad()
def test_without_transport_frames_matter():
    vertices, faces = MESHES["egg"]
    x = torch.randn(1, len(vertices))
    nets = [network(vertices, faces, angles) for angles in (0.0, gauge(len(vertices)))]
    for net in nets:
        net.g.zero_()
    assert (nets[0].trunk(x) - nets[1].trunk(x)).abs().max() > 1e-2


@torch.no_grad()
def test_isometries_of_the_surface_move_the_result_with_the_signal_and_mirrors_do_not():
    net, x = network(*MESHES["sphere"]), torch.randn(1, GRID.size)
    before = net.trunk(x)
    for permutation in GRID.permutations[::7]:
        moved = torch.empty_like(x)
        moved[:, permutation] = x
        torch.testing.assert_close(net.trunk(moved)[:, permutation], before, rtol=0, atol=1e-12)
    mirror = np.linalg.norm(GRID.directions[:, None] - GRID.directions * [1, -1, 1], axis=-1).argmin(axis=1)
    assert (net.trunk(x[:, mirror])[:, mirror] - before).abs().max() > 1e-3


@torch.no_grad()
def test_moving_the_whole_surface_in_space_changes_nothing():
    vertices, faces = MESHES["torus"]
    x, R = torch.randn(1, len(vertices)), np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))[0]
    R *= np.linalg.det(R)
    moved = network(vertices @ R.T + 5, faces)
    torch.testing.assert_close(moved.trunk(x), network(vertices, faces).trunk(x), rtol=0, atol=1e-11)


@torch.no_grad()
def test_nonlinearities_commute_with_turns_and_a_relu_on_components_does_not():
    fields, angles = torch.randn(6, 3, 5), torch.rand(6) * 7
    for function, kept in ((NormNonlinearity(3, 2), True), (torch.relu, False)):
        error = (function(turn(fields, angles)) - turn(function(fields), angles)).abs().max()
        assert error < 1e-12 if kept else error > 0.1


def test_networks_are_cloned_and_refused():
    net = network(*MESHES["egg"])
    assert clone(net).size == net.size == 162
    with pytest.raises(ValueError, match="order is -1"):
        MeshNetwork(2, *MESHES["egg"], order=-1)
    with pytest.raises(ValueError, match="vertex 162 has no normal"):
        MeshNetwork(2, np.vstack([GRID.directions, [[0, 0, 3]]]), GRID.faces)
    with pytest.raises(ValueError, match="item 0 is of shape"):
        net.prepare([np.zeros(3)])
