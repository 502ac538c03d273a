"""Orbits, learning curves and matrices."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.image import AxesImage
from matplotlib.patches import Rectangle
from matplotlib.ticker import LogFormatterSciNotation, NullFormatter
from mpl_toolkits.mplot3d.art3d import Line3DCollection

from course_lib.show.style import COLOURS, DIVERGING, MARKERS


def orbit(axes: Axes, points: np.ndarray, base: np.ndarray | None = None, *, label: str = "orbit",
          colour: str = COLOURS["blue"]) -> None:
    """Draw where a group takes a point, `points (g, d)`, or n points together, `(g, n, d)`; d = 2 or 3.

    Thin lines join each image to where it started, `base (d,)` or `(n, d)`, by default the first image; d = 3 needs
    3-D axes. Raises ValueError for other shapes.
    """
    points = np.asarray(points, dtype=float)
    points = points[:, None] if points.ndim == 2 else points
    dimension = 3 if axes.name == "3d" else 2
    if points.ndim != 3 or points.shape[-1] != dimension or not len(points):
        raise ValueError(f"points of shape {points.shape} on {dimension}-D axes: "
                         f"give (g, {dimension}) or (g, n, {dimension})")
    base = points[0] if base is None else np.broadcast_to(base, points.shape[1:])
    lines = np.stack([np.broadcast_to(base, points.shape), points], axis=-2).reshape(-1, 2, dimension)
    collection = Line3DCollection if dimension == 3 else LineCollection
    axes.add_collection(collection(lines, colors=colour, linewidths=0.8, alpha=float(np.clip(8 / len(lines), 0.1, 0.4))))
    axes.scatter(*points.reshape(-1, dimension).T, s=40 if points.size < 600 else 12, color=colour, label=label, zorder=3)
    axes.scatter(*base.T, s=260, marker="*", color=COLOURS["vermillion"], label="start", zorder=4)
    if dimension == 3:
        axes.computed_zorder = False  # the start stays in front
    axes.set_aspect("equal")


def learning_curves(axes: Axes, table: pd.DataFrame, x: str = "n", y: str = "error", by: str = "model", *,
                    xlabel: str = "training structures", ylabel: str = "error",
                    looks: Mapping[str, Mapping[str, Any]] | None = None) -> None:
    """Error against training size, both logarithmic: a line at the median over seeds, a band from best to worst.

    `table` has a row a run, with columns `x`, `y` and `by`; put units in the labels. `looks` are settings of lines, by name,
    for pictures that belong together. The legend stands in the order of the last errors. Raises KeyError for a column that is
    missing and ValueError for values that no logarithm takes.
    """
    for column in (x, y, by):
        if column not in table:
            raise KeyError(f"no column {column!r} in the table, which has {list(table.columns)}")
    if not (np.isfinite(table[[x, y]]).all(axis=None) and (table[[x, y]] > 0).all(axis=None)):
        raise ValueError(f"learning curves are logarithmic: {x!r} and {y!r} must be finite and > 0 in every row")
    for number, (name, runs) in enumerate(table.groupby(by, sort=False)):
        seeds = runs.groupby(x)[y]
        look = {"marker": MARKERS[number % len(MARKERS)]} | dict((looks or {}).get(name, {}))
        line, = axes.plot(seeds.median(), label=name, **look)
        axes.fill_between(seeds.min().index, seeds.min(), seeds.max(), color=line.get_color(), alpha=0.18, lw=0)
    axes.set(xscale="log", yscale="log", xlabel=xlabel, ylabel=ylabel)
    axes.set_xticks(sorted(table[x].unique()), [f"{n:g}" for n in sorted(table[x].unique())])
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.yaxis.set_minor_formatter(LogFormatterSciNotation(minor_thresholds=(1, 0.5)))
    axes.tick_params(axis="y", which="minor", labelsize=10)
    lines = sorted(axes.get_lines(), key=lambda line: line.get_ydata()[-1], reverse=True)
    axes.legend(lines, [line.get_label() for line in lines])


def matrix(axes: Axes, array: np.ndarray, blocks: Sequence[int] | tuple[Sequence[int], Sequence[int]] | None = None, *,
           limit: float | None = None, colourbar: bool = True) -> AxesImage:
    """Heat map of a real matrix (rows, columns): red positive, blue negative, white zero.

    `blocks` are the sizes along the diagonal, [1, 3, 5], or a pair (row sizes, column sizes); they are outlined, with
    diagonal blocks in bold. `limit` is the value of full colour, by default the largest absolute entry.
    Raises ValueError for what is not a real matrix or for blocks that do not fill it.
    """
    array = np.asarray(array)
    if array.ndim != 2 or np.iscomplexobj(array):
        raise ValueError(f"{array.dtype} array of shape {array.shape}: matrix() draws real matrices (rows, columns)")
    limit = limit or float(np.abs(array).max(initial=np.finfo(float).tiny))
    image = axes.imshow(array, cmap=DIVERGING, vmin=-limit, vmax=limit)
    axes.grid(False)
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_visible(True)
    if blocks is not None:
        rows, columns = blocks if np.ndim(blocks[0]) else (blocks, blocks)
        if (sum(rows), sum(columns)) != array.shape:
            raise ValueError(f"blocks {blocks} make {sum(rows)} × {sum(columns)}, the matrix is {array.shape}")
        top, left = (np.cumsum([0, *sizes]) - 0.5 for sizes in (rows, columns))
        axes.hlines(top[1:-1], left[0], left[-1], colors="#B0B0B0", linewidth=0.8)
        axes.vlines(left[1:-1], top[0], top[-1], colors="#B0B0B0", linewidth=0.8)
        for corner, height, width in zip(zip(left, top, strict=False), rows, columns, strict=False):
            axes.add_patch(Rectangle(corner, width, height, fill=False, edgecolor=COLOURS["black"], linewidth=1.8))
    if colourbar:
        axes.figure.colorbar(image, ax=axes, shrink=0.85)
    return image
