"""A learning curve that grows while a network trains, and stays as it was at the end."""

from collections.abc import Callable, Mapping, Sequence
from time import perf_counter

import matplotlib.pyplot as plt
from IPython.display import display, update_display
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator

from course_lib.show.presenting import bundle, require_alt

Rows = Sequence[Mapping[str, float]]
SECONDS = 1.0  # between two pictures; the last is always drawn


def live_curve(epochs: int, names: Sequence[str], alt: str, *, ylabel: str = "error") -> Callable[[Rows], None]:
    """Show empty axes, and return what a training calls with its rows so far: then they hold the columns `names`, logarithmic.

    Give it to `fit(…, progress=…)`. `alt` describes the picture at the end. Raises ValueError for an empty alt text.
    """
    require_alt(alt)

    def draw(history: Rows) -> Figure:
        figure, axes = plt.subplots(figsize=(7.5, 3.6))
        for name in names:
            axes.plot(range(1, len(history) + 1), [row[name] for row in history], label=name)
        axes.set(xlim=(1, max(epochs, 2)), xlabel="epoch", ylabel=ylabel)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        if history:
            axes.set_yscale("log", subs=[])
            axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            axes.yaxis.set_major_formatter("{x:g}")
        axes.legend(loc="upper right")
        return figure

    data, metadata = bundle(draw([]), alt)
    shown, drawn = display(data, metadata=metadata, raw=True, display_id=True), perf_counter()

    def follow(history: Rows) -> None:
        nonlocal drawn
        if len(history) == epochs or perf_counter() - drawn > SECONDS:
            data, metadata = bundle(draw(history), alt)
            if shown:  # in a notebook
                update_display(data, metadata=metadata, raw=True, display_id=shown.display_id)
            drawn = perf_counter()

    return follow
