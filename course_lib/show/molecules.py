"""Molecules and crystals as shaded balls and sticks, ray-traced into one image: no viewer needed.

Seen from far away along z a ball of radius R at (a, b, c) has the height c + √(R² − (x−a)² − (y−b)²) above the pixel
(x, y); the highest ball wins the pixel. A stick is a row of small balls.
"""

from collections.abc import Sequence
from itertools import product
from typing import Literal

import matplotlib.pyplot as plt
import numpy as np
from ase import Atoms
from ase.data import covalent_radii
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.spatial.transform import Rotation

from course_lib.show.style import element_colour
from course_lib.structures import check_structures

PIXELS = 560            # of the longer side of a picture
SEEN = 0.75             # pixels: a smaller ball could miss the middle of every pixel
BOND_FACTOR = 1.2       # two atoms are bonded when closer than this times the sum of their covalent radii
LIGHT = np.array([-0.45, 0.55, 0.70]) / np.linalg.norm([-0.45, 0.55, 0.70])
STICK, EDGE = (0.62, 0.62, 0.62), (0.75, 0.75, 0.75)


def _balls(atoms: Atoms, positions: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    colours = np.array([element_colour(int(z)) for z in atoms.numbers])
    return positions, 0.15 + 0.33 * covalent_radii[atoms.numbers], colours


def _sticks(starts: np.ndarray, ends: np.ndarray, radius: float, colour) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    longest = np.linalg.norm(ends - starts, axis=-1).max(initial=0)
    along = np.linspace(0, 1, 2 + int(min(longest / (0.3 * radius), 4 * PIXELS)))[:, None, None]
    centres = (starts + along * (ends - starts)).reshape(-1, 3)
    return centres, np.full(len(centres), radius), np.broadcast_to(colour, centres.shape)


def bonds(atoms: Atoms) -> np.ndarray:
    """(B, 2) pairs i < j closer than 1.2 times the sum of their covalent radii; none across a cell's face."""
    radii = covalent_radii[atoms.numbers]
    distances = np.linalg.norm(atoms.positions[:, None] - atoms.positions, axis=-1)
    return np.argwhere(np.triu(distances < BOND_FACTOR * (radii[:, None] + radii), k=1))


def _cell_edges(atoms: Atoms) -> tuple[np.ndarray, np.ndarray]:
    corners = np.array(list(product((0, 1), repeat=3)))
    pairs = np.argwhere(np.triu(np.abs(corners[:, None] - corners).sum(-1) == 1))
    return corners[pairs[:, 0]] @ atoms.cell.array, corners[pairs[:, 1]] @ atoms.cell.array


def _seen(centres: np.ndarray, radii: np.ndarray, colours: np.ndarray, shape: tuple[int, int]):
    """Pixel, height and shaded colour wherever a ball is seen; lengths in pixels, balls of similar size together."""
    reach = int(np.ceil(radii.max()))
    dy, dx = np.mgrid[-reach:reach + 1, -reach:reach + 1]
    column = np.rint(centres[:, 0]).astype(int)[:, None, None] + dx
    row = np.rint(centres[:, 1]).astype(int)[:, None, None] + dy
    x, y = (column - centres[:, 0, None, None], row - centres[:, 1, None, None])
    inside = x**2 + y**2 < radii[:, None, None] ** 2
    inside &= (column >= 0) & (column < shape[1]) & (row >= 0) & (row < shape[0])
    ball = np.nonzero(inside)[0]
    normal = np.stack([x[inside], y[inside]], axis=-1) / radii[ball, None]
    normal = np.column_stack([normal, np.sqrt(np.maximum(0, 1 - (normal**2).sum(-1)))])
    diffuse = np.clip(normal @ LIGHT, 0, 1)
    gloss = np.clip(2 * diffuse * normal[:, 2] - LIGHT[2], 0, 1) ** 24
    rim = np.clip(normal[:, 2] / 0.3, 0, 1)
    shade = (0.42 + 0.62 * diffuse) * (0.35 + 0.65 * rim)
    colour = np.clip(colours[ball] * shade[:, None] + 0.55 * gloss[:, None], 0, 1)
    return row[inside] * shape[1] + column[inside], centres[ball, 2] + radii[ball] * normal[:, 2], colour


def _paint(groups, centre: np.ndarray, half: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """RGBA image and heights in Å (−inf where empty) of groups of balls around `centre`; `half` extents in Å."""
    scale = PIXELS / (2 * half.max())
    shape = tuple(np.ceil(2 * half[::-1] * scale).astype(int))
    seen = [_seen(np.column_stack([(balls[:, :2] - centre + half) * scale, balls[:, 2] * scale]),
                  np.maximum(radii * scale, SEEN), colours, shape) for balls, radii, colours in groups if len(balls)]
    pixel, height, colour = (np.concatenate(parts) for parts in zip(*seen, strict=True))
    order = np.argsort(height, kind="stable")
    pixel, height, colour = pixel[order], height[order], colour[order]
    fog = 0.4 * (height[-1] - height) / max(height[-1] - height[0], 5 * scale)
    image, heights = np.zeros((*shape, 4)), np.full(shape, -np.inf)
    image.reshape(-1, 4)[pixel] = np.column_stack([colour + (1 - colour) * fog[:, None], np.ones(len(pixel))])
    heights.reshape(-1)[pixel] = height / scale
    return image, heights


def molecule(axes: Axes | Sequence[Axes] | None, atoms: Atoms | Sequence[Atoms], titles: Sequence[str] = (), *,
             turn: tuple[float, float, float] = (-70, 0, 20), labels: bool | Literal["rows"] = True,
             scale_bar: bool = True) -> Figure:
    """Draw a frame, or several side by side at one scale, as shaded balls and sticks; a bar of 1 Å beside the first.

    `axes` is one 2-D Axes, one for each frame, or None for a new figure. `turn` are degrees about x, y and z, in this
    order, before looking down on the xy plane. A periodic frame gets the edges of its cell. With `labels` each atom that
    is seen carries its symbol, with "rows" also its row in the frame. Returns the figure. Raises what `check_structures`
    raises, and ValueError when axes and frames do not match.
    """
    frames = [atoms] if isinstance(atoms, Atoms) else list(atoms)
    check_structures(frames)
    if axes is None:
        _, axes = plt.subplots(1, len(frames), figsize=(min(2.9 * len(frames) + 0.6, 10), 3.2), squeeze=False)
    axes = np.atleast_1d(np.asarray(axes, dtype=object)).ravel()
    if len(axes) != len(frames):
        raise ValueError(f"{len(axes)} axes for {len(frames)} frames: give one Axes a frame")
    rotation = Rotation.from_euler("xyz", turn, degrees=True)
    drawn = []
    for frame in frames:
        positions = rotation.apply(frame.positions)
        pairs = bonds(frame)
        groups = [_balls(frame, positions), _sticks(positions[pairs[:, 0]], positions[pairs[:, 1]], 0.09, STICK)]
        if frame.cell.rank == 3 and frame.pbc.any():
            groups.append(_sticks(*map(rotation.apply, _cell_edges(frame)), 0.04, EDGE))
        reach = np.concatenate([group[0][:, :2] for group in groups])
        drawn.append((frame, groups, (reach.min(0) + reach.max(0)) / 2, np.ptp(reach, axis=0) / 2 + 0.6))
    half = np.max([extent for *_, extent in drawn], axis=0)
    foot = np.array([0, 0.13 * half.max() * scale_bar])
    half = half + foot
    for axis, (frame, groups, centre, _) in zip(axes, drawn, strict=True):
        centre = centre - foot
        image, heights = _paint(groups, centre, half)
        extent = (centre[0] - half[0], centre[0] + half[0], centre[1] - half[1], centre[1] + half[1])
        axis.imshow(image, extent=extent, origin="lower", interpolation="antialiased")
        axis.set_axis_off()
        if labels:
            rows = range(len(frame)) if labels == "rows" else [""] * len(frame)
            texts = [f"{symbol}{row}" for symbol, row in zip(frame.symbols, rows, strict=True)]
            _label(axis, texts, groups[0], heights, extent)
        if scale_bar and axis is axes[0]:
            axis.plot([extent[0] + 0.1, extent[0] + 1.1], [extent[2] + 0.05] * 2, "-", color="#333333", lw=3)
            axis.text(extent[0] + 0.6, extent[2] + 0.14, "1 Å", ha="center", va="bottom", fontsize=11)
    for axis, title in zip(axes, titles, strict=False):
        axis.set_title(title)
    return axes[0].figure


def _label(axis: Axes, texts: list[str], balls, heights: np.ndarray, extent) -> None:
    """Write its text on each atom whose middle is in front."""
    scale = heights.shape[1] / (extent[1] - extent[0])
    for text, centre, radius, colour in zip(texts, *balls, strict=True):
        column, row = ((centre[:2] - (extent[0], extent[2])) * scale).astype(int)
        if heights[row, column] <= centre[2] + 1.02 * radius:
            size = axis.get_window_extent().width * radius / (extent[1] - extent[0]) * 0.62
            axis.text(*centre[:2], text, ha="center", va="center", fontsize=np.clip(size, 8, 13), clip_on=True,
                      color="black" if np.dot(colour, (0.3, 0.6, 0.1)) > 0.55 else "white")
