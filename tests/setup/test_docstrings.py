"""Every public name says what it is, a method its source, and a length its unit."""

import inspect
import re
import sys
from collections.abc import Iterator
from dataclasses import is_dataclass
from importlib import import_module
from pathlib import Path

import pytest

ROOMS = sorted(path.parent.name for path in (Path(__file__).parents[2] / "course_lib").glob("*/__init__.py"))
METHODS = ["polynomials", "kernels", "scattering", "point_clouds", "equivariant"]
SOURCE = re.compile(r"arXiv|\b(?:19|20)\d\d\b")
LENGTHS = ("cutoff",)  # arguments in Å, whoever has them


def public(rooms: list[str]) -> Iterator[tuple[str, object]]:
    for room in rooms:
        module = import_module(f"course_lib.{room}")
        for name in module.__all__:
            if callable(value := getattr(module, name)) and getattr(value, "__module__", "").startswith("course_lib"):
                yield f"{room}.{name}", value


def said(value: object) -> str:
    """A docstring of the object's own: not what a dataclass or a base class writes for it."""
    doc = inspect.cleandoc(vars(value).get("__doc__") or "" if isinstance(value, type) else value.__doc__ or "")
    return "" if doc.startswith(f"{value.__name__}(") else doc


def around(value: object) -> str:
    """What a reader of the object's file, and of those of the classes it is made of, has read about it."""
    kin = [part for part in inspect.getmro(value) if part is not object] if isinstance(value, type) else [value]
    return "\n".join(f"{getattr(sys.modules.get(part.__module__), '__doc__', '')}\n{said(part)}" for part in kin)


def without_words(objects: list[tuple[str, object]]) -> list[str]:
    return [name for name, value in objects if len(said(value)) < 20]


def without_source(objects: list[tuple[str, object]]) -> list[str]:
    methods = [(name, value) for name, value in objects if isinstance(value, type) and not is_dataclass(value)]
    return [name for name, value in methods if not SOURCE.search(around(value))]


def without_unit(objects: list[tuple[str, object]]) -> list[str]:
    def lengths(value: object) -> list[str]:
        if isinstance(value, type) and issubclass(value, Exception):
            return []
        return [argument for argument in inspect.signature(value).parameters if argument in LENGTHS]
    return [name for name, value in objects if lengths(value) and "Å" not in around(value)]


@pytest.mark.parametrize("room", ROOMS)
def test_every_room_says_what_it_is_and_so_does_every_public_name_in_it(room):
    assert len(import_module(f"course_lib.{room}").__doc__ or "") > 40
    assert without_words(list(public([room]))) == []


def test_every_method_names_its_source():
    assert without_source(list(public(METHODS))) == []


def test_every_length_has_its_unit():
    assert without_unit(list(public(ROOMS))) == []


def test_a_name_without_words_source_or_unit_is_found():
    class Nameless:
        def __init__(self, cutoff):
            self.cutoff = cutoff

    objects = [("Nameless", Nameless)]
    Nameless.__module__ = "json.scanner"  # a file that cites nobody
    assert without_words(objects) == without_source(objects) == without_unit(objects) == ["Nameless"]
