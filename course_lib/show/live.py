"""What grows while one waits, and stays as it was at the end: the learning curve of a training, the table of a survey."""

from collections.abc import Callable, Mapping, Sequence
from time import perf_counter

import matplotlib.pyplot as plt
import pandas as pd
from IPython.display import display, update_display
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator

from course_lib.show.presenting import bundle, require_alt
from course_lib.show.tables import LOOK, table_bundle

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
            axes.yaxis.set_major_locator(LogLocator(subs=(1, 1.5, 2, 3, 5, 7)))
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


def live_table(methods: Sequence[str], sizes: Sequence[int], seeds: Sequence[int],
               column: str) -> Callable[[pd.DataFrame], None]:
    """Show a table of fits that are yet to come, and return what a survey calls with its rows so far.

    Give it to `survey.run(…, progress=…)`. A row a method, a column a size: the median of `column` over the seeds that are
    finished, a dot where none is; the last column says how many fits there are, and which failed. Rows have columns method, n,
    seed, and `error` where they failed. Raises ValueError where nothing is asked for.
    """
    methods, sizes, seeds = list(methods), list(sizes), list(seeds)
    if not (methods and sizes and seeds):
        raise ValueError(f"a live table needs methods, sizes and seeds; got {methods}, {sizes}, {seeds}")
    each = len(sizes) * len(seeds)
    heads = ["method", *(f"n = {n}" for n in sizes), "fits"]

    def drawn(table: pd.DataFrame) -> dict[str, str]:
        wanted = table[table["method"].isin(methods) & table["n"].isin(sizes) & table["seed"].isin(seeds)]
        failed = wanted["error"].notna() if "error" in wanted else pd.Series(False, wanted.index)
        rows, looks = [], []
        for method in methods:
            mine, lost = wanted[(wanted["method"] == method) & ~failed], int(failed[wanted["method"] == method].sum())
            values = mine.groupby("n")[column].median() if column in mine else pd.Series(dtype=float)
            state = "✗" if lost else "✓" if len(mine) == each else "·"
            rows.append([method, *(f"{values[n]:.3g}" if n in values and pd.notna(values[n]) else "·" for n in sizes),
                         f"{state} {len(mine)} of {each}" + (f", {lost} failed" if lost else "")])
            looks.append(LOOK[state])
        return table_bundle(heads, rows, looks, f"{column}, median over seeds: {len(wanted)} of {each * len(methods)} fits")

    shown = display(drawn(pd.DataFrame(columns=["method", "n", "seed"])), raw=True, display_id=True)

    def follow(table: pd.DataFrame) -> None:
        if shown:  # in a notebook
            update_display(drawn(table), raw=True, display_id=shown.display_id)

    return follow
