"""Checks of chapter 15: a layer's weights counted, a cap's holonomy, a neighbour's channels carried, a sphere combed."""

from collections.abc import Callable

import numpy as np

from course_lib.equivariant import IcosahedralGrid
from course_lib.equivariant.surfaces import edges, tangent_frames, transporters
from course_lib.exercises.core import register, require
from course_lib.symmetry import random_rotations


@register("15.1", "How many free weights has one pair of channels from regular to regular?",
          "42 for each pair, and 8 · 16 pairs. The grid does not matter: a kernel is the same everywhere.")
def weights(answer: int) -> str:
    require(answer != 8 * 16 * 252, "32256 are the numbers of the kernels before the constraint: 252 a pair, of which 42 "
                                    "are free.")
    require(answer != 42, "42 is one pair of channels; there are 8 · 16 of them.")
    require(answer != 8 * 16 * 7, "896 counts 7 a pair, which is from scalar to regular.")
    require(answer != 8 * 16 * 2, "256 counts 2 a pair, which is from scalar to scalar.")
    require(answer != 8 * 16 * 54, "6912 counts a 3 × 3 mask with 9 places; the hexagon fills 7 of them.")
    require(answer == 5376, f"{answer} is not the number; multiply pairs of channels with free weights of a pair.")
    return "8 · 16 · 42 = 5376, on a grid of any size, against 32256 for a kernel that may depend on the frame."


@register("15.2", "By Gauss and Bonnet the angle is the area inside, on a sphere of radius 1.",
          "The cap is what a slice of thickness 1 − cos θ cuts off, and Archimedes knew its area.")
def cap(answer: Callable) -> str:
    theta = 0.7
    found, right = float(answer(theta)), 2 * np.pi * (1 - np.cos(theta))
    for value, reason in {
        np.pi * theta**2: "πθ² is the area of a flat disc; a cap is a little smaller.",
        np.degrees(right): "this is in degrees; give radians.",
        2 * np.pi * np.cos(theta): "2π cos θ is by how much the arrow falls behind the direction of the circle; 2π less "
                                   "that is by how much it has turned.",
        -right: "with the walk to the east an arrow is turned counterclockwise, seen from outside: the sign is +.",
        right / (4 * np.pi): "this is the fraction of the sphere; the angle is the area itself.",
        2 * np.pi * np.sin(theta): "2π sin θ is the length of the circle; the angle is the area it encloses.",
    }.items():
        require(not np.isclose(found, value), reason)
    require(np.isclose(found, right), f"at θ = 0.7 it is {right:.3f} rad, yours is {found:.3f}.")
    require(np.isclose(np.cos(float(answer(np.pi / 2))), 1), "round the equator it is 2π: a full turn, which nobody sees.")
    return "2π(1 − cos θ). Round the equator a full turn: great circles do not turn arrows."


@register("15.3", "The value in direction k of the neighbour's frame is in direction k + s of yours.",
          "np.roll moves entries to later places and lets the last come round to the front.")
def carried(answer: Callable) -> str:
    values = np.arange(6.0) ** 2
    for s in (1, 5, 0, 2):
        found = np.asarray(answer(values.copy(), s))
        require(found.shape == (6,), f"six directions go in and six come out; yours have shape {found.shape}.")
        right = np.roll(values, s)
        require(s == 0 or not np.allclose(found, values), "nothing was shifted: this is padding that forgets the turn.")
        require(s == 0 or not np.allclose(found, np.roll(values, -s)), "shifted the other way: what is at k comes to k + s, "
                                                                       "not to k − s.")
        require(not np.isclose(found, 0).sum() > 1, "entries fell out at the end; directions are cyclic, after 5 comes 0.")
        require(np.allclose(found, right), f"for s = {s} the squares 0, 1, 4 … should become {right.astype(int).tolist()}, "
                                           f"yours are {np.round(found, 2).tolist()}.")
    return "A cyclic shift. On a seam of the charts s is 0, 1 or 5, elsewhere 0."


@register("15.4", "Comb the plane, which is easy, all hairs parallel, and put it on the sphere by stereographic projection: "
                  "only infinity is left.",
          "At p = (x, y, z) the hairs along the plane's x-axis become (1 + z) e_x − x (p + e_z). Where is that zero?")
def combed(answer: Callable) -> str:
    grid = IcosahedralGrid(4)
    points = grid.directions @ random_rotations(1, np.random.default_rng(154))[0].T  # so that no special point is a vertex
    hairs = np.asarray(answer(points.copy()), float)
    require(hairs.shape == points.shape, f"for {points.shape} directions the hairs have shape {hairs.shape}; they must "
                                         "be as many vectors.")
    require(np.isfinite(hairs).all(), "some hairs are not finite: a division by zero, most likely at a pole.")
    length = np.linalg.norm(hairs, axis=1)
    require(length.max() > 0, "all hairs are zero: that is shaving, not combing.")
    require(np.abs((hairs * points).sum(axis=1)).max() < 1e-5 * length.max(), "some hairs stand up: take the part along p "
                                                                              "away, so that each is tangent.")
    hairs, length = hairs / length.max(), length / length.max()
    q, p = edges(grid.faces)
    jump = np.linalg.norm(hairs[q] - hairs[p], axis=1) / np.linalg.norm(points[q] - points[p], axis=1)
    require(jump.max() < 6, "there is a parting: neighbouring hairs differ by a jump. Let the hairs become short towards the "
                            "bald spot instead.")
    bald = points[grid.faces[whirls(hairs, points, grid.faces)]].mean(axis=1)
    require((bald @ bald.T).min() > 0.95, f"there is more than one bald spot: one near {np.round(bald[0], 1)} and one near "
                                         f"{np.round(bald[(bald @ bald[0]).argmin()], 1)}.")
    highest, far = np.zeros(len(points)), points @ bald[0] < 0.85
    np.maximum.at(highest, p, length[q])
    gone = np.flatnonzero(far & (length < 0.2 * highest))                            # less than a fifth of some neighbour's
    require(not len(gone), f"hairs shrink to nothing near {np.round(points[gone[:1]].sum(axis=0), 1)} as well, far from the "
                           "first bald spot; the field must be zero at one point only.")
    require(length.min() < 0.1, "no bald spot was found, which no smooth field can do: one is hidden between the points.")
    return "One bald spot, of index 2: a dipole. To have no bald spot at all is impossible, whatever the comb."


def whirls(field: np.ndarray, points: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """(F,) whether a tangent field (V, 3) turns around a triangle by other than what carrying it there turns."""
    frames = tangent_frames(points)
    x, y = np.einsum("vac,vc->av", frames, field)
    turned, area = 0.0, 0.0
    for q, p in (faces[:, [k, (k + 1) % 3]].T for k in range(3)):
        g, step = transporters(frames, q, p), np.arctan2(y[p], x[p]) - np.arctan2(y[q], x[q])
        turned, area = turned + np.angle(np.exp(1j * (step - g))), area + g
    return np.rint((turned + np.angle(np.exp(1j * area))) / (2 * np.pi)) != 0
