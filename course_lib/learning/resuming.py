"""An interrupted training goes on where it stood: what the loop must know, in one file, written whole after every epoch.

The file is a checkpoint like any other (`course_lib.learning.checkpoint`: safetensors and JSON, checked by SHA-256). It says
whose training it holds, so that another network, data set or setting is refused and never mixed in.
"""

import hashlib
from collections.abc import Iterator, Mapping
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.base import BaseEstimator

from course_lib.learning import checkpoint


class TrainingState(BaseEstimator):
    """`identity_`: whose training this is, texts by name; `state_`: what its loop must know, arrays for tensors."""


def keep(path: str | PathLike, identity: Mapping[str, str], state: Mapping[str, Any]) -> None:
    """Write the state, tensors anywhere in its dicts and lists; an interruption leaves the file of the epoch before."""
    record = TrainingState()
    record.identity_, record.state_ = dict(identity), _replaced(state, torch.Tensor, lambda t: t.numpy(force=True))
    checkpoint.save(record, path)


def recall(path: str | PathLike, identity: Mapping[str, str]) -> dict[str, Any] | None:
    """The state kept in `path`, or None where there is no such file. Raises ValueError for the training of something else,
    saying what differs, and for a damaged file.
    """
    if not Path(path).exists():
        return None
    record = checkpoint.load(path, TrainingState)
    for name in identity | record.identity_:
        was, now = (which.get(name, "none") for which in (record.identity_, identity))
        if was != now:
            raise ValueError(f"{path} holds an unfinished training of another kind: {name} was {was}, now it is {now}; "
                             "go on with the old one, or give another file, or delete this one")
    return _replaced(record.state_, np.ndarray, lambda array: torch.from_numpy(array.copy()))


def identified(given: Mapping[str, Any], network: torch.nn.Module, **data: Any) -> dict[str, str]:
    """Settings as text; first weights and data, which are long, as the first digits of their SHA-256."""
    long = {"first weights": network.state_dict()} | data
    return {name: repr(value) for name, value in given.items()} | {
        name: hashlib.sha256(b"".join(_pieces(value))).hexdigest()[:12] for name, value in long.items()}


def _pieces(value: Any) -> Iterator[bytes]:
    match value:
        case torch.Tensor():
            yield from _pieces(value.numpy(force=True))
        case np.ndarray():
            yield f"{value.dtype}{value.shape}".encode() + value.tobytes()
        case list() | tuple():
            yield f"{len(value)} items".encode()
            for part in value:
                yield from _pieces(part)
        case dict():
            yield from _pieces(list(value.items()))
        case _ if hasattr(value, "__dict__"):
            yield from _pieces(vars(value))
        case _:
            yield repr(value).encode()


def _replaced(value: Any, kind: type, by) -> Any:
    match value:
        case kind():
            return by(value)
        case dict():
            return {name: _replaced(part, kind, by) for name, part in value.items()}
        case list() | tuple():
            return type(value)(_replaced(part, kind, by) for part in value)
    return value
