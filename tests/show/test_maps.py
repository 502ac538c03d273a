"""A map of structures: what is drawn is what was given, and a click and the slider choose the same."""

from base64 import b64decode
from io import BytesIO

import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
import pytest
from ase.build import molecule as g2
from matplotlib.colors import to_rgb
from PIL import Image

from course_lib import show
from course_lib.show import maps

NAMES = ["CH4", "H2O", "C6H6"]
FRAMES = [g2(name) for name in NAMES]
POINTS = np.array([[0, 0], [1, 2], [2, 1.5]])


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


@pytest.fixture
def shown(monkeypatch):
    """What is displayed, and the live widgets of it."""
    outputs, live = [], []
    monkeypatch.setattr(maps, "display", lambda data, metadata=None, raw=False: outputs.append((data, metadata)))
    monkeypatch.setattr(ipywidgets.VBox, "_repr_mimebundle_",
                        lambda self, **_: live.append(self) or {maps.WIDGET_VIEW: {"model_id": "x"}})
    return outputs, live


def parts(live):
    """Slider, picture, buttons, title and viewer of a map."""
    slider, table, title, viewer = live.children
    picture, *buttons = table.children
    return slider, picture, buttons, title, viewer


def draw(**settings):
    show.structure_map(POINTS, FRAMES, "Three molecules.", **{"values": [5, 3, 12], "names": NAMES} | settings)


def test_a_click_on_a_point_and_the_slider_choose_the_same_structure(shown):
    draw()
    slider, picture, buttons, title, viewer = parts(shown[1][0])
    assert [button.tooltip for button in buttons] == NAMES and slider.value == 1
    first = picture.value
    buttons[2].click()
    by_click = picture.value
    assert slider.value == 3 and "C6H6" in title.value and 'alt="Three molecules. Now chosen: C6H6."' in by_click != first
    assert len(viewer._ngl_component_ids) == 1
    slider.value = 1
    assert picture.value == first
    slider.value = 3
    assert picture.value == by_click and not plt.get_fignums()


def test_buttons_lie_on_their_points(shown):
    """The ring of the chosen point is drawn where its button is: the picture and the grid agree."""
    draw()
    slider, picture, buttons, *_ = parts(shown[1][0])
    for number, button in enumerate(buttons):
        slider.value = number + 1
        pixels = Image.open(BytesIO(b64decode(picture.value.partition("base64,")[2].partition('"')[0]))).convert("RGB")
        ring = np.abs(np.asarray(pixels) / 255 - to_rgb(show.COLOURS["vermillion"])).max(axis=-1) < 0.1
        rows, columns = np.nonzero(ring)
        row, column = (int(part) for part in button.layout.grid_area.split("/")[:2])
        middle = (np.array([row, column]) - 1 + maps.BUTTON / 2) * maps.TRACK
        centre = np.array([rows.min() + rows.max(), columns.min() + columns.max()]) / 2 * 100 / 125
        assert np.abs(middle - centre).max() <= maps.TRACK


def test_the_still_picture_shows_the_map_beside_the_first_structure(shown):
    draw(first=1)
    (data, metadata), = shown[0]
    assert metadata["image/png"]["alt"] == "Three molecules." and "click on the points" in data["text/html"]
    assert parts(shown[1][0])[0].value == 2
    draw(first=2)
    assert shown[0][0][0]["image/png"] != shown[0][1][0]["image/png"]


def test_numbers_are_shades_and_words_are_markers():
    figure, axes = plt.subplots()
    show.scatter(axes, POINTS, [5.0, 3.0, 12.0], "atoms")
    np.testing.assert_array_equal(axes.collections[0].get_array(), [5, 3, 12])
    assert figure.axes[1].get_ylabel() == "atoms"
    axes = plt.figure().add_subplot()
    show.scatter(axes, POINTS, ["ring", "chain", "ring"])
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["ring", "chain"]
    np.testing.assert_array_equal(axes.collections[0].get_offsets(), POINTS[[0, 2]])
    shapes = [collection.get_paths()[0].vertices for collection in axes.collections]
    assert shapes[0].shape != shapes[1].shape or not np.allclose(*shapes)


@pytest.mark.parametrize(("settings", "complaint"), [
    ({"values": [1, 2]}, "beside 2 values"), ({"values": [*"abcdefgh"]}, "beside 8 values"), ({"names": ["a"]}, "1 names")])
def test_what_does_not_match_is_refused(shown, settings, complaint):
    with pytest.raises(ValueError, match=complaint):
        draw(**settings)
    assert not shown[0]


def test_too_many_structures_or_kinds_and_none_are_refused(shown):
    for frames in ([], FRAMES[:1] * 301):
        with pytest.raises(ValueError, match="holds 1 to 300"):
            show.structure_map(np.zeros((len(frames), 2)), frames, "A map.", values=np.zeros(len(frames)))
    with pytest.raises(ValueError, match="at most 8"):
        show.scatter(plt.figure().add_subplot(), np.zeros((9, 2)), [*"abcdefghi"])
    with pytest.raises(ValueError, match="say in a sentence"):
        show.structure_map(POINTS, FRAMES, " ", values=[1, 2, 3])
