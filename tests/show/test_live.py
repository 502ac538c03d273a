"""The live learning curve: axes at once, a picture as a training goes on, the last one always."""

import pytest
from IPython.display import DisplayHandle

from course_lib.show import live, live_curve

NAMES = ["training loss", "validation loss"]


def rows(n):
    return [{"training loss": 1 / epoch, "validation loss": 2 / epoch} for epoch in range(1, n + 1)]


@pytest.fixture
def shown(monkeypatch):
    """What a notebook would be given, first and then."""
    first, then = [], []

    def display(data, **settings):
        first.append((data, settings))
        return DisplayHandle("curve") if settings.get("display_id") else None

    monkeypatch.setattr(live, "display", display)
    monkeypatch.setattr(live, "update_display", lambda data, **settings: then.append((data, settings)))
    return first, then


def test_there_are_axes_before_the_first_epoch_and_a_picture_after_the_last(shown, monkeypatch):
    first, then = shown
    follow = live_curve(5, NAMES, "Both fall.", ylabel="loss")
    assert len(first) == 1 and not then
    for n in range(1, 6):
        follow(rows(n))
    assert len(then) == 1  # the others came within the second
    (before, _), (after, settings) = first[0], then[0]
    assert settings["display_id"] == "curve" and settings["raw"]
    assert before["text/plain"] == after["text/plain"] == "Both fall." and before["image/png"] != after["image/png"]
    assert 'alt="Both fall."' in after["text/html"]


def test_slow_epochs_are_drawn_one_by_one(shown, monkeypatch):
    clock = iter(range(0, 1000, 2))
    monkeypatch.setattr(live, "perf_counter", lambda: next(clock))
    follow = live_curve(5, NAMES, "Both fall.")
    for n in range(1, 4):
        follow(rows(n))
    assert len(shown[1]) == 3


def test_without_a_notebook_nothing_happens(monkeypatch):
    monkeypatch.setattr(live, "display", lambda data, **settings: None)
    live_curve(1, NAMES, "Both fall.")(rows(1))


def test_an_empty_alt_text_is_refused():
    with pytest.raises(ValueError, match="say in a sentence"):
        live_curve(5, NAMES, " ")
