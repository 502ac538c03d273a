"""What is shown live: something at once, more as it goes on, the last of it always."""

import numpy as np
import pandas as pd
import pytest
from IPython.display import DisplayHandle

from course_lib.show import live, live_curve, live_table

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


def fits(*rows):
    return pd.DataFrame([{"method": m, "n": n, "seed": seed, "MAE": value} | ({"error": error} if error else {})
                         for m, n, seed, value, error in rows])


def test_a_live_table_fills_up_with_medians_and_says_what_failed(shown):
    first, then = shown
    follow = live_table(["GAP", "<mine>"], [5, 10], [0, 1], "MAE")
    (empty, settings), = first
    assert settings["display_id"] and empty["text/plain"].splitlines() == [
        "method  n = 5  n = 10  fits", "GAP     ·      ·       · 0 of 4", "<mine>  ·      ·       · 0 of 4",
        "MAE, median over seeds: 0 of 8 fits"]
    follow(fits(("GAP", 5, 0, 1234.5, None), ("GAP", 5, 1, 2000.0, None), ("<mine>", 5, 0, np.nan, "ArithmeticError"),
                ("GAP", 99, 0, 1.0, None), ("other", 5, 0, 1.0, None)))
    (now, settings), = then
    assert settings["display_id"] == "curve" and now["text/plain"].splitlines()[1:] == [
        "GAP     1.62e+03  ·       · 2 of 4", "<mine>  ·         ·       ✗ 0 of 4, 1 failed",
        "MAE, median over seeds: 3 of 8 fits"]
    assert "&lt;mine&gt;" in now["text/html"] and "#B03A00" in now["text/html"]
    follow(fits(*(("GAP", n, seed, 0.5, None) for n in (5, 10) for seed in (0, 1))))
    assert "GAP     0.5    0.5     ✓ 4 of 4" in then[-1][0]["text/plain"]


def test_a_live_table_of_an_error_that_a_method_has_not_is_empty(shown):
    live_table(["GAP"], [5], [0], "force MAE")(fits(("GAP", 5, 0, 1.0, None)))
    assert "GAP     ·      ✓ 1 of 1" in shown[1][0][0]["text/plain"]


def test_a_live_table_of_nothing_is_refused_and_without_a_notebook_nothing_happens(monkeypatch):
    with pytest.raises(ValueError, match="needs methods"):
        live_table(["GAP"], [], [0], "MAE")
    monkeypatch.setattr(live, "display", lambda data, **settings: None)
    live_table(["GAP"], [5], [0], "MAE")(fits(("GAP", 5, 0, 1.0, None)))
