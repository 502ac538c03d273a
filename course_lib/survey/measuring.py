"""One fit, measured: what the method knows afterwards, what it cost, and whether it can be trusted with dynamics.

Times are processor seconds of one process. Memory is what the process grew by while it learned and predicted, sampled every
few milliseconds. Dynamics start from a test frame: velocity Verlet without a thermostat until the structure breaks, a bond
longer or shorter by half an ångström (Fu et al., Trans. Mach. Learn. Res. 2023, arXiv 2210.07237), or time is up; the drift is
the slope of the total energy over what was survived.
"""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from time import process_time

import numpy as np
import psutil
from ase import Atoms, units
from ase.md.velocitydistribution import Stationary, thermalize_momenta
from ase.md.verlet import VelocityVerlet
from ase.neighborlist import natural_cutoffs, neighbor_list

from course_lib.learning import NetworkPotential, Potential, scores
from course_lib.structures import Dataset
from course_lib.survey.registry import Method
from course_lib.symmetry import audit

STEP = 0.5  # fs
TEMPERATURE = 300  # K
BROKEN_BOND = 0.5  # Å
AUDITED = 2  # frames
JUDGES = 20  # validation frames; with more of them a network on a small training set is judged for longer than it learns
COUNTED = ("coefficients_", "linear_", "energies_")  # of estimators without weights, the first that is there

Row = dict[str, str | int | float]


def measure(method: Method, data: Dataset, n: int, seed: int, *, steps: int = 1000) -> Row:
    """Fit `method` to n training frames drawn by `seed` and measure it on the test frames; `steps` of dynamics, 0.5 fs each.

    The frames of one seed are nested, and the same for every method. A row: errors (`learning.scores`), seconds of training,
    microseconds of a prediction an atom, MB of memory, fitted numbers, the audit in float64 (its worst error in units of the
    tolerance among what is claimed, and its verdict), and, if it has forces and `steps` is not 0, drift (meV/atom/ps) and
    picoseconds survived.
    """
    rows = np.random.default_rng(seed).permutation(len(data.train))[:n]
    potential = method.make(data, n)
    if "random_state" in potential.get_params():
        potential.set_params(random_state=seed)
    with peak_memory() as grown:
        start = process_time()
        potential.fit([data.train[row] for row in rows], data.validation[:JUDGES] or None, progress=False)
        trained = process_time()
        said = potential.predict(data.test)
        seconds = process_time() - trained
    row = {"training (s)": trained - start,
           "prediction (µs/atom)": 1e6 * seconds / sum(len(atoms) for atoms in data.test), "memory (MB)": grown[0],
           "parameters": parameters(potential), **scores(said, data.test)["model"]}
    table = audit(in_double(potential), data.test[:AUDITED], symmetry=method.symmetry)
    claimed = table[table.declared]
    row |= {"audit": (claimed.error / claimed.tolerance).max(), "verdict": ", ".join(
        claimed.element[claimed.verdict == "BROKEN"]) or "kept"}
    if steps and said.forces is not None and any(forces.any() for forces in said.forces):
        row |= dynamics(potential, data.test[0], steps)
    return row


def in_double(potential: Potential) -> Potential:
    """The same potential, reckoning in double precision from now on."""
    for part in (potential, getattr(potential, "features_", None)):
        if "dtype" in getattr(part, "get_params", dict)():
            part.set_params(dtype="float64")
    return potential


@contextmanager
def peak_memory(every: float = 0.005) -> Iterator[list[float]]:
    """A list whose one number, after the block, is how many MB the process had grown at the most."""
    process, done, grown = psutil.Process(), threading.Event(), [0.0]
    before = process.memory_info().rss

    def watch() -> None:
        while not done.wait(every):
            grown[0] = max(grown[0], (process.memory_info().rss - before) / 1e6)

    watching = threading.Thread(target=watch, daemon=True)
    watching.start()
    try:
        yield grown
    finally:
        done.set()
        watching.join()


def parameters(potential: Potential) -> int:
    """How many numbers were fitted to energies and forces."""
    if isinstance(potential, NetworkPotential):
        return sum(weight.numel() for weight in potential.network_.parameters())
    inner = [potential, *(getattr(potential, name) for name in ("process_", "regression_") if hasattr(potential, name))]
    return next(int(np.size(getattr(part, name))) for part in inner[::-1] for name in COUNTED if hasattr(part, name))


def dynamics(potential: Potential, start: Atoms, steps: int) -> Row:
    """Drift of the total energy (meV/atom/ps) and picoseconds until the structure broke, at most `steps` of 0.5 fs."""
    atoms = start.copy()
    atoms.calc = potential.calculator()
    thermalize_momenta(atoms, temperature_K=TEMPERATURE, rng=np.random.default_rng(0))
    Stationary(atoms)
    bonds = neighbor_list("ijSd", atoms, natural_cutoffs(atoms, mult=1.2))
    run, energies = VelocityVerlet(atoms, STEP * units.fs), []
    for _ in range(steps):
        energies.append(atoms.get_total_energy() / len(atoms))
        try:
            run.run(1)
        except ValueError:  # positions that are no longer finite
            break
        if np.abs(stretched(atoms, bonds)).max(initial=0) > BROKEN_BOND:
            break
    times = STEP / 1000 * np.arange(len(energies))
    drift = 1000 * abs(np.polyfit(times, energies, 1)[0]) if len(times) > 2 else np.nan
    return {"drift (meV/atom/ps)": drift, "survived (ps)": STEP / 1000 * len(energies)}


def stretched(atoms: Atoms, bonds: Sequence[np.ndarray]) -> np.ndarray:
    """By how much (Å) the bonds are longer than they were; positions are not wrapped, so images stay the same."""
    first, second, images, lengths = bonds
    return np.linalg.norm(atoms.positions[second] + images @ atoms.cell[:] - atoms.positions[first], axis=1) - lengths
