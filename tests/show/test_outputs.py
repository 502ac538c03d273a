"""What reaches the notebook: pictures with their words, the same bytes every time, and controls that work."""

import json
import subprocess
import sys
from base64 import b64decode
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path

import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from ase import Atoms
from ase.build import molecule as g2
from PIL import Image

from course_lib import show
from course_lib.show import presenting, sliders, tables, viewer


@pytest.fixture
def displayed(monkeypatch):
    """Every output that is shown, as (data, metadata)."""
    shown = []
    for module in (presenting, sliders, tables, viewer):
        monkeypatch.setattr(module, "display", lambda data, metadata=None, raw=False: shown.append((data, metadata)))
    yield shown
    plt.close("all")


def wave(frequency=1, style="sine"):
    figure, axes = plt.subplots(figsize=(4, 2))
    axes.plot(np.sin(frequency * np.linspace(0, 6, 50)), label=style)
    return figure


def test_a_figure_is_shown_with_its_alt_text_in_every_representation_and_closed(displayed):
    show.present(wave(), 'A sine "wave" < 1.')
    (data, metadata), = displayed
    assert data["text/plain"] == metadata["image/png"]["alt"] == 'A sine "wave" < 1.'
    assert 'alt="A sine &quot;wave&quot; &lt; 1."' in data["text/html"] and data["image/png"] in data["text/html"]
    assert metadata["image/png"]["width"] == 400
    assert Image.open(BytesIO(b64decode(data["image/png"]))).size == (500, 250)
    assert not plt.get_fignums()


def test_equal_figures_are_equal_bytes_that_name_no_program(displayed):
    for _ in range(2):
        show.present(wave(), "A wave.")
    show.present(wave(2), "A wave.")
    first, second, other = (data["image/png"] for data, _ in displayed)
    assert first == second != other
    assert b"atplotlib" not in b64decode(first) and b"tEXt" not in b64decode(first)


@pytest.mark.parametrize("alt", ["", "  \n", None])
def test_a_picture_without_words_is_refused(displayed, alt):
    for refused in (lambda: show.present(wave(), alt), lambda: show.view(g2("CH4"), alt), lambda: show.slider(wave, alt)):
        with pytest.raises(ValueError, match="say in a sentence"):
            refused()
    assert not displayed


def test_axes_are_not_a_figure(displayed):
    with pytest.raises(TypeError, match="pass the figure, not its axes"):
        show.present(wave().axes[0], "A wave.")


AUDIT = pd.DataFrame([("translation", True, 3.1e-15, 1e-12, "kept"), ("proper <rotation>", True, 0.31415, 1e-12, "BROKEN"),
                      ("reflection", False, 0.5, 1e-12, "not claimed"), ("image", True, np.nan, 1e-12, "not tested")],
                     columns=["element", "declared", "error", "tolerance", "verdict"])


def test_an_audit_reads_without_colour_and_without_html(displayed):
    show.audit_table(AUDIT)
    (data, _), = displayed
    assert data["text/plain"].splitlines() == [
        "group element      claimed  relative error  verdict",
        "translation        yes      < 1e-12         ✓ kept",
        "proper <rotation>  yes      0.31            ✗ BROKEN",
        "reflection         no       0.5             · not claimed",
        "image              yes      —               · not tested"]
    assert "proper &lt;rotation&gt;" in data["text/html"] and data["text/html"].count('scope="row"') == 4


def test_an_audit_does_not_change_with_rounding_noise(displayed):
    for error in (3.1e-15, 9.9e-14):
        show.audit_table(AUDIT.assign(error=[error, 0.31415, 0.5, np.nan]))
    assert displayed[0] == displayed[1]
    with pytest.raises(KeyError, match="tolerance"):
        show.audit_table(AUDIT.drop(columns="tolerance"))


@pytest.fixture
def live(monkeypatch):
    """The widget blocks that are shown."""
    blocks = []
    monkeypatch.setattr(ipywidgets.VBox, "_repr_mimebundle_",
                        lambda self, **_: blocks.append(self) or {sliders.WIDGET_VIEW: {"model_id": "x"}})
    return blocks


def test_moving_a_slider_draws_the_picture_for_its_value(displayed, live):
    show.slider(wave, "A wave.", frequency=(1, 9, 2, 3), style=["sine", "cosine"])
    (data, metadata), = displayed
    assert data["text/plain"].startswith("A wave.\nRun this cell to turn it yourself") and metadata["image/png"]["alt"]
    frequency, style, picture = live[0].children
    assert (frequency.value, frequency.step, style.value, style.options) == (3, 2, "sine", ("sine", "cosine"))
    assert data["image/png"] in picture.value and "Run this cell" not in picture.value
    frequency.value = 7
    assert data["image/png"] not in picture.value and 'alt="A wave. Now frequency = 7, style = sine."' in picture.value
    frequency.value = 3
    assert data["image/png"] in picture.value
    assert not plt.get_fignums()


def test_a_slow_picture_waits_until_the_slider_is_let_go(displayed, live, monkeypatch):
    monkeypatch.setattr(sliders, "SLOW", np.inf)
    show.slider(wave, "A wave.", frequency=(1.0, 9, 2, 3))
    monkeypatch.setattr(sliders, "SLOW", 0.0)
    show.slider(wave, "A wave.", frequency=(1.0, 9, 2, 3))
    assert isinstance(live[0].children[0], ipywidgets.FloatSlider)
    assert [block.children[0].continuous_update for block in live] == [True, False]


@pytest.mark.parametrize("given", [3, (1, 2, 3), [], (5, 1, 1, 2), (0, 9, 0, 1), (0, 1, 1, 7)])
def test_what_is_no_control_is_refused(displayed, given):
    with pytest.raises(ValueError, match="frequency="):
        show.slider(wave, "A wave.", frequency=given)


def test_a_view_holds_a_still_picture_and_a_trajectory_or_a_set(displayed, live):
    ethanol = g2("CH3CH2OH")
    moved = ethanol.copy()
    moved.rattle(0.1, seed=0)
    for frames in (ethanol, [ethanol, moved], [ethanol, g2("CH4")]):
        show.view(frames, "Ethanol.")
    one, trajectory, chosen = (block.children[0] for block in live if not isinstance(block.children[0], ipywidgets.IntSlider))
    assert (one.max_frame, trajectory.max_frame) == (0, 1)
    assert chosen.children[0].max == 2
    assert all(metadata["image/png"]["alt"] == "Ethanol." for _, metadata in displayed)
    with pytest.raises(ValueError, match="at least one"):
        show.view([], "Nothing.")
    with pytest.raises(ValueError, match="has no atoms"):
        show.view(Atoms(), "Nothing.")


def run_python(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def test_the_viewer_announces_the_version_of_its_javascript():
    announced = run_python("from course_lib.show.viewer import _load_nglview as load\n"
                           "print(load().NGLWidget()._view_module_version)")
    assert announced == viewer.shipped_version()


def test_the_stand_in_for_nglview_is_still_needed():
    package = Path(find_spec("nglview").submodule_search_locations[0])
    announced = (package / "_frontend.py").read_text().split("=")[1].strip().strip("'\"")
    assert announced != viewer.shipped_version(), (
        f"nglview's Python and JavaScript agree on {announced}: delete the stand-in in course_lib/show/viewer.py, import "
        "nglview plainly, and delete this test")


def test_importing_show_loads_neither_the_viewer_nor_torch():
    assert json.loads(run_python("import json, sys, course_lib.show\n"
                                 "print(json.dumps([n in sys.modules for n in ('nglview', 'torch', 'sklearn')]))")
                      ) == [False, False, False]
