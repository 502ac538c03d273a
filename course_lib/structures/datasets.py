"""The shipped data sets: structures with labels, splits fixed in the file, and a card that says where they come from.

A set is `<name>.extxyz` or `<name>.npz` beside its card `<name>.json` in the folder `data/` of the repository, or in the
folder named by the environment variable COURSE_DATA. Its SHA-256 is compared with the card's every time it is read.
"""

import hashlib
import html
import json
import os
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from difflib import get_close_matches
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.calculators.calculator import all_properties
from ase.calculators.singlepoint import SinglePointCalculator
from ase.io import read

SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class Card:
    """What a person must know before using a data set; read from its JSON file.

    `units` maps every label to its unit and meaning, `frames` every split to its size; `method` is one of DFT, CCSD(T),
    semi-empirical and so on, `level_of_theory` the whole of it. `reference` holds numbers which the same level gives for what
    a learned potential is asked to predict (elastic constants, frequencies), where there are any.
    """

    title: str
    description: str
    method: str
    level_of_theory: str
    engine: str
    sampling: str
    units: Mapping[str, str]
    split: str
    provenance: str
    licence: str
    citation: str
    references: tuple[str, ...]
    frames: Mapping[str, int]
    file: str
    sha256: str
    reference: Mapping[str, float] = field(default_factory=dict)

    def _lines(self) -> dict[str, str]:
        return {name.replace("_", " "): "; ".join(f"{key}: {entry}" for key, entry in value.items())
                if isinstance(value, dict) else "; ".join(value) if isinstance(value, tuple) else value
                for name, value in vars(self).items() if name not in ("title", "sha256") and value}

    def __repr__(self) -> str:
        return "\n".join([self.title, *(f"  {name}: {text}" for name, text in self._lines().items())])

    def _repr_html_(self) -> str:
        rows = "".join(f"<tr><th style='text-align:left;vertical-align:top'>{name}</th>"
                       f"<td style='text-align:left'>{html.escape(text)}</td></tr>" for name, text in self._lines().items())
        return f"<table><caption>{html.escape(self.title)}</caption>{rows}</table>"


@dataclass(frozen=True, repr=False)
class Dataset:
    """Frames as `ase.Atoms`, labels on them as ASE carries them; `card` says what they are and in which units."""

    name: str
    card: Card
    train: list[Atoms]
    validation: list[Atoms]
    test: list[Atoms]

    def __repr__(self) -> str:
        sizes = ", ".join(f"{len(getattr(self, part))} {part}" for part in SPLITS)
        return f"Dataset {self.name}: {self.card.title} ({sizes})"


def load(name: str) -> Dataset:
    """The data set `name`, its file verified.

    Energies (eV), forces (eV/Å) and dipoles (e·Å) are in each frame's calculator, every other label in `info` (one a
    frame) or `arrays` (one an atom), in the units its card states.
    Raises ValueError for an unknown name, a broken card or a file that is not the one the card describes, and
    FileNotFoundError when the file is gone.
    """
    card, path = verified(name)
    if holds_images(card):
        raise ValueError(f"data set {name!r} holds images, not structures: load_images({name!r}).")
    frames = read(path, ":") if path.suffix == ".extxyz" else _read_archive(path)
    parts = {part: [] for part in SPLITS}
    for atoms in frames:
        parts[atoms.info.pop("split")].append(atoms)
    return Dataset(name, card, **parts)


def holds_images(card: Card) -> bool:
    return "images" in card.units


def verified(name: str) -> tuple[Card, Path]:
    """The card of `name`, and its file, which is the one the card describes."""
    folder = data_folder()
    known = _names(folder)
    if name not in known:
        near = get_close_matches(str(name), known, n=1)
        raise ValueError(f"no data set is called {name!r}; {f'did you mean {near[0]!r}? ' if near else ''}"
                         f"In {folder} there are: {', '.join(known)}.")
    card = _card(folder / f"{name}.json")
    path = folder / card.file
    if not path.is_file():
        raise FileNotFoundError(f"data set {name!r}: {path} is missing, only its card is there; "
                                f"get the file from the repository again, or make it with {card.provenance}.")
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != card.sha256:
        raise ValueError(f"data set {name!r}: {path} is damaged or another version: its SHA-256 is {digest[:12]}…, the card "
                         f"says {card.sha256[:12]}…; get both files from the repository again (`git checkout -- data`).")
    return card, path


def datasets() -> "pandas.DataFrame":  # noqa: F821
    """One row a data set: title, method, level of theory, frames of every split, labels, licence, and kilobytes."""
    import pandas  # half a second, which `load` need not pay

    folder = data_folder()
    cards = {name: _card(folder / f"{name}.json") for name in _names(folder)}
    table = {name: {"title": card.title, "method": card.method, "level of theory": card.level_of_theory, **card.frames,
                    "labels": ", ".join(label for label in card.units if label != "positions"), "licence": card.licence,
                    "kB": round((folder / card.file).stat().st_size / 1000) if (folder / card.file).is_file() else None}
             for name, card in cards.items()}
    return pandas.DataFrame.from_dict(table, orient="index").rename_axis("name")


def data_folder() -> Path:
    """The repository's `data`, or COURSE_DATA. Raises FileNotFoundError where there is none."""
    folder = Path(os.environ.get("COURSE_DATA") or Path(__file__).resolve().parents[2] / "data")
    if not folder.is_dir():
        raise FileNotFoundError(f"no folder of data sets at {folder}; set COURSE_DATA to the repository's folder `data`.")
    return folder


def _names(folder: Path) -> list[str]:
    return sorted(path.stem for path in folder.glob("*.json"))


def _card(path: Path) -> Card:
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
        known = {entry.name: entry.default_factory is MISSING for entry in fields(Card)}
        missing = sorted(name for name, required in known.items() if required and name not in entries)
        unknown = sorted(entries.keys() - known)
    except (ValueError, AttributeError) as reason:
        raise ValueError(f"the card {path} is broken: {reason}") from reason
    if missing or unknown:
        raise ValueError(f"the card {path} is broken: missing {missing}, unknown {unknown}.")
    return Card(**entries | {"references": tuple(entries["references"])})


def _read_archive(path: Path) -> list[Atoms]:
    """Molecules stored end to end: `counts` (M,), `numbers` (N,), `positions` (N,3), and labels by frame or by atom.

    Vectors and tensors a frame are arrays (M,3) and (M,3,3) in the file, numpy arrays on the frame.
    """
    with np.load(path, allow_pickle=False) as file:
        arrays = {key: file[key] for key in file.files}
    ends = np.cumsum(arrays.pop("counts").astype(int))
    per_atom = {key: np.split(value.astype(np.float64) if value.dtype == np.float32 else value, ends[:-1])
                for key, value in arrays.items()
                # of lone atoms as many as frames: length alone cannot tell
                if len(value) == ends[-1] and (ends[-1] > len(ends) or key in ("numbers", "positions", "forces"))}
    per_frame = {key: value.tolist() if value.ndim == 1 else list(value)
                 for key, value in arrays.items() if key not in per_atom}
    frames = []
    for index in range(len(ends)):
        of_atoms = {key: parts[index] for key, parts in per_atom.items()}
        of_frame = {key: values[index] for key, values in per_frame.items()}
        atoms = Atoms(of_atoms.pop("numbers"), of_atoms.pop("positions"))
        results = {key: labels.pop(key) for labels in (of_atoms, of_frame) for key in all_properties if key in labels}
        atoms.calc = SinglePointCalculator(atoms, **results)
        atoms.arrays.update(of_atoms)
        atoms.info.update(of_frame)
        frames.append(atoms)
    return frames
