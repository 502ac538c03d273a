"""The machinery of exercises: an answer is judged, never executed into an error, `...` waits, what is solved is remembered."""

from importlib import import_module
from pathlib import Path

import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

from course_lib.exercises import check, core, exercises, hint, progress

CHAPTERS = sorted(path.stem[-2:] for path in Path(core.__file__).parent.glob("chapter_*.py"))


@pytest.fixture(autouse=True)
def memory(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_PROGRESS", str(tmp_path / "solved"))
    return tmp_path / "solved"


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_chapter_has_at_least_four_exercises_with_two_hints_or_more_that_wait(chapter, capsys):
    found = exercises(chapter)
    assert len(found) >= 4
    for name, exercise in found.items():
        check(name, ...)
        assert "is waiting" in capsys.readouterr().out
        assert len(set(exercise.hints)) >= 2
        for number, text in enumerate(exercise.hints, 1):
            hint(name, number)
            assert capsys.readouterr().out.startswith(text)


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_every_exercise_is_tried_with_a_right_answer_and_wrong_ones_for_three_reasons_or_more(chapter):
    tests = import_module(f"test_chapter_{chapter}")
    assert set(dict(tests.RIGHT)) == {name for name, *_ in tests.WRONG} == set(exercises(chapter))
    for name in exercises(chapter):
        assert len({reason for wrong, _, reason in tests.WRONG if wrong == name}) >= 3


def test_an_answer_in_parts_waits_for_all_of_them(capsys):
    check("10.1", (..., lambda s: s))
    assert "10.1 is waiting" in capsys.readouterr().out


def test_an_answer_that_raises_is_refused_with_its_error(capsys):
    check("01.2", lambda rng: 1 / 0)
    assert "ZeroDivisionError: division by zero" in capsys.readouterr().out


def test_unknown_chapters_exercises_and_hints_say_what_there_is():
    with pytest.raises(ValueError, match="no chapter '99'"):
        check("99.1", 0)
    with pytest.raises(ValueError, match=r"no exercise '01.9'; this chapter has 01.1"):
        check("01.9", 0)
    with pytest.raises(ValueError, match="hints 1 to 2, not 3"):
        hint("01.1", 3)


def run(*sources):
    """What the cells print in a new kernel."""
    notebook = new_notebook(cells=[new_code_cell(source) for source in sources])
    NotebookClient(notebook, kernel_name="python3").execute()
    return "".join(output.text for cell in notebook.cells for output in cell.outputs)


def test_progress_survives_a_restart_and_counts_what_the_reader_answers_and_not_the_worked_solution():
    ready = "from course_lib.exercises import check, progress"
    said = run(ready, "# Worked solution\ncheck('01.1', (24, 1440))", "progress()")
    assert "01.1 is right" in said and "None solved yet" in said
    standing = "01: 1 of 5 solved, left 01.2, 01.3, 01.4, 01.5\n"
    assert run(ready, "orders = (24, 1440)\ncheck('01.1', orders)").endswith(f"\n  {standing}")
    assert run(ready, "progress()") == standing


def test_progress_counts_no_wrong_answer_and_no_stray_file_and_says_when_a_chapter_is_done(memory, capsys):
    check("00.1", 23.06)
    assert not memory.exists()
    for name in exercises("00"):
        core.remember(name)
    (memory / ".DS_Store").touch()
    progress()
    assert capsys.readouterr().out.splitlines()[1:] == ["00: 6 of 6 solved, all"]  # after the refusal


def test_a_verdict_does_not_depend_on_whether_it_can_be_remembered(memory, capsys):
    memory.write_text("a file where the folder should be")
    check("00.1", 43.36)
    progress()
    verdict, standing, nothing = capsys.readouterr().out.splitlines()
    assert verdict.startswith("✓ 00.1 is right.") and "0 of 6" in standing and nothing.startswith("None solved yet")
