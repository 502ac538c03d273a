"""The audit: does a model keep the word it gives? Measured, one row a class of group element.

For random g of each class, |f(ρ_in(g) x) − ρ_out(g) f(x)| is taken relative to the largest |f(x)|. The tolerance is a
few thousand rounding errors of the output's dtype, 9·10⁻¹³ in float64 and 5·10⁻⁴ in float32: a broken symmetry shows as an
error of order one, an exact one as rounding. A model that adds large terms of both signs multiplies rounding errors, and
says by how much in its attribute `amplification`, Σ|terms| / |Σ terms| where it is largest; the tolerance grows by it, up
to the square root of the rounding error.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from ase import Atoms

from course_lib.structures.validation import check_structures
from course_lib.symmetry.declaration import Symmetry
from course_lib.symmetry.groups import random_improper, random_permutation, random_rotations

ROUNDINGS = 4096
"""How many rounding errors an exact model may add up."""

NOT_TESTED = "not tested: no frame can tell"

Moved = tuple[Atoms, np.ndarray, np.ndarray]  # the moved frame, its R of O(3), and which atom each atom now is


def _moved(atoms: Atoms, *, linear: np.ndarray | None = None, shift: np.ndarray | float = 0.0,
           order: np.ndarray | None = None) -> Moved:
    linear = np.eye(3) if linear is None else linear
    order = np.arange(len(atoms)) if order is None else order
    moved = atoms[order]  # with every scalar an atom carries
    moved.set_cell(atoms.cell[:] @ linear.T)
    moved.positions = ((atoms.positions + shift) @ linear.T)[order]
    return moved, linear, order


def _permuted(atoms: Atoms, rng: np.random.Generator) -> Moved:
    order = random_permutation(atoms.numbers, rng)
    return _permuted(atoms, rng) if (order == np.arange(len(atoms))).all() else _moved(atoms, order=order)


def _images(atoms: Atoms, rng: np.random.Generator) -> Moved:
    offsets = rng.integers(-2, 3, size=(len(atoms), 3)) * atoms.pbc
    if (offsets == offsets[0]).all():  # a translation
        return _images(atoms, rng)
    return _moved(atoms, shift=offsets @ atoms.cell[:])


def _dimensions(atoms: Atoms) -> int:
    """Of the space that atoms and cell span: a rotation cannot be told of a point, nor an inversion of what is flat."""
    return np.linalg.matrix_rank(np.vstack([atoms.positions - atoms.positions.mean(axis=0), atoms.cell[atoms.pbc]]), 1e-6)


CLASSES: dict[str, tuple[str, Callable[[Atoms, np.random.Generator], Moved], Callable[[Atoms], bool]]] = {
    "permutation of like atoms": (
        "permutation", _permuted,
        lambda a: len(set(a.numbers)) < len(a)),
    "translation": ("translation", lambda a, rng: _moved(a, shift=rng.normal(scale=3, size=3)), lambda a: True),
    "proper rotation": (
        "rotation", lambda a, rng: _moved(a, linear=random_rotations(1, rng)[0]), lambda a: _dimensions(a) > 0),
    "inversion, reflection": (
        "inversion", lambda a, rng: _moved(a, linear=random_improper(1, rng)[0]), lambda a: _dimensions(a) == 3),
    "periodic image": ("periodic", _images, lambda a: a.pbc.any() and len(a) > 1),
}
"""A row's name, the field of `Symmetry` that declares it, how a frame is moved, and which frames can tell."""


def _turned(output: str, values: np.ndarray, linear: np.ndarray) -> np.ndarray:
    """ρ_out(R) y for y with its spatial axes last."""
    if output.startswith("pseudo"):
        values, output = values * np.round(np.linalg.det(linear)), output.removeprefix("pseudo")
    match output:
        case "scalar":
            return values
        case "vector":
            return values @ linear.T
        case "tensor":
            return linear @ values @ linear.T
    raise ValueError(f"no rule for turning an output called {output!r}")


@dataclass(frozen=True)
class _Output:
    """One thing a model says of each frame: how it turns, whether it has a row an atom, and its values."""

    kind: str
    per_atom: bool
    values: list[np.ndarray]

    def expected(self, frame: int, linear: np.ndarray, order: np.ndarray) -> np.ndarray:
        """ρ_out(g) of the value for `frame`."""
        values = self.values[frame]
        return _turned(self.kind, values[order] if self.per_atom else values, linear)


def _outputs(model, frames: Sequence[Atoms], kind: str) -> list[_Output]:
    said = next((getattr(model, name) for name in ("predict", "transform") if hasattr(model, name)), model)(list(frames))
    if hasattr(said, "energies"):
        parts = [("scalar", False, said.energies), ("vector", True, said.forces), ("tensor", False, said.stresses)]
        return [_Output(kind, rows, [np.asarray(y) for y in values]) for kind, rows, values in parts if values is not None]
    said = np.asarray(said)
    said = said if np.issubdtype(said.dtype, np.floating) else said.astype(float)
    sizes = [len(atoms) for atoms in frames]
    if len(said) == len(frames):
        return [_Output(kind, False, list(said))]
    if len(said) == sum(sizes):
        return [_Output(kind, True, np.split(said, np.cumsum(sizes)[:-1]))]
    raise ValueError(f"the model gave {len(said)} rows for {len(frames)} frames of {sum(sizes)} atoms; "
                     "it must give a row a frame or a row an atom")


def _verdict(declared: bool, error: float, tolerance: float) -> str:
    if error <= tolerance:
        return "kept" if declared else "kept, not claimed"
    return "BROKEN" if declared else "not claimed"


def audit(model, frames: Sequence[Atoms], *, symmetry: Symmetry | None = None, samples: int = 4,
          seed: int = 0) -> pd.DataFrame:
    """A row for each class of group element: declared, measured error, tolerance of the output's dtype, verdict.

    `model` has `predict(frames)` (a potential) or `transform(frames)` (a feature map), or is a function of frames that
    returns an array with a row a frame, or a row an atom. What it claims is `model.symmetry` unless given. `samples`
    random elements are tried on every frame that can tell the difference. Raises ValueError for empty or broken frames.
    """
    check_structures(frames)
    symmetry = model.symmetry if symmetry is None else symmetry
    rng = np.random.default_rng(seed)
    before = _outputs(model, frames, symmetry.output)
    scales = [max(np.abs(y).max(initial=np.finfo(float).tiny) for y in output.values) for output in before]
    scales = [max(scale, 1e-2 * scales[0]) for scale in scales]  # forces that vanish by symmetry are measured by energy/Å
    rounding = max(float(np.finfo(y.dtype).eps) for output in before for y in output.values)
    allowed = ROUNDINGS * rounding
    tolerance = min(max(allowed, min(allowed * getattr(model, "amplification", 1.0), rounding**0.5)), 1e-2)
    rows = []
    for element, (field, move, tells) in CLASSES.items():
        chosen = [i for i, atoms in enumerate(frames) if tells(atoms) for _ in range(samples)]
        moves = [move(frames[i], rng) for i in chosen]
        after = _outputs(model, [atoms for atoms, _, _ in moves], symmetry.output) if moves else []
        errors = [np.abs(value - output.expected(i, linear, order)).max(initial=0) / scale
                  for output, now, scale in zip(before, after, scales, strict=bool(moves))
                  for i, value, (_, linear, order) in zip(chosen, now.values, moves, strict=True)]
        declared, error = getattr(symmetry, field), float(np.max(errors)) if errors else np.nan
        rows.append((element, declared, error, tolerance, _verdict(declared, error, tolerance) if errors else NOT_TESTED))
    return pd.DataFrame(rows, columns=["element", "declared", "error", "tolerance", "verdict"])
