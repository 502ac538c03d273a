"""One file for one fitted estimator: its arrays as safetensors, the rest as JSON in the header. Never pickle, so a
file from a stranger runs no code.

The header holds a description of the estimator (class, constructor parameters, attributes that end in an underscore;
estimators within estimators likewise), the version of this format, and the SHA-256 of everything, so that damage is
noticed on loading. The file is written beside its place and then renamed: a full disk leaves the old file.
"""

import hashlib
import importlib
import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save as to_safetensors
from sklearn.base import BaseEstimator

from course_lib.structures.writing import whole

FORMAT = 1
LIBRARIES = ("course_lib", "sklearn")
"""Whose modules a file may name for import; another module's class must have been imported before."""


def save(estimator: BaseEstimator, path: str | os.PathLike, notes: Mapping[str, Any] | None = None) -> None:
    """Write a fitted estimator, and `notes` of how it came about, which must be JSON. Raises TypeError for an attribute that
    is neither number, text, array, list, tuple, dict nor such an estimator, is of a class derived from these, or could not be
    found by its name again; and OSError where the file cannot be written. What was there before stays untouched.
    """
    arrays: dict[str, np.ndarray] = {}
    description = json.dumps(_described(estimator, type(estimator).__name__, arrays))
    remarks = json.dumps(dict(notes), ensure_ascii=False) if notes else ""
    header = {"format": str(FORMAT), "estimator": description, "notes": remarks,
              "sha256": _digest(description + remarks, arrays)}
    content = to_safetensors(arrays, metadata=header)
    with whole(path) as file:
        file.write(content)


def notes(path: str | os.PathLike) -> dict[str, Any]:
    """The notes of a checkpoint, {} where there are none, without its arrays. Raises as `load` does for what it reads."""
    with _opened(path) as file:
        text = (file.metadata() or {}).get("notes") or "{}"
    try:
        return json.loads(text)
    except ValueError as error:
        raise ValueError(f"{path} is damaged: its notes are no JSON ({error}); copy or train it again") from error


def load(path: str | os.PathLike, expected: type[BaseEstimator]) -> Any:
    """Read an instance of `expected` or of a class derived from it. Raises FileNotFoundError, and ValueError for a
    damaged file, a newer format, another class, or constructor parameters that this version of the class refuses.
    """
    with _opened(path) as file:
        header, arrays = file.metadata() or {}, {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    if not header.keys() >= {"format", "estimator", "notes", "sha256"}:
        raise ValueError(f"{path} is a safetensors file, but was not written by course_lib")
    if not header["format"].isdigit() or int(header["format"]) > FORMAT:
        raise ValueError(f"{path} has format {header['format']}, this course_lib reads up to {FORMAT}; update course_lib")
    if header["sha256"] != _digest(header["estimator"] + header["notes"], arrays):
        raise ValueError(f"{path} is damaged: its content does not have the SHA-256 it was written with; "
                         "copy or train it again")
    description = json.loads(header["estimator"])
    if not issubclass(_class(description["class"], path), expected):
        raise ValueError(f"{path} holds a {description['class']}, not a {expected.__name__}; load it by its own class")
    return _restored(description, arrays, path)


@contextmanager
def _opened(path: str | os.PathLike) -> Iterator[Any]:
    try:
        with safe_open(path, framework="numpy") as file:
            yield file
    except SafetensorError as error:
        raise ValueError(f"{path} is no safetensors file, or was cut short ({error}); copy or train it again") from error


def _digest(description: str, arrays: dict[str, np.ndarray]) -> str:
    digest = hashlib.sha256(description.encode())
    for name, array in sorted(arrays.items()):
        digest.update(f"{name} {array.dtype.name} {array.shape}".encode() + array.tobytes())
    return digest.hexdigest()


def _described(value: Any, place: str, arrays: dict[str, np.ndarray]) -> Any:
    """`value` in JSON's words; its arrays go into `arrays` under the place where they were found."""
    match value:
        case np.generic() if isinstance(value.item(), (bool, int, float, str)):
            return value.item()
        case None | bool() | int() | float() | str() if type(value) in (type(None), bool, int, float, str):
            return value
        case np.ndarray() if type(value) is np.ndarray and value.dtype.kind in "biuf" and value.dtype.itemsize <= 8:
            arrays[place] = value.astype(value.dtype.newbyteorder("<"), order="C")
            return {"array": place}
        case list() | tuple() if type(value) in (list, tuple):
            return {type(value).__name__: [_described(v, f"{place}[{i}]", arrays) for i, v in enumerate(value)]}
        case dict() if type(value) is dict:
            return {"dict": [[_described(k, place, arrays), _described(v, f"{place}[{k!r}]", arrays)]
                             for k, v in value.items()]}
        case BaseEstimator() if getattr(sys.modules[type(value).__module__], type(value).__qualname__, None) is type(value):
            fitted = {k: v for k, v in vars(value).items() if k.endswith("_")}
            return {"class": f"{type(value).__module__}:{type(value).__qualname__}"} | {
                part: {k: _described(v, f"{place}.{k}", arrays) for k, v in values.items()}
                for part, values in (("parameters", value.get_params(deep=False)), ("fitted", fitted))}
    kind = f"ndarray of {value.dtype}" if type(value) is np.ndarray else type(value).__qualname__
    raise TypeError(f"{place} is a {kind}, which a checkpoint cannot hold; numbers, text, arrays of numbers up to 64 bits, "
                    "lists, tuples, dicts and estimators it can, their classes defined at the top of a module")


def _restored(value: Any, arrays: dict[str, np.ndarray], path: str | os.PathLike) -> Any:
    match value:
        case {"array": place}:
            return arrays[place]
        case {"list": values}:
            return [_restored(v, arrays, path) for v in values]
        case {"tuple": values}:
            return tuple(_restored(v, arrays, path) for v in values)
        case {"dict": items}:
            return {_restored(k, arrays, path): _restored(v, arrays, path) for k, v in items}
        case {"class": name, "parameters": parameters, "fitted": fitted}:
            try:
                estimator = _class(name, path)(**{k: _restored(v, arrays, path) for k, v in parameters.items()})
            except TypeError as error:
                raise ValueError(f"{path} was written by another version of {name}: {error}") from error
            for attribute, v in fitted.items():
                setattr(estimator, attribute, _restored(v, arrays, path))
            return estimator
    return value


def _class(name: str, path: str | os.PathLike) -> type[BaseEstimator]:
    module, qualname = name.split(":")
    if module.split(".")[0] in LIBRARIES:
        with suppress(ModuleNotFoundError):
            importlib.import_module(module)
    found = getattr(sys.modules.get(module), qualname, None)
    if not (isinstance(found, type) and issubclass(found, BaseEstimator)):
        raise ValueError(f"{path} holds a {name}, which is not known here; import the module that defines it first")
    return found
