"""Molecules to turn with the mouse, by nglview (WebGL), with a still picture where there is no browser.

nglview 4.0.1 tells JupyterLab that its JavaScript has version 4.0, but ships 3.1.5, so nothing is shown (nglviewer/nglview
1172, 1181). Until the two agree, `_load_nglview` puts a stand-in for the module that holds the wrong number;
tests/show says when it is no longer needed.
"""

import json
import sys
from collections.abc import Callable, Sequence
from html import escape
from pathlib import Path
from types import ModuleType

import ipywidgets
import numpy as np
from ase import Atoms
from IPython.display import display
from IPython.utils.capture import capture_output

from course_lib.show.molecules import molecule
from course_lib.show.presenting import bundle, require_alt

WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
SMALL = 6.0  # Å: nglview leaves a wide margin around a molecule below this size


def shipped_version() -> str | None:
    """The version of nglview's JavaScript that this environment gives to JupyterLab, None when there is none."""
    package = Path(sys.prefix, "share/jupyter/labextensions/nglview-js-widgets/package.json")
    return json.loads(package.read_text(encoding="utf-8"))["version"] if package.is_file() else None


def _load_nglview() -> ModuleType:
    version = shipped_version()
    if "nglview" not in sys.modules and version:
        stand_in = ModuleType("nglview._frontend")
        stand_in.__frontend_version__ = version
        sys.modules[stand_in.__name__] = stand_in
    with capture_output():  # the import displays an empty widget
        import nglview
    return nglview


def _dress(shown: ipywidgets.Widget, frame: Atoms, component: int = 0) -> None:
    shown.clear_representations(component=component)
    shown.add_ball_and_stick(component=component)
    if frame.pbc.any():
        shown.add_unitcell(component=component)


def _widget(frames: list[Atoms]) -> ipywidgets.Widget:
    nglview = _load_nglview()
    trajectory = all(len(f) == len(frames[0]) and (f.numbers == frames[0].numbers).all() for f in frames)
    if trajectory:
        shown = nglview.NGLWidget(nglview.ASETrajectory(frames) if len(frames) > 1 else nglview.ASEStructure(frames[0]))
    else:
        shown = nglview.NGLWidget()
        for frame in frames:
            shown.add_component(nglview.ASEStructure(frame))
    for component in range(1 if trajectory else len(frames)):
        _dress(shown, frames[component], component)
    shown.layout.width, shown.layout.height = "100%", "340px"
    shown.background = "white"
    # clip_dist: Å before the eye; by default atoms nearer than 10 are cut open. A tooltip stays when the page is scrolled.
    shown.stage.set_parameters(clip_dist=0.1, tooltip=False)
    if trajectory:
        if np.ptp(frames[0].positions, axis=0).max() < SMALL:
            shown.control.zoom(0.5)
        return shown

    def choose(number: int) -> None:
        shown.show_only([number - 1])
        shown.center(component=number - 1)

    chosen = ipywidgets.IntSlider(1, 1, len(frames), description="structure")
    chosen.observe(lambda change: choose(change.new), names="value")
    choose(1)
    return ipywidgets.VBox([chosen, shown])


def one_structure(frame: Atoms) -> tuple[ipywidgets.Widget, Callable[[Atoms], None]]:
    """A viewer with one structure, and the function that puts another in its place."""
    shown = _widget([frame])

    def put(frame: Atoms) -> None:
        for component in list(shown._ngl_component_ids):
            shown.remove_component(component)
        shown.add_component(_load_nglview().ASEStructure(frame))
        _dress(shown, frame)
        shown.center()

    return shown, put


def view(frames: Atoms | Sequence[Atoms], alt: str) -> None:
    """Show a frame, a trajectory or a set of structures to turn and zoom; without a live kernel, its first frame.

    Frames of the same atoms are a trajectory with a player; others are structures with a slider to choose one.
    `alt` says what is shown. Raises ValueError for an empty alt text or no frames.
    """
    require_alt(alt)
    frames = [frames] if isinstance(frames, Atoms) else list(frames)
    data, metadata = bundle(molecule(None, frames[:1]), alt, "Run this cell to turn the structure with the mouse.")
    live = ipywidgets.VBox([_widget(frames), ipywidgets.HTML(f"<em>{escape(alt)}</em>")])
    data[WIDGET_VIEW] = live._repr_mimebundle_()[WIDGET_VIEW]
    display(data, metadata=metadata, raw=True)
