"""Triangle meshes in space, shaded, painted by a colour or a number."""

import numpy as np
from matplotlib import colormaps
from matplotlib.colors import to_rgb
from mpl_toolkits.mplot3d.art3d import Line3DCollection, Poly3DCollection
from mpl_toolkits.mplot3d.axes3d import Axes3D

from course_lib.show.spheres import LIGHT
from course_lib.show.style import COLOURS, DIVERGING


def surface(axes: Axes3D, vertices: np.ndarray, faces: np.ndarray, paint: np.ndarray | None = None, *,
            limit: float | None = None, colours: str = DIVERGING) -> None:
    """Draw a mesh of `vertices` (V, 3) and `faces` (F, 3), counterclockwise seen from outside.

    `paint` is a number a vertex (V,), from −limit to limit on the colour map `colours` (`limit` is the largest magnitude unless
    given), or a colour a face (F, 3), or nothing. Raises ValueError for another shape, and for axes that are not 3-D.
    """
    if not isinstance(axes, Axes3D):
        raise ValueError("surface() needs 3-D axes: figure.add_subplot(projection='3d')")
    vertices, faces = np.asarray(vertices, float), np.asarray(faces)
    corners = vertices[faces]
    if paint is None:
        paint = np.broadcast_to(to_rgb("#D8DDE3"), (len(faces), 3))
    paint = np.asarray(paint, float)
    if paint.shape == (len(vertices),):
        level = paint[faces].mean(axis=1) / (limit or max(np.abs(paint).max(), np.finfo(float).tiny))
        paint = colormaps[colours]((level + 1) / 2)[:, :3]
    if paint.shape != (len(faces), 3):
        raise ValueError(f"paint has shape {paint.shape} for {len(vertices)} vertices and {len(faces)} faces: "
                         "give a number a vertex or a colour (3) a face")
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals /= np.linalg.norm(normals, axis=1, keepdims=True) + 1e-12
    shade = 0.72 + 0.28 * np.clip(normals @ LIGHT, 0, 1)
    axes.add_collection3d(Poly3DCollection(corners, facecolors=paint * shade[:, None], edgecolors="none", antialiaseds=False),
                          autolim=False)
    middle, reach = (vertices.max(0) + vertices.min(0)) / 2, np.ptp(vertices, axis=0).max() / 2
    axes.set(xlim=middle[0] + [-reach, reach], ylim=middle[1] + [-reach, reach], zlim=middle[2] + [-reach, reach])
    axes.set_box_aspect((1, 1, 1), zoom=1.45)
    axes.set_axis_off()


def arrows(axes: Axes3D, starts: np.ndarray, vectors: np.ndarray, *, normals: np.ndarray | None = None,
           colour: str = COLOURS["black"], width: float = 1.4) -> None:
    """Lay arrows (n, 3) on a surface at points (n, 3), without those that the camera would see through it.

    `normals` (n, 3) say where outside is; on a sphere around the origin it is where the point is. Call it once the camera is
    placed. Raises ValueError for axes that are not 3-D.
    """
    if not isinstance(axes, Axes3D):
        raise ValueError("arrows() needs 3-D axes: figure.add_subplot(projection='3d')")
    elevation, azimuth = np.radians([axes.elev, axes.azim])
    camera = np.array([np.cos(elevation) * np.cos(azimuth), np.cos(elevation) * np.sin(azimuth), np.sin(elevation)])
    starts, vectors = np.asarray(starts, float), np.asarray(vectors, float)
    normals = starts if normals is None else np.asarray(normals, float)
    normals = normals / np.linalg.norm(normals, axis=1, keepdims=True)
    seen = normals @ camera > 0.15
    starts, vectors, normals = starts[seen] + 0.02 * normals[seen], vectors[seen], normals[seen]
    ends, across = starts + vectors, np.cross(normals, vectors)
    lines = [np.stack([starts, ends], axis=1)]
    lines += [np.stack([ends, ends - 0.35 * vectors + side * across], axis=1) for side in (0.22, -0.22)]
    drawn = Line3DCollection(np.concatenate(lines), colors=colour, linewidths=width, capstyle="round", zorder=5)
    axes.add_collection3d(drawn, autolim=False)
    axes.computed_zorder = False
