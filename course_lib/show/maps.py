"""Maps of structures to click: every structure is a point, and the point one chooses is shown as what it is.

The map is a picture, and a transparent button lies on each of its points, so a click needs no more than ipywidgets. A slider
beside it chooses too, for those who have no mouse; where no kernel lives, the first structure is drawn beside the map.
"""

from collections.abc import Sequence
from html import escape

import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
from ase import Atoms
from IPython.display import display
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from course_lib.show.molecules import molecule
from course_lib.show.presenting import bundle, css_width, image_tag, png, require_alt
from course_lib.show.style import COLOURS, MARKERS
from course_lib.show.viewer import WIDGET_VIEW, one_structure

AT_MOST = 300  # structures: each is a button
TRACK = 4      # pixels: buttons lie on a grid of this mesh
BUTTON = 3     # tracks wide


def scatter(axes: Axes, points: np.ndarray, values: Sequence, label: str = "") -> None:
    """Points (n, 2) by `values`: numbers in shades with a colour bar called `label`, words in colours and markers of their own.

    Raises ValueError where points and values do not match, and for more words than there are markers.
    """
    points, values = np.asarray(points, float), np.asarray(values)
    if points.shape != (len(values), 2):
        raise ValueError(f"points of shape {points.shape} beside {len(values)} values; (n, 2) and one value a point are needed")
    if values.dtype.kind in "fiub":
        shades = axes.scatter(*points.T, c=values, s=30, edgecolors=COLOURS["grey"], linewidths=0.4)
        axes.figure.colorbar(shades, ax=axes, label=label)
    else:
        words = list(dict.fromkeys(values.tolist()))
        if len(words) > len(MARKERS):
            raise ValueError(f"{len(words)} kinds of points, {words[:3]}…: a map tells at most {len(MARKERS)} apart")
        for word, marker, colour in zip(words, MARKERS, COLOURS.values(), strict=False):
            axes.scatter(*points[values == word].T, s=26, marker=marker, color=colour, alpha=0.8, linewidths=0, label=word)
        axes.legend(title=label or None, handletextpad=0.1)
    axes.grid(False)


def structure_map(points: np.ndarray, frames: Sequence[Atoms], alt: str, *, values: Sequence, label: str = "",
                  names: Sequence[str] | None = None, axes_labels: tuple[str, str] = ("", ""), first: int = 0) -> None:
    """Show a map, a point (n, 2) a frame, whose points can be clicked: live, the chosen structure turns beside it.

    values, label: as in `scatter`
    names: a word or two on each frame, shown when the mouse rests on it and as the title of the chosen one
    first: which frame is chosen at first

    `alt` says what the map shows. Raises ValueError for an empty alt text, no frames or more than 300, lengths that do not
    match, and as `scatter` does.
    """
    require_alt(alt)
    frames, names = list(frames), [str(name) for name in (names if names is not None else range(len(frames)))]
    if not 0 < len(frames) <= AT_MOST:
        raise ValueError(f"{len(frames)} structures: a map to click holds 1 to {AT_MOST}; choose some, farthest points for one")
    if not len(frames) == len(points) == len(names):
        raise ValueError(f"{len(frames)} frames, {len(points)} points and {len(names)} names; one of each a frame is needed")
    points = np.asarray(points, float)

    def draw(axes: Axes, chosen: int) -> Figure:
        scatter(axes, points, values, label)
        axes.scatter(*points[chosen], s=190, facecolors="none", edgecolors=COLOURS["vermillion"], linewidths=2.5, zorder=5)
        axes.set(xlabel=axes_labels[0], ylabel=axes_labels[1])
        return axes.figure

    def picture(chosen: int) -> Figure:
        return draw(plt.subplots(figsize=(6, 4.4))[1], chosen)

    figure, (left, right) = plt.subplots(1, 2, figsize=(9.5, 4.4), width_ratios=[1.7, 1])
    draw(left, first)
    molecule(right, frames[first], [names[first]])
    data, metadata = bundle(figure, alt, "Run this cell to click on the points of the map, or to choose one with a slider.")
    live = _live(picture, points, frames, names, alt, first)
    data[WIDGET_VIEW] = live._repr_mimebundle_()[WIDGET_VIEW]
    display(data, metadata=metadata, raw=True)


def _live(picture, points: np.ndarray, frames: list[Atoms], names: list[str], alt: str, first: int) -> ipywidgets.Widget:
    figure = picture(first)
    figure.canvas.draw()
    width, height = css_width(figure), figure.get_figheight() * figure.dpi
    places = figure.axes[0].transData.transform(points) * [1, -1] + [0, height]
    image = ipywidgets.HTML(layout={"grid_area": "1 / 1 / -1 / -1", "margin": "0"})
    title, (viewer, put) = ipywidgets.HTML(), one_structure(frames[first])
    chosen = ipywidgets.IntSlider(first + 1, 1, len(frames), description="structure", continuous_update=False)

    def choose(number: int) -> None:
        figure = picture(number)
        plt.close(figure)
        image.value = image_tag(png(figure), width, f"{alt} Now chosen: {names[number]}.")
        title.value = f"<b>{escape(names[number])}</b>"

    def point(number: int) -> ipywidgets.Button:
        column, row = (np.round(places[number] / TRACK) - BUTTON // 2).astype(int).clip(1)
        button = ipywidgets.Button(tooltip=names[number], style=look, tabbable=False, layout={
            "grid_area": f"{row} / {column} / span {BUTTON} / span {BUTTON}", "width": "auto", "height": "auto",
            "min_width": "0", "padding": "0", "margin": "0", "border": "none"})
        button.on_click(lambda _: setattr(chosen, "value", number + 1))
        return button

    look = ipywidgets.ButtonStyle(button_color="transparent")
    plt.close(figure)
    choose(first)
    chosen.observe(lambda change: (choose(change.new - 1), put(frames[change.new - 1])), names="value")
    table = ipywidgets.GridBox([image, *map(point, range(len(frames)))], layout={
        "grid_template_columns": f"repeat({width / TRACK:.0f}, {TRACK}px)", "width": f"{width:.0f}px", "flex": "none",
        "grid_template_rows": f"repeat({height / TRACK:.0f}, {TRACK}px)", "grid_gap": "0"})
    return ipywidgets.VBox([chosen, table, title, viewer])  # in a row, a viewer has no size at first and shows a dot
