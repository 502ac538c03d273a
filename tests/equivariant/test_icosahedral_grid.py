"""The grid: as many vertices as the formula says, hexagons as geometry has them, and 60 rotations that act as a group."""

import numpy as np
import pytest
import torch
from scipy.spatial import ConvexHull, KDTree

from course_lib.equivariant.icosahedral_grid import IcosahedralGrid, g_pad

GRIDS = {r: IcosahedralGrid(r) for r in range(4)}
REFINED = [1, 2, 3]


def hexagons(grid):
    return np.setdiff1d(np.arange(grid.size), grid.corners)


@pytest.mark.parametrize("r, size", [*enumerate([12, 42, 162, 642, 2562, 10242])])
def test_a_grid_has_five_charts_and_two_poles(r, size):
    grid = IcosahedralGrid(r)
    assert grid.size == 5 * 2 ** (2 * r + 1) + 2 == size
    assert len(np.unique(grid.directions.round(9), axis=0)) == len(grid.directions) == size
    np.testing.assert_allclose(np.linalg.norm(grid.directions, axis=1), 1, atol=1e-14)


@pytest.mark.parametrize("r", GRIDS)
def test_the_triangles_are_those_of_the_convex_hull_seen_from_outside(r):
    grid = GRIDS[r]
    hull = ConvexHull(grid.directions).simplices
    assert {frozenset(face) for face in grid.faces.tolist()} == {frozenset(face) for face in hull.tolist()}
    a, b, c = (grid.directions[grid.faces[:, k]] for k in range(3))
    assert (np.sum(np.cross(b - a, c - a) * (a + b + c), axis=1) > 0).all()


@pytest.mark.parametrize("r", REFINED)
def test_neighbours_are_the_six_nearest_counterclockwise_and_only_the_corners_have_five(r):
    grid = GRIDS[r]
    here, d = hexagons(grid), grid.directions
    _, nearest = KDTree(d).query(d[here], 7)
    np.testing.assert_array_equal(np.sort(nearest[:, 1:]), np.sort(grid.neighbours[here]))
    around = d[grid.neighbours[here]] - d[here, None]
    assert (np.einsum("vkc,vc->vk", np.cross(around, np.roll(around, -1, axis=1)), d[here]) > 0).all()
    np.testing.assert_array_equal(np.flatnonzero(np.bincount(grid.faces.ravel()) == 5), np.sort(grid.corners))


@pytest.mark.parametrize("r", REFINED)
def test_the_turn_between_two_frames_is_by_what_their_common_edge_says(r):
    """q lies at 60° k from p; in its own frame p then lies opposite, at 60° (k + 3 − turn)."""
    grid = GRIDS[r]
    here = hexagons(grid)
    q, k = grid.neighbours[here], np.arange(6)
    back = grid.neighbours[q, (k + 3 - grid.turns[here]) % 6]
    known = ~np.isin(q, grid.corners)
    np.testing.assert_array_equal(back[known], np.broadcast_to(here[:, None], q.shape)[known])
    assert set(np.unique(grid.turns)) == {0, 1, 5}


@pytest.mark.parametrize("r", GRIDS)
def test_sixty_rotations_take_the_grid_to_itself(r):
    grid = GRIDS[r]
    for rotation, permutation in zip(grid.rotations, grid.permutations, strict=True):
        np.testing.assert_allclose(grid.directions[permutation], grid.directions @ rotation.T, atol=1e-12)
    assert len({tuple(p) for p in grid.permutations}) == 60
    np.testing.assert_array_equal(grid.permutations[0], np.arange(grid.size))


@pytest.mark.parametrize("G", [1, 6])
def test_the_rotations_act_on_fields_as_a_group(G):
    grid, rng = GRIDS[2], np.random.default_rng(0)
    field = rng.normal(size=(2, G, grid.size))
    if G == 6:
        field[..., grid.corners] = 0
    for _ in range(40):
        a, b = rng.integers(60, size=2)
        product = int(np.linalg.norm(grid.rotations - grid.rotations[a] @ grid.rotations[b], axis=(1, 2)).argmin())
        np.testing.assert_array_equal(grid.rotate(grid.rotate(field, b), a), grid.rotate(field, product))
    np.testing.assert_array_equal(grid.rotate(field, 0), field)


def test_a_rotation_carries_arrows_as_it_carries_vertices():
    """A regular field that is a tangent vector seen in each direction of the frame, turned, is the turned vectors' field."""
    grid, rng = GRIDS[3], np.random.default_rng(1)
    here, d = hexagons(grid), grid.directions
    for element in rng.integers(60, size=10):
        R, carried = grid.rotations[element], grid.permutations[element][here]
        for k in range(6):
            arrows = d[grid.neighbours[here, k]] - d[here]
            seen = grid.neighbours[carried, (k + grid.shifts[element, here]) % 6]
            np.testing.assert_allclose(d[seen] - d[carried], arrows @ R.T, atol=1e-12)


def test_padding_brings_to_every_margin_what_lies_there():
    """Smooth functions of direction continue smoothly: second differences across a seam are as small as inside a chart."""
    grid = IcosahedralGrid(4)
    n = grid.n
    x = torch.from_numpy(grid.directions)
    padded = g_pad(x[:-2].T.reshape(1, 3, 5, 1, n, 2 * n).transpose(1, 2), x[-2:].T[None])[0, :, :, 0].numpy()
    assert padded.shape == (5, 3, n + 2, 2 * n + 2)
    steps = np.linalg.norm(padded[:, :, 1:-1, 2:] - 2 * padded[:, :, 1:-1, 1:-1] + padded[:, :, 1:-1, :-2], axis=1)
    inside = steps[:, 1:, 1:-1].max()
    at_corner = np.zeros_like(steps, bool)
    at_corner[:, 0, [n - 1, -1]] = True
    assert steps[~at_corner].max() < 1.5 * inside < 0.05


@pytest.mark.parametrize("bad", [-1, 9, 2.5, "3"])
def test_refinements_without_meaning_are_refused(bad):
    with pytest.raises(ValueError, match="refinement is"):
        IcosahedralGrid(bad)
