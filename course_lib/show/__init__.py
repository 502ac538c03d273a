"""Pictures of the course: every figure in one style, every figure with words for those who do not see it.

`show` draws and computes no science: it gets arrays, Atoms and tables. A plotting cell ends with `present(figure, alt)`,
or with `slider` or `view`, whose first frame is a still picture, so that a notebook reads on paper and on the web.
Importing `course_lib.show` sets the house style; the 3-D viewer is loaded when `view` is first called.
"""

from course_lib.show.live import live_curve, live_table
from course_lib.show.maps import scatter, structure_map
from course_lib.show.molecules import molecule
from course_lib.show.plots import learning_curves, matrix, orbit
from course_lib.show.presenting import present
from course_lib.show.sliders import slider
from course_lib.show.spheres import sphere
from course_lib.show.style import COLOURS, DIVERGING, MARKERS, apply_style, element_colour
from course_lib.show.surfaces import arrows, surface
from course_lib.show.tables import audit_table
from course_lib.show.viewer import view

__all__ = ["COLOURS", "DIVERGING", "MARKERS", "arrows", "audit_table", "element_colour", "learning_curves", "live_curve",
           "live_table", "matrix", "molecule", "orbit", "present", "scatter", "slider", "sphere", "structure_map", "surface",
           "view"]

apply_style()
