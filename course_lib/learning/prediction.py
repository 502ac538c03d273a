"""What a potential says of frames, and what the frames' labels say, in the same form, so that the two compare."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from ase import Atoms
from ase.stress import voigt_6_to_full_3x3_stress

from course_lib.structures import check_labels, check_structures


@dataclass(frozen=True, eq=False)
class Prediction:
    """Energies (M,) eV of M structures; forces, M arrays (N_i, 3) eV/Å; stresses (M, 3, 3) eV/Å³, ASE's sign.

    Forces and stresses are None where there are none. A frame without a volume has zero stress. Raises ValueError
    where the shapes disagree.
    """

    energies: np.ndarray
    forces: list[np.ndarray] | None = None
    stresses: np.ndarray | None = None

    def __post_init__(self) -> None:
        M = len(self.energies)
        if self.energies.shape != (M,):
            raise ValueError(f"energies have shape {self.energies.shape}; one number a structure is needed, (M,)")
        if self.forces is not None and len(self.forces) != M:
            raise ValueError(f"forces of {len(self.forces)} structures beside energies of {M}")
        if self.stresses is not None and self.stresses.shape != (M, 3, 3):
            raise ValueError(f"stresses have shape {self.stresses.shape}; beside {M} energies, ({M}, 3, 3) is needed")


def labels(frames: Sequence[Atoms]) -> Prediction:
    """The labels that travel on the frames, as ASE keeps them, in the form of a `Prediction`.

    Forces are None if no frame has them, stresses likewise; a frame without a stress among others with one has NaN, and so has
    one without a volume, whatever its label: programs write zeros there, which are no measurement.
    Raises what `check_structures` raises, and ValueError for a frame without an energy or changed since it was labelled,
    for forces on some frames only, and for labels that are not finite.
    """
    check_structures(frames)
    found = [atoms.calc.results if atoms.calc else {} for atoms in frames]
    have = {name for results in found for name, value in results.items() if value is not None}
    check_labels(frames, ("energy", "forces") if "forces" in have else ("energy",))
    return Prediction(
        np.array([results["energy"] for results in found], dtype=float),
        [np.array(results["forces"], dtype=float) for results in found] if "forces" in have else None,
        np.array([_full(atoms) for atoms in frames]) if "stress" in have else None)


def _full(atoms: Atoms) -> np.ndarray:
    stress = atoms.calc.results.get("stress")
    if stress is None or atoms.cell.rank < 3:
        return np.full((3, 3), np.nan)
    return voigt_6_to_full_3x3_stress(stress) if np.shape(stress) == (6,) else np.asarray(stress, dtype=float)
