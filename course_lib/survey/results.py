"""The results table: a row a finished fit, in one CSV file that is whole at every moment and has one writer at a time."""

import os
import platform
from importlib.metadata import version
from os import PathLike
from pathlib import Path
from typing import Self

import pandas as pd
from filelock import FileLock, Timeout

from course_lib.structures.writing import unwritable, whole

KEY = ["data set", "method", "n", "seed"]


def key_of(row: dict) -> tuple[str, str, int, int]:
    """What tells one fit from another."""
    return tuple(row[name] for name in KEY)


def surroundings() -> str:
    """The machine and the versions that made a row."""
    packages = ", ".join(f"{name} {version(name)}" for name in ("course_lib", "torch", "numpy"))
    return f"{platform.machine()}, {os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}, {packages}"


class Results:
    """Rows in the order in which they were finished; with a `path`, what it holds already, and every new row at once.

    Used in a `with` block, which keeps other writers away. Raises ValueError for a file that is no such table,
    RuntimeError while another run writes it, and OSError where it cannot be written; what it holds stays.
    """

    def __init__(self, path: str | PathLike | None = None) -> None:
        self.path, self.rows = None if path is None else Path(path), []

    def __enter__(self) -> Self:
        if self.path:
            self._lock = FileLock(self.path.with_name(f".{self.path.name}.lock"))
            try:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                self._lock.acquire(timeout=0)
            except Timeout:
                raise RuntimeError(f"another run is writing {self.path}; wait for it, or give another table") from None
            except OSError as error:
                raise unwritable(self.path, error) from error
            try:
                self.rows = read(self.path).to_dict("records") if self.path.exists() else []
            except BaseException:
                self._lock.release()
                raise
        return self

    def __exit__(self, *_: object) -> None:
        if self.path:
            self._lock.release()

    def has(self, *key: str | int) -> bool:
        """Whether this fit is finished; one that failed is not."""
        return any(key_of(row) == key and not isinstance(row.get("error"), str) for row in self.rows)

    def add(self, row: dict) -> None:
        """A finished fit; one that failed before makes room for it."""
        self.rows = [old for old in self.rows if key_of(old) != key_of(row)] + [row]
        if self.path:
            with whole(self.path) as file:
                file.write(self.table().to_csv(index=False, float_format="%.6g").encode())

    def table(self) -> pd.DataFrame:
        table = pd.DataFrame(self.rows)
        first = [name for name in KEY if name in table]
        return table[first + [name for name in table if name not in first]]


def read(path: str | PathLike) -> pd.DataFrame:
    """A results table from its file. Raises FileNotFoundError, and ValueError where it is none."""
    try:
        table = pd.read_csv(path)
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} cannot be read as a table ({error}); delete it or restore it") from error
    if missing := [name for name in KEY if name not in table]:
        raise ValueError(f"{path} is no results table: it has no column {', '.join(missing)}; give another file")
    whole_numbers = table[["n", "seed"]].apply(pd.to_numeric, errors="coerce") % 1 == 0
    if not (sound := whole_numbers.all(axis=1) & table[KEY].notna().all(axis=1)).all():
        raise ValueError(f"{path} is damaged: line {sound.argmin() + 2} does not say which fit it is of; delete that line, and "
                         "the fit is done again")
    if not Path(path).read_bytes().endswith(b"\n"):
        raise ValueError(f"{path} is cut short in its last line, {len(table) + 1}; delete that line, and the fit is done "
                         "again, or end it with a line break if you know it to be whole")
    measured = [name for name in table if name.endswith(")")]  # what has a unit is real, also where all of it is whole
    try:
        return table.astype(dict.fromkeys(measured, float))
    except ValueError as error:
        raise ValueError(f"{path} is damaged, where numbers should be: {error}; delete that line or restore it") from error
