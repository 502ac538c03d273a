"""Write a data set to `data/`: one file with its splits, and the SHA-256 and sizes in the card beside it.

Small sets are extended XYZ, which a person can read; large ones are npz with the frames end to end (data/README.md).
"""

import hashlib
import json
import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.io import write

from course_lib.structures.writing import whole

DATA = Path(__file__).resolve().parents[1]
SPLIT = ("train", "validation", "test")


def work_folder(name: str) -> Path:
    """Where a generator keeps finished points: `COURSE_WORK`, else `~/.cache/course_lib/generate`."""
    folder = Path(os.environ.get("COURSE_WORK", Path.home() / ".cache/course_lib/generate")) / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def publish(name: str, frames: list[Atoms], split_of: Callable[[Atoms], str]) -> None:
    """`data/<name>.extxyz` with `info['split']` on every frame; `data/<name>.json` gets frames and SHA-256."""
    for atoms in frames:
        atoms.info["split"] = split_of(atoms)
    path = DATA / f"{name}.extxyz"
    partial = path.with_suffix(".partial")
    write(partial, frames, format="extxyz")
    partial.rename(path)
    seal(name, path, [atoms.info["split"] for atoms in frames])


def publish_archive(name: str, frames: list[Atoms], split_of: Callable[[Atoms], str], positions: type = np.float32) -> None:
    """`data/<name>.npz` for molecules: positions (unless told) and forces in single precision, all else in double."""
    arrays = dict(counts=np.array([len(atoms) for atoms in frames], np.uint16),
                  split=np.array([split_of(atoms) for atoms in frames]),
                  numbers=np.concatenate([atoms.numbers for atoms in frames]).astype(np.uint8),
                  positions=np.concatenate([atoms.positions for atoms in frames]).astype(positions))
    labels = frames[0].calc.results if frames[0].calc else {}
    if "energy" in labels:
        arrays["energy"] = np.array([atoms.get_potential_energy() for atoms in frames])
    if "forces" in labels:
        arrays["forces"] = np.concatenate([atoms.get_forces() for atoms in frames]).astype(np.float32)
    if "dipole" in labels:
        arrays["dipole"] = np.array([atoms.get_dipole_moment() for atoms in frames])
    publish_arrays(name, arrays | {key: np.array([atoms.info[key] for atoms in frames]) for key in frames[0].info})


def publish_arrays(name: str, arrays: dict[str, np.ndarray]) -> None:
    """`data/<name>.npz` of these arrays; `split` (M,) is one of them."""
    path = DATA / f"{name}.npz"
    with whole(path) as file:
        np.savez_compressed(file, **arrays)
    seal(name, path, arrays["split"].tolist())


def seal(name: str, path: Path, splits: list[str]) -> None:
    """Write what the file is now into its card, which a person wrote."""
    card_path = DATA / f"{name}.json"
    card = json.loads(card_path.read_text(encoding="utf-8"))
    count = Counter(splits)
    card.update(file=path.name, frames={part: count[part] for part in SPLIT},
                sha256=hashlib.sha256(path.read_bytes()).hexdigest())
    with whole(card_path) as file:
        file.write((json.dumps(card, indent=2, ensure_ascii=False) + "\n").encode())
    print(f"{name}: {dict(count)}, {path.stat().st_size / 1e6:.2f} MB")
