"""The files of the public benchmarks as their publishers made them, read into frames in eV and Å. No pickle.

A reader takes the paths in the order of benchmarks.json, how many entries each file must hold (None: not known), the number
of the official fold (from 1), and the sizes of a random split where there is no official one; it returns train, validation
and test, and raises ValueError for a file with other content.
"""

import tarfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
from ase import Atoms, units
from ase.calculators.singlepoint import SinglePointCalculator
from ase.io import read
from scipy.io import loadmat
from tqdm.auto import tqdm

from course_lib.structures.validation import check_labels

KCAL = units.kcal / units.mol
# B3LYP/6-31G(2df,p) energies of the free atoms in hartree by atomic number, from atomref.txt of QM9
FREE_ATOM = np.full(10, np.nan)
FREE_ATOM[[1, 6, 7, 8, 9]] = -0.500273, -37.846772, -54.583861, -75.064579, -99.718730
Parts = list[list[Atoms]]


def qm7(paths: list[Path], counts: list[int], fold: int, sizes: None) -> Parts:
    """Arrays of a .mat: Z (M,23) padded with 0, R (M,23,3) bohr, T (1,M) kcal/mol, P (5,M/5) the rows of every fold."""
    content = loadmat(paths[0], variable_names=("Z", "R", "T", "P"))
    charges, positions, energies, folds = content["Z"], content["R"], content["T"].ravel(), content["P"]
    _require(charges.shape == (counts[0], 23) and positions.shape == (counts[0], 23, 3) and energies.shape == (counts[0],)
             and np.array_equal(np.sort(folds, axis=None), np.arange(counts[0])), paths[0],
             f"Z {charges.shape}, R {positions.shape}, T {energies.shape}, P {folds.shape}")

    def molecule(row: int) -> Atoms:
        there = charges[row] > 0
        return _labelled(Atoms(charges[row, there].astype(int), positions[row, there] * units.Bohr), row, energies[row])

    return _made(molecule, (np.delete(folds, fold - 1, axis=0).ravel(), (), folds[fold - 1]))


def qm9(paths: list[Path], counts: list[int], fold: int, sizes: Sequence[int]) -> Parts:
    """An archive of one text a molecule, and the list of those to leave out, after nine lines of header and before a last."""
    bad = {int(line.split()[0]) for line in paths[1].read_text(encoding="utf-8").splitlines()[9:-1]}
    with tarfile.open(paths[0], "r|bz2") as archive:  # a stream: nothing is unpacked to the disk
        molecules = [_qm9_molecule(archive.extractfile(member).read().decode())
                     for member in tqdm(archive, "reading QM9", counts[0]) if member.isfile()]
    _require([len(molecules), len(bad)] == counts, paths[0], f"{len(molecules)} molecules and {len(bad)} to leave out")
    kept = [atoms for atoms in molecules if atoms.info["index"] not in bad]
    return _made(kept.__getitem__, _drawn(len(kept), sizes))


def _qm9_molecule(text: str) -> Atoms:
    count, properties, *lines = text.replace("*^", "e").splitlines()  # 2.1*^-6 is Mathematica's 2.1e-6
    rows = [line.split() for line in lines[:int(count)]]
    _, index, _, _, _, dipole, polarizability, _, _, gap, _, _, energy, *_ = properties.split()
    atoms = Atoms([row[0] for row in rows], np.array([row[1:4] for row in rows], float))
    atoms.calc = SinglePointCalculator(atoms, energy=float(float(energy) - FREE_ATOM[atoms.numbers].sum()) * units.Hartree)
    atoms.info = dict(index=int(index), smiles=lines[int(count) + 1].split()[0], dipole_norm=float(dipole),
                      polarizability=float(polarizability), gap=float(gap) * units.Hartree)
    return atoms


def md17(paths: list[Path], counts: list[int], fold: int, sizes: Sequence[int]) -> Parts:
    """An npz: z (N,), R (M,N,3) Å, E (M,1) kcal/mol, F (M,N,3) kcal/mol/Å."""
    return _made(_trajectory(paths[0], counts[0], ("z", "R", "E", "F")), _drawn(counts[0], sizes))


def rmd17(paths: list[Path], counts: list[int], fold: int, sizes: None) -> Parts:
    """An npz as for MD17 under other names, and the rows that are train and test, one a line."""
    frame = _trajectory(paths[0], counts[0], ("nuclear_charges", "coords", "energies", "forces"))
    train, test = (np.loadtxt(path, dtype=int, ndmin=1) for path in paths[1:])
    _require([len(train), len(test)] == counts[1:] and not np.intersect1d(train, test).size, paths[1],
             f"{len(train)} rows for train, {len(test)} for test, {np.intersect1d(train, test).size} in both")
    return _made(frame, (train, (), test))


def bpa(paths: list[Path], counts: list[int | None], fold: int, sizes: None) -> Parts:
    """Extended XYZ with energy (eV) and forces (eV/Å): train, and all the test files."""
    parts = [read(path, ":", format="extxyz") for path in paths]
    for path, count, part in zip(paths, counts, parts, strict=True):
        formulas = {atoms.get_chemical_formula() for atoms in part}
        _require(count in (None, len(part)) and formulas == {"C12H12N2O"}, path, f"{len(part)} frames of {formulas}")
        check_labels(part)
        for atoms in part:
            atoms.info["part"] = path.stem
    return [parts[0], [], sum(parts[1:], [])]


def _trajectory(path: Path, count: int, names: Sequence[str]) -> Callable[[int], Atoms]:
    with np.load(path, allow_pickle=False) as file:
        numbers, positions, energies, forces = (file[name] for name in names)
    _require(positions.shape == forces.shape == (count, len(numbers), 3) and energies.size == count, path,
             f"{names} {numbers.shape}, {positions.shape}, {energies.shape}, {forces.shape}")
    return lambda row: _labelled(Atoms(numbers, positions[row]), row, energies.flat[row], forces=forces[row] * KCAL)


def _labelled(atoms: Atoms, row: int, energy: float, **labels: np.ndarray) -> Atoms:
    """energy: kcal/mol"""
    atoms.calc = SinglePointCalculator(atoms, energy=float(energy) * KCAL, **labels)
    atoms.info["index"] = row
    return atoms


def _drawn(count: int, sizes: Sequence[int]) -> list[np.ndarray]:
    """Rows of train, validation and test, at random."""
    return np.split(np.random.default_rng(0).permutation(count), np.cumsum(sizes))[:3]


def _made(frame: Callable[[int], Atoms], parts: Iterable[Iterable[int]]) -> Parts:
    return [[frame(int(row)) for row in part] for part in parts]


def _require(condition: bool, path: Path, found: str) -> None:
    if not condition:
        raise ValueError(f"{path.name} holds {found}, not what its publisher describes")
