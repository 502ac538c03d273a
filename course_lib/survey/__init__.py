"""Floor 4, part VI: every method on the same data, and what each of them costs.

`METHODS` says what each claims, `run` measures: errors against the number of training frames, seconds, memory, the audit, and
how long dynamics last. A method of your own, `register`ed or not, runs beside them.
"""

from course_lib.survey.measuring import measure
from course_lib.survey.registry import METHODS, Method, methods, network, register
from course_lib.survey.results import read
from course_lib.survey.running import run

__all__ = ["METHODS", "Method", "measure", "methods", "network", "read", "register", "run"]
