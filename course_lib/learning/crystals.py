"""What a crystal with the structure of diamond answers to strain and to displaced atoms, from any potential.

Lattice constant and bulk modulus come from a Birch–Murnaghan fit to energies, elastic constants from stresses under small
strains, frequencies from forces on displaced atoms: nothing of it is a test frame, all of it can be measured.
"""

import numpy as np
from ase import Atoms, units
from ase.build import bulk
from ase.eos import EquationOfState

from course_lib.learning.potential import Potential

STRAIN = 0.005
STEP = 0.01  # Å


def diamond_constants(potential: Potential, symbol: str = "Si", lattice: float = 5.47) -> dict[str, float]:
    """Lattice constant (Å), bulk modulus and elastic constants (GPa), frequencies at Γ and X (THz), by name with its unit.

    The steps are those by which the references in the card of the set `silicon` were made. Elastic constants: strains of
    ±0.5 % along a cube axis, and 0.5 % shear with the sublattices where their forces vanish, or "clamped", where they are.
    Frequencies: the two atoms of a cell displaced by ±0.01 Å, all periodic in the cubic cell of eight; those of unstable
    modes are imaginary and given as negative numbers. Raises ValueError if the energy has no minimum within 3 % of `lattice`
    (Å).
    """
    a, modulus = equation_of_state(potential, symbol, lattice)
    gamma, border = (frequencies(potential, symbol, a, np.array(q)) for q in ([0, 0, 0], [1, 0, 0]))
    transverse, longitudinal, optical = border.reshape(3, 2).mean(axis=1)
    return {"a0 (Å)": a, "B (GPa)": modulus, **elastic_constants(potential, symbol, a), "Γ optical (THz)": gamma[3:].mean(),
            "X TA (THz)": transverse, "X LA (THz)": longitudinal, "X TO (THz)": optical}


def equation_of_state(potential: Potential, symbol: str, lattice: float) -> tuple[float, float]:
    """Lattice constant (Å) and bulk modulus (GPa)."""
    cells = [bulk(symbol, "diamond", a=lattice * scale) for scale in np.linspace(0.97, 1.03, 7)]
    energies = potential.predict(cells).energies
    if energies.argmin() in (0, 6):
        raise ValueError(f"the energy has no minimum within 3 % of lattice={lattice} Å; give a lattice constant nearer to it")
    volume, _, modulus = EquationOfState([cell.get_volume() for cell in cells], energies, "birchmurnaghan").fit()
    return (4 * volume) ** (1 / 3), modulus / units.GPa


def elastic_constants(potential: Potential, symbol: str, a: float) -> dict[str, float]:
    """C11, C12, C44 and C44 with sublattices held (GPa)."""
    shear = np.zeros((3, 3))
    shear[1, 2] = shear[2, 1] = STRAIN
    along = np.diag([STRAIN, 0, 0])
    frames = [strained(symbol, a, tensor) for tensor in (along, -along, shear, shear)]
    frames[3].positions[1, 0] += STEP
    said = potential.predict(frames)
    c11, c12 = np.diag(said.stresses[0] - said.stresses[1])[:2] / (2 * STRAIN)
    held, moved = said.stresses[2:, 1, 2] / (2 * STRAIN)
    force, moved_force = said.forces[2][1, 0], said.forces[3][1, 0]
    c44 = held + force / (force - moved_force) * (moved - held)  # the force is linear in the step, and vanishes there
    names = ("C11 (GPa)", "C12 (GPa)", "C44 (GPa)", "C44 clamped (GPa)")
    return dict(zip(names, np.array([c11, c12, c44, held]) / units.GPa, strict=True))


def strained(symbol: str, a: float, tensor: np.ndarray) -> Atoms:
    """A cell of two atoms under the strain `tensor` (3, 3)."""
    atoms = bulk(symbol, "diamond", a=a)
    atoms.set_cell(atoms.cell[:] @ (np.eye(3) + tensor), scale_atoms=True)
    return atoms


def frequencies(potential: Potential, symbol: str, a: float, q: np.ndarray) -> np.ndarray:
    """The six frequencies (THz) in rising order at a wave vector `q` (3,), in units of 2π/a, with which the cubic cell is
    periodic.
    """
    frames = [bulk(symbol, "diamond", a=a, cubic=True) for _ in range(12)]
    for frame, (atom, axis, sign) in zip(frames, np.ndindex(2, 3, 2), strict=True):
        frame.positions[atom, axis] += (STEP, -STEP)[sign]
    forces = np.reshape(potential.predict(frames).forces, (6, 2, 4, 2, 3))  # moved, sign, lattice point, atom, axis
    constants = (forces[:, 1] - forces[:, 0]) / (2 * STEP)
    phases = np.exp(2j * np.pi * bulk(symbol, "diamond", a=1.0, cubic=True).positions[::2] @ q)
    D = np.einsum("mlkx,l->mkx", constants, phases).reshape(6, 6) / frames[0].get_masses()[0]
    squares = np.linalg.eigvalsh((D + D.conj().T) / 2)
    return np.sign(squares) * np.sqrt(abs(squares)) / (2 * np.pi) * units.fs * 1e3
