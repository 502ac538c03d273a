"""The machinery of exercises: an answer is judged, never executed into an error, and `...` waits."""

from pathlib import Path

import pytest

from course_lib.exercises import check, core, exercises, hint

CHAPTERS = sorted(path.stem[-2:] for path in Path(core.__file__).parent.glob("chapter_*.py"))


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_chapter_has_at_least_four_exercises_with_hints_that_wait(chapter, capsys):
    found = exercises(chapter)
    assert len(found) >= 4
    for name, exercise in found.items():
        check(name, ...)
        assert "is waiting" in capsys.readouterr().out
        hint(name)
        assert capsys.readouterr().out.startswith(exercise.hints[0])


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
