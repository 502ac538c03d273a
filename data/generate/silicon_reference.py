"""Elastic constants and phonons of silicon at the level of the set `silicon`, written into `reference` of its card.

Lattice constant and bulk modulus: third-order Birch–Murnaghan fit to the seven cells of the set's equation of state within
3 % of 5.47 Å. Elastic constants: stresses under strains of ±0.5 % along a cube axis, and of 0.5 % shear with the sublattices
relaxed against each other (one step, harmonic). Phonons at Γ and X: the cubic cell of eight atoms, in which both are
periodic, its first two atoms displaced by ±0.01 Å along each axis.

    OMP_NUM_THREADS=1 python data/generate/silicon_reference.py    # after silicon.py; 2 core-minutes; stop and start at will
"""

import json
from functools import partial

import numpy as np
from ase import Atoms, units
from ase.build import bulk
from ase.eos import EquationOfState
from publish import DATA, work_folder
from quantum_chemistry import label, labelled
from silicon import plane_waves

STRAIN = 0.005
STEP = 0.01  # Å


def equation_of_state(cells: list[Atoms]) -> tuple[float, float]:
    """Lattice constant (Å) and bulk modulus (eV/Å³)."""
    volume, _, modulus = EquationOfState([atoms.get_volume() for atoms in cells],
                                         [atoms.get_potential_energy() for atoms in cells], "birchmurnaghan").fit()
    return (4 * volume) ** (1 / 3), modulus


def deformed(lattice: float, strain: np.ndarray) -> Atoms:
    atoms = bulk("Si", a=lattice)
    atoms.set_cell(atoms.cell[:] @ (np.eye(3) + strain), scale_atoms=True)
    return atoms


def points(lattice: float) -> list[Atoms]:
    """Seed 0: stretched by ±STRAIN along x; 1: sheared in yz, sublattices 0 and STEP apart along x; 2: displaced atoms."""
    stretched = [deformed(lattice, np.diag([sign * STRAIN, 0, 0])) for sign in (1, -1)]
    shear = np.zeros((3, 3))
    shear[1, 2] = shear[2, 1] = STRAIN
    sheared = [deformed(lattice, shear) for _ in range(2)]
    sheared[1].positions[1, 0] += STEP
    displaced = [bulk("Si", a=lattice, cubic=True) for _ in range(12)]
    for index, (atom, axis, sign) in enumerate(np.ndindex(2, 3, 2)):
        displaced[index].positions[atom, axis] += STEP * (1, -1)[sign]
    for seed, group in enumerate((stretched, sheared, displaced)):
        for frame, atoms in enumerate(group):
            atoms.info = dict(seed=seed, frame=frame)
    return stretched + sheared + displaced


def elastic_constants(stretched: list[Atoms], sheared: list[Atoms]) -> dict[str, float]:
    """C11, C12, C44 and the C44 of sublattices that keep their places in the cell, GPa."""
    c11, c12 = ((stretched[0].get_stress() - stretched[1].get_stress()) / (2 * STRAIN))[:2]
    force, displaced_force = (atoms.get_forces()[1, 0] for atoms in sheared)
    relaxation = force / (force - displaced_force)  # in units of STEP, where the force vanishes
    stress, displaced_stress = (atoms.get_stress()[3] for atoms in sheared)
    clamped, relaxed = (value / (2 * STRAIN) for value in (stress, stress + relaxation * (displaced_stress - stress)))
    return {"C11 (GPa)": c11 / units.GPa, "C12 (GPa)": c12 / units.GPa, "C44 (GPa)": relaxed / units.GPa,
            "C44 clamped (GPa)": clamped / units.GPa}


def frequencies(displaced: list[Atoms], wave_vector: np.ndarray) -> np.ndarray:
    """The six frequencies (THz) at `wave_vector` (in units of 2π/a), imaginary ones as negative numbers.

    D_κα,κ'β(q) = M⁻¹ Σ_l Φ_0κα,lκ'β exp(iq·R_l), the force constants Φ by central differences.
    """
    forces = np.array([atoms.get_forces() for atoms in displaced]).reshape(6, 2, 4, 2, 3)
    constants = -(forces[:, 0] - forces[:, 1]) / (2 * STEP)
    # atoms 2l and 2l + 1 of the cubic cell are the two sublattices at the lattice point R_l
    lattice_points = bulk("Si", a=1.0, cubic=True).positions[::2]
    phases = np.exp(2j * np.pi * lattice_points @ wave_vector)
    matrix = np.einsum("ilkb,l->ikb", constants, phases).reshape(6, 6) / displaced[0].get_masses()[0]
    squares = np.linalg.eigvalsh((matrix + matrix.conj().T) / 2)
    return np.sign(squares) * np.sqrt(abs(squares)) / (2 * np.pi) * units.fs * 1e3


if __name__ == "__main__":
    work = work_folder("silicon")
    # frames 3 to 9 of the equation of state: 0.97 to 1.03 times 5.47 Å
    lattice, modulus = equation_of_state([atoms for atoms in labelled(work / "pbe.db")
                                          if atoms.info["seed"] == 0 and 3 <= atoms.info["frame"] <= 9])
    label(points(lattice), work / "reference.db", partial(plane_waves, directory=work / "pw_reference"))
    stretched, sheared, displaced = ([atoms for atoms in labelled(work / "reference.db") if atoms.info["seed"] == seed]
                                     for seed in range(3))
    centre, border = (frequencies(displaced, np.array(vector)) for vector in ([0, 0, 0], [1, 0, 0]))
    print("Γ", centre, "X", border, "THz")
    reference = {"a0 (Å)": lattice, "B (GPa)": modulus / units.GPa, **elastic_constants(stretched, sheared),
                 "Γ optical (THz)": centre[3:].mean(), "X TA (THz)": border[:2].mean(), "X LA (THz)": border[2:4].mean(),
                 "X TO (THz)": border[4:].mean()}
    path = DATA / "silicon.json"
    card = json.loads(path.read_text(encoding="utf-8"))
    card["reference"] = {name: round(float(value), 4 if name == "a0 (Å)" else 2) for name, value in reference.items()}
    path.write_text(json.dumps(card, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    print(card["reference"])
