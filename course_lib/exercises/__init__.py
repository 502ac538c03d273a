"""Exercises that check themselves and say why.

A chapter's module registers each exercise with its hints and a grader, which raises `Wrong` with the reason. In a
notebook, `check("01.2", answer)` prints the verdict and `hint("01.2")` helps; an answer still `...` is simply waiting.
`progress()` lists what you have solved, also after a restart.
"""

from course_lib.exercises.core import Exercise, Wrong, check, exercises, hint, progress, register, require

__all__ = ["Exercise", "Wrong", "check", "exercises", "hint", "progress", "register", "require"]
