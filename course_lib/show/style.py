"""The house style: colours that colour-blind readers tell apart, letters that the last row reads.

The colours are those of Okabe and Ito, "Color Universal Design" (2008). Lines differ by their dashes and learning curves
by their markers too, so that nothing is said by colour alone.
"""

import matplotlib as mpl
from ase.data import atomic_numbers
from ase.data.colors import jmol_colors
from cycler import cycler
from matplotlib.colors import to_rgb

COLOURS = {"blue": "#0072B2", "vermillion": "#D55E00", "green": "#009E73", "purple": "#CC79A7", "orange": "#E69F00",
           "sky": "#56B4E9", "black": "#222222", "grey": "#8A8A8A"}
MARKERS = "osD^vPX*"
DIVERGING = "RdBu_r"  # negative blue, zero white, positive red: safe for every common colour blindness

_DASHES = ["-", (0, (5, 1.5)), (0, (1, 1.2)), (0, (6, 1.5, 1, 1.5)), (0, (9, 2)), (0, (2, 1)), "-", (0, (5, 1.5))]
_ELEMENTS = {"H": "#F4F1EA", "C": "#4A4F57", "N": "#2F6FC4", "O": "#D7402B", "F": "#6FBF73", "Si": "#D9A066",
             "P": "#E68A2E", "S": "#E3C22F", "Cl": "#3FA35B"}


def element_colour(element: str | int) -> tuple[float, float, float]:
    """RGB in [0, 1] of an element given by its symbol or atomic number: CPK hues, sharpened for a projector."""
    number = atomic_numbers[element] if isinstance(element, str) else element
    ours = {atomic_numbers[symbol]: colour for symbol, colour in _ELEMENTS.items()}
    return to_rgb(ours[number]) if number in ours else tuple(jmol_colors[number])


def apply_style() -> None:
    """Set matplotlib's defaults: 100 points an inch on the page, 125 pixels an inch in the stored picture."""
    mpl.rcParams.update({
        "figure.dpi": 100, "savefig.dpi": 125, "figure.figsize": (8, 4), "figure.constrained_layout.use": True,
        "font.size": 13, "axes.titlesize": 14, "axes.labelsize": 13, "legend.fontsize": 12, "figure.titlesize": 16,
        "xtick.labelsize": 12, "ytick.labelsize": 12,
        "axes.prop_cycle": cycler(color=list(COLOURS.values())) + cycler(linestyle=_DASHES),
        "axes.spines.top": False, "axes.spines.right": False, "axes.edgecolor": "#555555", "axes.axisbelow": True,
        "axes.grid": True, "grid.color": "#E4E4E4", "grid.linewidth": 0.8, "lines.linewidth": 2.2,
        "lines.markersize": 7, "legend.frameon": False, "image.cmap": "cividis", "mathtext.fontset": "dejavusans",
        "svg.hashsalt": "course_lib",
    })
