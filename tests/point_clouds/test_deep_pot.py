"""DeepPot-SE against DeePMD-kit with its own weights, against differences, and against what its product can and cannot see."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from ase import Atoms, units
from ase.build import bulk, molecule
from ase.calculators.singlepoint import SinglePointCalculator
from ase.md.velocitydistribution import Stationary, thermalize_momenta
from ase.md.verlet import VelocityVerlet

from course_lib.learning import NetworkPotential, PotentialCalculator, Trainer, pretrained, scores
from course_lib.point_clouds import DeepPotSE, deep_pot
from course_lib.structures import AtomBatch, load, neighbour_graphs
from course_lib.symmetry import audit

SMALL = dict(cutoff=4.0, embedding=(6, 12), n_axis=3, fitting=(16, 16))
PEER = np.load(Path(__file__).parents[1] / "oracles/deepmd_kit.npz")


def untrained(frames, network, dtype="float64"):
    """A potential with weights as drawn, statistics of the frames, and energies large enough to matter."""
    return NetworkPotential(network, Trainer(epochs=0), dtype=dtype).fit(frames, progress=False)


@pytest.fixture(scope="module")
def silicon():
    return load("silicon").train[10:16]


@pytest.fixture(scope="module")
def ethanol():
    return load("ethanol").train[:4]


def with_the_peers_weights(name):
    settings = json.loads(str(PEER["settings"]))
    species, room = settings.pop("species"), settings.pop("room")
    network, S = DeepPotSE(species, **settings, type_one_side=name == "one_side").double(), len(species)
    state = {"neighbours": room, "scales": PEER[f"{name}.scales"]}
    for place in range(len(network.embeddings)):
        theirs = place if name == "one_side" else place % S * S + place // S  # DeePMD-kit counts the atom's element first
        for layer in range(len(settings["embedding"])):
            key = f"{name}.atomic_model.descriptor.sea.filter_layers.networks.{theirs}.layers.{layer}"
            state |= {f"embeddings.{place}.{layer}.weight": PEER[f"{key}.matrix"],
                      f"embeddings.{place}.{layer}.bias": PEER[f"{key}.bias"]}
    for element in range(S):
        last = len(settings["fitting"])
        for layer in range(last + 1):
            key, ours = (f"{name}.atomic_model.fitting_net.filter_layers.networks.{element}.layers.{layer}",
                         f"fittings.{element}.{layer}")
            matrix = PEER[f"{key}.matrix"]
            state |= {f"{ours}.weight": matrix.T if layer == last else matrix, f"{ours}.bias": PEER[f"{key}.bias"]}
            if 0 < layer < last:
                state[f"{ours}.step"] = PEER[f"{key}.idt"]
    network.load_state_dict({key: torch.as_tensor(value) for key, value in state.items()})
    return network


@pytest.mark.parametrize("name", ["one_side", "both_sides"])
def test_energies_forces_and_virials_are_those_of_deepmd_kit(name):
    network, ends = with_the_peers_weights(name), np.cumsum(PEER["sizes"])[:-1]
    frames = [Atoms(numbers, positions, cell=cell, pbc=bool(cell.any())) for numbers, positions, cell in zip(
        np.split(PEER["numbers"], ends), np.split(PEER["positions"], ends), PEER["cells"], strict=True)]
    batch = AtomBatch.from_frames(frames, network.cutoff, torch.float64)
    positions = batch.positions.requires_grad_(True)
    strain = torch.zeros_like(batch.cell, requires_grad=True)
    each = network(batch.strained(strain))
    energies = each.new_zeros(len(frames)).index_add(0, batch.structure, each)
    slopes, virials = torch.autograd.grad(energies.sum(), [positions, strain])
    scale = np.abs(PEER[f"{name}.force"]).max()
    np.testing.assert_allclose(energies.detach(), PEER[f"{name}.energy"][:, 0], rtol=1e-12)
    np.testing.assert_allclose(-slopes, PEER[f"{name}.force"], rtol=1e-10, atol=1e-12 * scale)
    np.testing.assert_allclose(-virials.reshape(-1, 9), PEER[f"{name}.virial"], rtol=1e-10, atol=1e-11 * scale)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("one_side", [True, False])
def test_the_audit_passes_and_fails_without_the_product(dtype, one_side, silicon, ethanol):
    for frames, species in ((silicon, [14]), (ethanol, [8, 1, 6])):
        potential = untrained(frames, DeepPotSE(species, **SMALL, type_one_side=one_side), dtype)
        assert not (audit(potential, frames).verdict == "BROKEN").any()

    class OneSum(DeepPotSE):
        """Adds a component of A itself, which turns with the atoms."""

        def _descriptors(self, element, rows, centres, neighbour):
            sums = rows.new_zeros(len(element), 1, 1).index_add(0, centres, rows[:, 3, None, None])
            D, order = super()._descriptors(element, rows, centres, neighbour)
            return D + sums[order], order

    verdict = audit(untrained(ethanol, OneSum([1, 6, 8], **SMALL), dtype), ethanol)
    assert (verdict.verdict == "BROKEN").any()


def test_forces_and_stress_are_slopes_of_the_energy(silicon):
    atoms = silicon[0].copy()
    atoms.rattle(0.05, seed=1)
    potential = untrained(silicon, DeepPotSE([14], **SMALL))
    said, rng, step = potential.predict([atoms]), np.random.default_rng(0), 1e-5

    def slope(change):
        there, back = (potential.predict([change(sign * step)]).energies[0] for sign in (1, -1))
        return (there - back) / (2 * step)

    direction = rng.normal(size=atoms.positions.shape)

    def moved(t):
        there = atoms.copy()
        there.positions += t * direction
        return there

    assert slope(moved) == pytest.approx(-(said.forces[0] * direction).sum(), rel=1e-6)
    strain = rng.normal(size=(3, 3))
    strain += strain.T

    def deformed(t):
        there = atoms.copy()
        there.set_cell(there.cell[:] @ (np.eye(3) + t * strain), scale_atoms=True)
        return there

    assert slope(deformed) / atoms.get_volume() == pytest.approx((said.stresses[0] * strain).sum(), rel=1e-6)


@pytest.mark.parametrize(("switch", "jumps"), [("quintic", False), ("cosine", True)])
def test_the_second_derivative_is_continuous_where_a_neighbour_leaves_with_the_quintic_switch_only(switch, jumps):
    torch.manual_seed(0)
    network = DeepPotSE([8], cutoff=4.0, onset=2.0, embedding=(8,), n_axis=2, fitting=(8,), switch=switch).double()

    def curvature(x):
        atoms = Atoms("O3", [[0, 0, 0], [0.3, 1.2, 0], [0, 0, 0.1]])
        atoms.positions[2] += [x, 0, 0]
        batch = AtomBatch.from_frames([atoms], network.cutoff, torch.float64)
        positions = batch.positions.requires_grad_(True)
        slope, = torch.autograd.grad(network(batch).sum(), positions, create_graph=True)
        return torch.autograd.grad(slope[2, 0], positions)[0][2, 0].item()

    edge = np.sqrt(16 - 0.01)  # of the pair 0–2
    wide, narrow = (abs(curvature(edge - h) - curvature(edge + h)) for h in (1e-3, 1e-5))
    assert (narrow > 0.5 * wide) if jumps else (narrow < 0.02 * wide)


def test_an_atom_knows_of_angles_only_their_cosines_weighted_and_summed():
    """All D of equal neighbours is (Σ_j G_j)² and |Σ_j G_j r̂_j|²: a square and a tetrahedron around an atom are one to it."""
    corners = np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]]) / np.sqrt(3)
    square = np.array([[1, 0, 0], [0, 1, 0], [-1, 0, 0], [0, -1, 0]])
    bent = np.array([[1, 0, 0], [0, 1, 0], [-1, 0, 0], [0, 0, 1]])
    network = DeepPotSE([1, 6], **SMALL).double()

    def seen(directions):
        atoms = Atoms("CH4", np.vstack([[0, 0, 0], 1.1 * directions]))
        return network.descriptors(AtomBatch.from_frames([atoms], network.cutoff, torch.float64)).detach()

    np.testing.assert_allclose(seen(corners)[0], seen(square)[0], atol=1e-13)
    assert (seen(corners)[1] - seen(square)[1]).abs().max() > 1e-3  # a hydrogen sees distances that differ
    assert (seen(corners)[0] - seen(bent)[0]).abs().max() > 1e-3


def test_mirror_images_have_one_energy():
    handed = Atoms("CHFClBr", [[0, 0, 0], [1, 0, 0.2], [0, 1.3, 0], [-0.6, -0.7, 1.4], [-0.8, -0.6, -1.6]])
    mirrored = handed.copy()
    mirrored.positions[:, 0] *= -1
    network = DeepPotSE([1, 6, 9, 17, 35], **SMALL).double()
    energies = network(AtomBatch.from_frames([handed, mirrored], network.cutoff, torch.float64)).detach().reshape(2, 5)
    np.testing.assert_allclose(energies[0], energies[1], rtol=1e-12)


def test_a_frame_is_the_same_alone_and_in_company_and_a_lone_atom_has_a_finite_energy(ethanol):
    company = [*ethanol, Atoms("O"), molecule("H2O")]
    potential = untrained(ethanol, DeepPotSE([1, 6, 8], **SMALL))
    together = potential.predict(company)
    for row, atoms in enumerate(company):
        alone = potential.predict([atoms])
        assert alone.energies[0] == pytest.approx(together.energies[row], rel=1e-12)
        np.testing.assert_allclose(alone.forces[0], together.forces[row], atol=1e-11)
    assert not together.forces[4].any()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_atoms_taken_in_pieces_have_the_energies_forces_and_stress_they_have_together(dtype, monkeypatch):
    salt = bulk("SiC", "zincblende", a=4.4, cubic=True).repeat((3, 1, 2))
    salt.rattle(0.1, seed=2)
    salt.calc = SinglePointCalculator(salt, energy=1.0, forces=np.ones((48, 3)))
    potential = untrained([salt], DeepPotSE([6, 14], **SMALL, type_one_side=False), dtype)
    together, tolerance = potential.predict([salt]), {"float32": 3e-5, "float64": 1e-12}[dtype]
    for most in (7, 24):
        monkeypatch.setattr(deep_pot, "ATOMS_AT_ONCE", most)
        said = potential.predict([salt])
        assert said.energies[0] == pytest.approx(together.energies[0], rel=tolerance)
        for name in ("forces", "stresses"):
            expected = getattr(together, name)[0]
            np.testing.assert_allclose(getattr(said, name)[0], expected, atol=tolerance * np.abs(expected).max())
    monkeypatch.setattr(deep_pot, "ATOMS_AT_ONCE", 7)
    batch = AtomBatch.from_frames([salt], 4.0, getattr(torch, dtype))
    backwards = replace(batch, **{name: getattr(batch, name).flip(0) for name in ("senders", "receivers", "shifts")})
    with pytest.raises(ValueError, match="ordered by their receivers"):
        potential.network_(backwards)


class CutShort(PotentialCalculator):
    """Its neighbour list ends at 4.4 Å, where the switch from 3 to 5 Å has not arrived at zero."""

    def _prediction(self, atoms):
        return self.potential.predict([atoms], lambda frames: neighbour_graphs(frames, 4.4))


def drift(calculator):
    """|slope| of the total energy, eV/atom/ps, along a picosecond of silicon without a thermostat."""
    atoms, totals = bulk("Si", a=5.4756, cubic=True), []
    atoms.calc = calculator
    thermalize_momenta(atoms, temperature_K=1000, rng=np.random.default_rng(0))
    Stationary(atoms)
    dynamics = VelocityVerlet(atoms, 1.5 * units.fs)
    dynamics.attach(lambda: totals.append(atoms.get_total_energy() / 8))
    dynamics.run(667)
    return abs(np.polyfit(0.0015 * np.arange(668), totals, 1)[0])


def test_energy_is_conserved_by_a_trained_potential_and_not_if_its_cutoff_is_a_hard_one():
    potential = pretrained("deep_pot_silicon_0").set_params(dtype="float64")
    smooth, hard = drift(potential.calculator()), drift(CutShort(potential))
    assert smooth < 1e-5 and hard > 1e-4, (smooth, hard)


def test_training_data_set_the_scale_of_the_rows(ethanol):
    network = DeepPotSE([1, 6, 8], **SMALL).double()
    batch = AtomBatch.from_frames(ethanol, network.cutoff, torch.float64)
    network.adapt([batch, batch])
    centre = network._elements(batch)[batch.receivers]
    oxygen = (network._environments(batch) / network.scales[centre][:, [0, 1, 1, 1]])[batch.species[batch.receivers] == 8]
    assert (oxygen[:, 0] ** 2).mean().item() == pytest.approx(1)
    assert (oxygen[:, 1:] ** 2).mean().item() == pytest.approx(1)
    assert network.neighbours.item() == pytest.approx(len(batch.senders) / len(batch.species))


def test_energies_forces_and_stress_are_learned_together():
    data = load("silicon")
    frames = [atoms for atoms in data.train if "stress" in atoms.calc.results][:24]
    potential = NetworkPotential(DeepPotSE([14], cutoff=5.0, embedding=(8, 16), n_axis=4, fitting=(32, 32)),
                                 Trainer(epochs=120, batch_size=4, learning_rate=5e-3), energy_weight=10.0)
    table = scores(potential.fit(frames, progress=False).predict(frames), frames)
    assert (table["model"] < 0.5 * table["mean predictor"]).all(), table


@pytest.mark.parametrize(("wrong", "message"), [
    (dict(species=[8, 8]), "each element once"), (dict(switch="hard"), "'quintic', 'cosine' or None"),
    (dict(n_axis=200), "n_axis is 200"), (dict(embedding=()), "n_axis"), (dict(onset=7.0), "onset"),
    (dict(species=[0]), "0"),
])
def test_settings_without_meaning_are_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        DeepPotSE(**{"species": [1, 8]} | wrong)
