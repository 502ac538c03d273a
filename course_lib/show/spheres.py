"""Functions on the sphere: painted on the unit sphere, or as the surface r = |f| painted by the sign of f."""

from collections.abc import Callable

import numpy as np
from matplotlib import colormaps
from matplotlib.patheffects import withStroke
from mpl_toolkits.mplot3d.art3d import Line3DCollection, Poly3DCollection
from mpl_toolkits.mplot3d.axes3d import Axes3D

from course_lib.show.style import DIVERGING

LIGHT = np.array([0.35, -0.6, 0.72])
RINGS, SECTORS = 60, 120


def _grid() -> np.ndarray:
    theta, phi = np.meshgrid(np.linspace(0, np.pi, RINGS + 1), np.linspace(0, 2 * np.pi, SECTORS + 1), indexing="ij")
    return np.stack([np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), np.cos(theta)], axis=-1)


def sphere(axes: Axes3D, function: Callable[[np.ndarray], np.ndarray], *, radial: bool = False,
           limit: float | None = None) -> None:
    """Draw f on the sphere: red where positive, blue where negative.

    `function` takes unit vectors (n, 3) and gives real values (n,). Painted on the unit sphere, or with `radial` as the
    surface at distance |f| from the origin. Colours and size are relative to `limit`, by default the largest |f|;
    give it to compare pictures. Raises ValueError for values that are not finite, real and one a vector, and for axes
    that are not 3-D.
    """
    if not isinstance(axes, Axes3D):
        raise ValueError("sphere() needs 3-D axes: figure.add_subplot(projection='3d')")
    points = _grid()
    values = np.asarray(function(points.reshape(-1, 3)))
    if values.shape != (points.shape[0] * points.shape[1],) or np.iscomplexobj(values) or not np.isfinite(values).all():
        raise ValueError(f"the function gave {values.dtype} values of shape {values.shape} for {points.size // 3} unit "
                         "vectors: it must give one finite real number a vector")
    values = values.reshape(points.shape[:2]) / (limit or max(np.abs(values).max(), np.finfo(float).tiny))
    surface = points * np.abs(values)[..., None] if radial else points
    middles = (surface[1:, 1:] + surface[:-1, 1:] + surface[1:, :-1] + surface[:-1, :-1]) / 4
    normals = np.cross(surface[1:, 1:] - surface[:-1, :-1], surface[:-1, 1:] - surface[1:, :-1])
    normals *= np.sign((normals * middles).sum(-1, keepdims=True))
    normals /= np.linalg.norm(normals, axis=-1, keepdims=True) + 1e-12
    shade = 0.68 + 0.32 * np.clip(normals @ LIGHT, 0, 1)
    level = (values[1:, 1:] + values[:-1, 1:] + values[1:, :-1] + values[:-1, :-1]) / 4
    if radial:
        level = 0.72 * np.sign(level)
    colours = colormaps[DIVERGING]((level + 1) / 2)
    colours[..., :3] *= shade[..., None]
    patches = np.stack([surface[:-1, :-1], surface[1:, :-1], surface[1:, 1:], surface[:-1, 1:]], axis=2)
    axes.add_collection3d(Poly3DCollection(patches.reshape(-1, 4, 3), facecolors=colours.reshape(-1, 4),
                                           edgecolors="none", antialiaseds=False), autolim=False)
    _frame(axes)


def _frame(axes: Axes3D) -> None:
    """Three short arrows that name x, y and z, equal scales, and no box."""
    for direction, name in zip(np.eye(3), "xyz", strict=True):
        arrow = Line3DCollection([[direction, 1.3 * direction]], colors="#777777", linewidths=1.2)
        axes.add_collection3d(arrow, autolim=False)
        axes.text(*1.45 * direction, name, ha="center", va="center", color="#444444", zorder=100,  # before the sphere, too
                  path_effects=[withStroke(linewidth=3, foreground="white")])
    axes.set(xlim=(-1, 1), ylim=(-1, 1), zlim=(-1, 1))
    axes.set_box_aspect((1, 1, 1), zoom=1.2)
    axes.set_axis_off()
