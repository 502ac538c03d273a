"""Constants of silicon by Stillinger and Weber: against the literature, second derivatives of the energy and ASE's phonons."""

import numpy as np
import pytest
import torch
from ase import units
from ase.build import bulk
from ase.filters import FrechetCellFilter
from ase.optimize import BFGS
from ase.phonons import Phonons

from course_lib.learning import Network, NetworkPotential, Trainer, diamond_constants
from course_lib.structures import load

A, B, LAMBDA, GAMMA, EPSILON, SIGMA, REACH = 7.049556277, 0.6022245584, 21.0, 1.2, 2.1683, 2.0951, 1.8


class StillingerWeber(Network):
    """Phys. Rev. B 31, 5262 (1985): pairs, and triples that want the angle of the tetrahedron."""

    def __init__(self, cutoff: float = REACH * SIGMA - 1e-6) -> None:
        super().__init__()
        self.cutoff, self.species, self.depth = cutoff, [14], torch.nn.Parameter(torch.tensor(EPSILON))

    def forward(self, batch):
        vectors, N = batch.edge_vectors(), len(batch.species)
        r = vectors.norm(dim=1) / SIGMA
        tail = 1 / (r - REACH)
        pairs = A * (B * r**-4 - 1) * tail.exp() / 2
        unit, fade = vectors / vectors.norm(dim=1, keepdim=True), (GAMMA * tail).exp()
        i, j = torch.nonzero(batch.receivers[:, None] == batch.receivers, as_tuple=True)
        i, j = i[i < j], j[i < j]
        triples = LAMBDA * fade[i] * fade[j] * ((unit[i] * unit[j]).sum(dim=1) + 1 / 3) ** 2
        each = pairs.new_zeros(N).index_add(0, batch.receivers, pairs)
        return self.depth * each.index_add(0, batch.receivers[i], triples)


@pytest.fixture(scope="module")
def silicon():
    potential = NetworkPotential(StillingerWeber(), Trainer(epochs=0), dtype="float64").fit(load("silicon").train[:3],
                                                                                           progress=False)
    potential.scale_, potential.baseline_.energies_ = 1.0, 0 * potential.baseline_.energies_
    return potential


@pytest.fixture(scope="module")
def constants(silicon):
    return diamond_constants(silicon)


def test_they_are_those_of_the_literature(constants):
    """Balamane, Halicioglu and Tiller, Phys. Rev. B 46, 2250 (1992), and a lattice constant fitted to 5.431 Å."""
    literature = {"a0 (Å)": 5.431, "B (GPa)": 101.4, "C11 (GPa)": 151.4, "C12 (GPa)": 76.4, "C44 (GPa)": 56.4}
    assert {name: constants[name] for name in literature} == pytest.approx(literature, rel=0.01)
    assert list(constants) == list(load("silicon").card.reference)


def test_elastic_constants_are_second_derivatives_of_the_relaxed_energy(silicon, constants):
    atoms = bulk("Si", a=constants["a0 (Å)"])
    step = 2e-3

    def energy(strain, relaxed):
        frame = atoms.copy()
        frame.set_cell(frame.cell[:] @ (np.eye(3) + strain), scale_atoms=True)
        frame.calc = silicon.calculator()
        if relaxed:
            BFGS(frame, logfile=None).run(fmax=1e-6)
        return frame.get_potential_energy()

    def modulus(strain, relaxed=False):
        there, here, back = (energy(t * strain, relaxed) for t in (step, 0, -step))
        return (there - 2 * here + back) / step**2 / atoms.get_volume() / units.GPa

    shear = np.zeros((3, 3))
    shear[1, 2] = shear[2, 1] = 0.5  # γ = 1
    assert modulus(np.diag([1, 0, 0])) == pytest.approx(constants["C11 (GPa)"], rel=0.01)
    assert modulus(np.diag([1, 1, 0])) / 2 - constants["C11 (GPa)"] == pytest.approx(constants["C12 (GPa)"], rel=0.02)
    assert modulus(np.eye(3)) / 9 == pytest.approx(constants["B (GPa)"], rel=0.01)
    assert modulus(shear) == pytest.approx(constants["C44 clamped (GPa)"], rel=0.01)
    assert modulus(shear, relaxed=True) == pytest.approx(constants["C44 (GPa)"], rel=0.01)
    atoms.set_cell(atoms.cell[:] * 1.01, scale_atoms=True)
    atoms.calc = silicon.calculator()
    BFGS(FrechetCellFilter(atoms), logfile=None).run(fmax=1e-6)
    assert (4 * atoms.get_volume()) ** (1 / 3) == pytest.approx(constants["a0 (Å)"], abs=1e-4)


def test_frequencies_are_those_of_ases_phonons(silicon, constants, tmp_path):
    phonons = Phonons(bulk("Si", a=constants["a0 (Å)"]), silicon.calculator(), (2, 2, 2), delta=0.01, name=tmp_path / "phonons")
    phonons.run()
    phonons.read(acoustic=True)
    gamma, border = phonons.band_structure([[0, 0, 0], [0.5, 0.5, 0]]) / (2 * np.pi * units._hbar) * units._e * 1e-12
    assert gamma[3:].mean() == pytest.approx(constants["Γ optical (THz)"], rel=1e-3)
    for name, branch in zip(("X TA (THz)", "X LA (THz)", "X TO (THz)"), border.reshape(3, 2).mean(axis=1), strict=True):
        assert branch == pytest.approx(constants[name], rel=1e-3)


def test_a_search_in_the_wrong_place_is_refused(silicon):
    with pytest.raises(ValueError, match="no minimum within 3 % of lattice=6"):
        diamond_constants(silicon, lattice=6.0)
