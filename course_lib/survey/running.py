"""Every method, every number of training frames, every seed: fits run one after another, on all cores, or on a cluster.

joblib does the work, so that `joblib.parallel_config` chooses where: processes of this machine, or with backend "dask" the
workers of a cluster. What is finished is in the table and is never run again; a worker that dies costs the fit it was at.
"""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures.process import BrokenProcessPool
from os import PathLike

import pandas as pd
from joblib import Parallel, delayed
from tqdm import tqdm

from course_lib.structures import Dataset, load
from course_lib.survey.measuring import Row, measure
from course_lib.survey.registry import METHODS, Method
from course_lib.survey.results import Results, key_of, surroundings

DEATHS = 3
"""Workers that may die in a row without a finished fit between them."""

Progress = bool | Callable[[pd.DataFrame], object]


def run(methods: Iterable[str | Method], dataset: str | Dataset, sizes: Sequence[int], seeds: Sequence[int], *,
        table: str | PathLike | None = None, jobs: int | None = None, steps: int = 1000,
        progress: Progress = True) -> pd.DataFrame:
    """The rows (`measuring.measure`) of all fits asked for, in the order method, n, seed; those which fail have an `error`.

    methods: names of `METHODS`, or your own
    table: a CSV file that gets every row as it is finished; what it holds already is not run again, but what failed is
    jobs: processes; None: as `joblib.parallel_config` says, else one
    steps: of dynamics for each fit with forces
    progress: a bar, or a function that is called with the table so far whenever a row is new

    Raises ValueError for an unknown method, one that the data set does not suit, two of one name, and sizes beyond the
    training set; RuntimeError if workers die again and again, or while another run writes the table.
    """
    data = load(dataset) if isinstance(dataset, str) else dataset
    chosen = checked(methods, data, sizes, seeds)
    keys = {(data.name, name, n, seed): method for name, method in chosen.items() for n in sizes for seed in seeds}
    with Results(table) as results, tqdm(total=len(keys), unit="fit", disable=progress is not True) as bar:
        bar.update(sum(results.has(*key) for key in keys))
        deaths, tried = 0, set()
        while pending := [key for key in keys if not results.has(*key) and key not in tried]:
            calls = (delayed(measured)(keys[key], data, *key[2:], steps) for key in pending)
            try:
                for row in Parallel(n_jobs=jobs, return_as="generator_unordered")(calls):
                    results.add(row)
                    tried.add(key_of(row))
                    deaths = 0
                    bar.update()
                    if callable(progress):
                        progress(results.table())
            except BrokenProcessPool as error:
                deaths += 1
                if deaths == DEATHS:
                    raise RuntimeError(f"workers died {DEATHS} times in a row, out of memory perhaps, with {len(pending)} fits "
                                       f"to go, the first of them {pending[0]}; take fewer jobs") from error
        rows = {key_of(row): row for row in results.rows}
        return pd.DataFrame([rows[key] for key in keys])


def checked(methods: Iterable[str | Method], data: Dataset, sizes: Sequence[int], seeds: Sequence[int]) -> dict[str, Method]:
    """The methods by name. Raises as `run` does."""
    methods = list(methods)
    if unknown := [m for m in methods if isinstance(m, str) and m not in METHODS]:
        raise ValueError(f"no method is called {unknown[0]!r}; there are {', '.join(METHODS)}")
    chosen = [METHODS[m] if isinstance(m, str) else m for m in methods]
    if len({m.name for m in chosen}) < len(chosen):
        raise ValueError(f"two methods have one name: {[m.name for m in chosen]}")
    if not (chosen and len(sizes) and len(seeds)):
        raise ValueError(f"a survey needs methods, sizes and seeds; got {[m.name for m in chosen]}, {sizes}, {seeds}")
    if wrong := [n for n in sizes if not 1 <= n <= len(data.train)]:
        raise ValueError(f"sizes {wrong} cannot be drawn from {len(data.train)} training frames of {data.name}")
    if unfit := [m.name for m in chosen if not m.suits(data)]:
        raise ValueError(f"{', '.join(unfit)} cannot learn {data.name}: leave out, or take another data set")
    return {m.name: m for m in chosen}


def measured(method: Method, data: Dataset, n: int, seed: int, steps: int) -> Row:
    """What a worker does: a row, whatever happens."""
    row = {"data set": data.name, "method": method.name, "n": n, "seed": seed}
    try:
        row |= measure(method, data, n, seed, steps=steps)
    except Exception as error:  # a method is anybody's code; others shall go on
        row["error"] = f"{type(error).__name__}: {error}"
    return row | {"made by": surroundings()}
