"""What every network of atomic energies is asked, whatever its architecture. Weights are random; only the laws count."""

import numpy as np
import pytest
import torch
from ase import Atoms
from ase.build import bulk, molecule
from ase.calculators.singlepoint import SinglePointCalculator

from course_lib.learning import Network, NetworkPotential, Trainer
from course_lib.structures import AtomBatch
from course_lib.symmetry import random_rotations


def peer_frames(oracle) -> list[Atoms]:
    """The frames of a file of `tests/oracles`."""
    ends = np.cumsum(oracle["sizes"])[:-1]
    return [Atoms(numbers, positions, cell=cell, pbc=pbc) for numbers, positions, cell, pbc in zip(
        np.split(oracle["numbers"], ends), np.split(oracle["positions"], ends), oracle["cells"], oracle["pbc"], strict=True)]


def energies_and_forces(network: Network, frames: list[Atoms]) -> tuple[np.ndarray, np.ndarray]:
    """(M,) and (N, 3) in the network's own units, in double precision."""
    batch = AtomBatch.from_frames(frames, network.cutoff, torch.float64)
    batch.positions.requires_grad_()
    each = network(batch)
    forces, = torch.autograd.grad(each.sum(), batch.positions)
    return np.bincount(batch.structure, each.detach(), len(frames)), -forces.numpy()


def energies(network: Network, frames: list[Atoms]) -> np.ndarray:
    return energies_and_forces(network, frames)[0]


def labelled(frames: list[Atoms]) -> list[Atoms]:
    """With labels that mean nothing: for an audit weights need not be good."""
    for number, atoms in enumerate(frames):
        atoms.calc = SinglePointCalculator(atoms, energy=float(number), forces=np.ones((len(atoms), 3)))
    return frames


def some_frames() -> list[Atoms]:
    """Molecules and crystals of H, C, O and Si, shaken and labelled."""
    frames = [molecule("CH3CH2OH"), molecule("H2O"), bulk("SiC", "zincblende", a=4.36), bulk("Si", cubic=True)]
    for atoms in frames:
        atoms.rattle(0.1, seed=1)
    return labelled(frames)


def untrained(network: Network, frames: list[Atoms], dtype: str = "float64") -> NetworkPotential:
    """A potential with the first weights of a seed."""
    return NetworkPotential(network, Trainer(epochs=0), dtype=dtype).fit(frames, progress=False)


def hands() -> tuple[Atoms, Atoms]:
    """Bromochlorofluoromethane and its mirror image, turned."""
    left = molecule("CH3Cl")
    left.symbols[[2, 3, 4]] = ["F", "Br", "H"]
    right = left.copy()
    right.positions[:, 0] *= -1
    right.positions = right.positions @ random_rotations(1, np.random.default_rng(0))[0].T
    return left, right


def assert_one_energy_for_both_hands(network: Network) -> None:
    """E(3): what tells a molecule from its mirror image would be a pseudoscalar; another structure has another energy."""
    left, right = hands()
    swapped = left.copy()
    swapped.symbols[[1, 3]] = swapped.symbols[[3, 1]]
    left, right, other = energies(network, [left, right, swapped])
    assert left == pytest.approx(right, rel=1e-12) and abs(other - left) > 1e-6 * abs(left)


def bent(degrees: float) -> Atoms:
    """O with two H at 1 Å, farther from each other than a cutoff of 1.3 Å."""
    angle = np.deg2rad(degrees)
    return Atoms("OH2", [[0, 0, 0], [1, 0, 0], [np.cos(angle), np.sin(angle), 0]])


def felt(network: Network) -> list[bool]:
    """Which atoms of a chain of four, each within 3 Å of the next alone, the energy of the first depends on."""
    chain = Atoms("C4", [[2.5 * n, 0.1 * n * n, 0] for n in range(4)])
    batch = AtomBatch.from_frames([chain], network.cutoff, torch.float64)
    batch.positions.requires_grad_()
    slope, = torch.autograd.grad(network(batch)[0], batch.positions)
    return (slope.abs().sum(dim=1) > 0).tolist()


def assert_forces_and_stress_are_slopes(network: Network) -> None:
    """Of the energy of a shaken crystal of Si and C, by differences of fourth order."""
    rng = np.random.default_rng(0)
    atoms = bulk("SiC", "zincblende", a=4.36)
    atoms.rattle(0.1, seed=1)
    model = untrained(network, labelled([atoms.copy()]))
    said, along, strain = model.predict([atoms]), rng.normal(size=(2, 3)), rng.normal(size=(3, 3))
    strain += strain.T

    def slope(move):
        moved = [atoms.copy() for _ in range(4)]
        for copy, times in zip(moved, (-2, -1, 1, 2), strict=True):
            move(copy, 1e-3 * times)
        return np.dot([1, -8, 8, -1], model.predict(moved).energies) / 12e-3

    work = slope(lambda a, h: a.set_positions(a.positions + h * along))
    assert work == pytest.approx(-np.vdot(said.forces[0], along), rel=1e-6)
    stretch = slope(lambda a, h: a.set_cell(a.cell @ (np.eye(3) + h * strain), scale_atoms=True))
    assert stretch == pytest.approx(np.vdot(said.stresses[0], strain) * atoms.cell.volume, rel=1e-6)


def assert_company_and_order_change_nothing(network: Network) -> None:
    """Of molecules, a crystal and atoms alone in one batch; and two atoms that are far apart add up."""
    frames = [molecule("CH3CH2OH"), Atoms("O"), molecule("H2O"), bulk("C", cubic=True), Atoms("OH", [[0, 0, 0], [9, 9, 9]])]
    together = energies(network, frames)
    for order in ([3, 1, 4, 0, 2], [4]):
        np.testing.assert_allclose(energies(network, [frames[i] for i in order]), together[order], rtol=1e-12)
    assert together[4] == pytest.approx(energies(network, [Atoms("O"), Atoms("H")]).sum(), rel=1e-13)


def assert_energies_fade(network: Network, allowed: list[float]) -> None:
    """Value, slope, … of a pair's energy agree on both sides of the cutoff, to `allowed` times the energy at 2 Å."""
    h, n = 1e-3, len(allowed)
    places = [network.cutoff + side * (1e-9 + k * h) for side in (-1, 1) for k in range(n)]
    below, above = energies(network, [Atoms("CO", [[0, 0, 0], [r, 0, 0]]) for r in places]).reshape(2, n)
    inner = energies(network, [Atoms("CO", [[0, 0, 0], [2.0, 0, 0]])])[0]
    for order, limit in enumerate(allowed):
        jump = abs((-1) ** order * np.diff(below, order)[0] - np.diff(above, order)[0]) / h**order
        assert jump < limit * abs(inner - above[0]), order
