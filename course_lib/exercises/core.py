"""One exercise: a name, hints, and a grader that gives a reason."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from course_lib.exercises.memory import remember, shows_the_solution, solved


class Wrong(Exception):
    """The reason why an answer is refused, in a sentence the reader can act on."""


@dataclass(frozen=True)
class Exercise:
    """`grade(answer)` returns one sentence on what the right answer shows, or raises `Wrong`."""

    name: str
    hints: tuple[str, ...]
    grade: Callable[[Any], str]


_registered: dict[str, Exercise] = {}


def register(name: str, *hints: str) -> Callable:
    """Makes the decorated grader the exercise `name`, such as "01.2"."""

    def keep(grade: Callable[[Any], str]) -> Callable[[Any], str]:
        _registered[name] = Exercise(name, hints, grade)
        return grade

    return keep


def require(condition: bool, reason: str) -> None:
    """Raises Wrong with its reason, which tells the reader what to mend, unless the condition holds."""
    if not condition:
        raise Wrong(reason)


def exercises(chapter: str) -> dict[str, Exercise]:
    """The exercises of a chapter, "01" for one. ValueError if it has none."""
    try:
        import_module(f"course_lib.exercises.chapter_{chapter}")
    except ModuleNotFoundError as error:
        if error.name != f"course_lib.exercises.chapter_{chapter}":
            raise
        raise ValueError(f"there is no chapter {chapter!r} with exercises; chapters are named '00', '01', …") from None
    return {name: exercise for name, exercise in _registered.items() if name.startswith(f"{chapter}.")}


def _find(name: str) -> Exercise:
    known = exercises(name.split(".")[0])
    if name not in known:
        raise ValueError(f"there is no exercise {name!r}; this chapter has {', '.join(known)}")
    return known[name]


def check(name: str, answer: Any) -> None:
    """Prints whether `answer` solves exercise `name`, and the reason. Never raises because an answer is wrong.

    A tuple with `...` in it waits. A right answer is remembered for `progress`, unless it is the chapter's worked solution.
    """
    exercise = _find(name)
    if any(part is ... for part in (answer if isinstance(answer, tuple) else (answer,))):
        print(f"○ {name} is waiting for your answer; hint({name!r}) helps.")
        return
    try:
        print(f"✓ {name} is right. {exercise.grade(answer)}")
    except Wrong as reason:
        print(f"✗ {name} is not right yet: {reason}")
    except Exception as error:  # an answer is the reader's code: it may fail in any way
        print(f"✗ {name} is not right yet: your answer stopped with {type(error).__name__}: {error}")
    else:
        if not shows_the_solution():
            remember(name)
            print(f"  {_standing(name[:2])}")


def hint(name: str, number: int = 1) -> None:
    """Prints hint `number`, counted from 1, of exercise `name`."""
    hints = _find(name).hints
    if not 1 <= number <= len(hints):
        raise ValueError(f"exercise {name} has hints 1 to {len(hints)}, not {number}")
    more = f" (hint({name!r}, {number + 1}) says more)" if number < len(hints) else ""
    print(f"{hints[number - 1]}{more}")


def _standing(chapter: str) -> str:
    known, done = exercises(chapter), solved()
    left = [name for name in known if name not in done]
    return f"{chapter}: {len(known) - len(left)} of {len(known)} solved, " + (f"left {', '.join(left)}" if left else "all")


def progress() -> None:
    """Prints, chapter by chapter, which exercises you have solved, today or earlier, and which are left."""
    for chapter in sorted({name[:2] for name in solved()}):
        with suppress(ValueError):  # a file of some other name
            print(_standing(chapter))
    if not solved():
        print("None solved yet: fill in the `...` of an exercise and run its cell.")
