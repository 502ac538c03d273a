"""What every method asks of the frames it is given, asked once and answered in words: which frame, which atom, what to do."""

from collections.abc import Collection, Sequence

import numpy as np
from ase import Atoms
from ase.data import chemical_symbols


def check_structures(frames: Sequence[Atoms], species: Collection[int] | None = None) -> None:
    """Refuse what no model can use.

    Raises TypeError unless `frames` is a sequence of `ase.Atoms`; ValueError when it is empty, when a frame has no atoms, a
    position or cell that is not finite, an element outside `species` (atomic numbers), or periodic directions whose cell
    vectors span nothing.
    """
    if isinstance(frames, Atoms):
        raise TypeError("expected a list of structures, got one ase.Atoms; write [atoms].")
    if not hasattr(frames, "__len__"):
        raise TypeError(f"expected a list of structures, got a {type(frames).__name__}, which can be read only once; "
                        "write list(…).")
    frames = list(frames)
    if not frames:
        raise ValueError("the list of structures is empty; at least one ase.Atoms is needed.")
    for index, atoms in enumerate(frames):
        if not isinstance(atoms, Atoms):
            raise TypeError(f"frame {index} is a {type(atoms).__name__}, not an ase.Atoms.")
        if not len(atoms):
            raise ValueError(f"frame {index} has no atoms; leave it out.")
        if atoms.pbc.any() or atoms.cell.any():
            _check_cell(index, atoms)
    broken = ~np.isfinite(np.concatenate([atoms.positions for atoms in frames])).all(axis=1)
    if broken.any():
        index, atom = _locate(frames, broken)
        raise ValueError(f"frame {index}, atom {atom} ({frames[index].symbols[atom]}) has a position that is not finite: "
                         f"{frames[index].positions[atom].tolist()}; mend the frame or leave it out.")
    if species is not None:
        numbers = np.concatenate([atoms.numbers for atoms in frames])
        unknown = ~np.isin(numbers, list(species))
        if unknown.any():
            index, atom = _locate(frames, unknown)
            known = ", ".join(chemical_symbols[number] for number in sorted(species))
            raise ValueError(f"frame {index}, atom {atom} is {chemical_symbols[frames[index].numbers[atom]]}, which the model "
                             f"does not know; its species are {known}. Give the element to the model, or leave the frame out.")


def check_species(species: Collection[int]) -> None:
    """Raises ValueError unless `species` is one or more atomic numbers."""
    numbers = np.asarray(list(species))
    if numbers.dtype.kind not in "iu" or numbers.ndim != 1 or not (numbers > 0).all():
        raise ValueError(f"species is {species!r}; it must be a list of atomic numbers, as in [1, 6, 8].")


def check_labels(frames: Sequence[Atoms], labels: Collection[str] = ("energy", "forces")) -> None:
    """Raises ValueError unless each frame's calculator holds every one of `labels`, finite and for its present geometry."""
    for index, atoms in enumerate(frames):
        results = atoms.calc.results if atoms.calc is not None else {}
        missing = [label for label in labels if results.get(label) is None]
        if missing:
            raise ValueError(f"frame {index} carries no {' and no '.join(missing)}; attach labels with "
                             "ase.calculators.singlepoint.SinglePointCalculator(atoms, energy=…, forces=…).")
        if atoms != atoms.calc.atoms:
            raise ValueError(f"frame {index} was changed after it was labelled, so its labels belong to another geometry; "
                             "label it again.")
        for label in labels:
            shapes = {"forces": [(len(atoms), 3)], "stress": [(6,), (3, 3)]}.get(label)
            if shapes and np.shape(results[label]) not in shapes:
                raise ValueError(f"frame {index} has {label} of shape {np.shape(results[label])}; it must be "
                                 f"{' or '.join(map(str, shapes))}.")
            if not np.isfinite(results[label]).all():
                raise ValueError(f"frame {index} has a value in its {label} that is not finite; leave the frame out.")


def _check_cell(index: int, atoms: Atoms) -> None:
    cell = atoms.cell[:]
    if not np.isfinite(cell).all():
        raise ValueError(f"frame {index} has a cell that is not finite: {cell.tolist()}.")
    periodic = cell[atoms.pbc]
    lengths = np.linalg.norm(periodic, axis=1)
    if (lengths == 0).any():
        axes = [axis for axis, repeats, vector in zip("abc", atoms.pbc, cell, strict=True) if repeats and not vector.any()]
        raise ValueError(f"frame {index} is periodic along {', '.join(axes)}, but that cell vector is zero; "
                         "set the cell, or set pbc=False there.")
    if len(periodic) and np.linalg.svd(periodic / lengths[:, None], compute_uv=False)[-1] < 1e-8:
        raise ValueError(f"frame {index} has periodic cell vectors that are not linearly independent: {periodic.tolist()}.")


def _locate(frames: list[Atoms], flags: np.ndarray) -> tuple[int, int]:
    """Frame, and atom in it, of the first raised flag among all atoms."""
    first = int(np.argmax(flags))
    ends = np.cumsum([len(atoms) for atoms in frames])
    index = int(np.searchsorted(ends, first, side="right"))
    return index, first - int(ends[index] - len(frames[index]))
