"""Symmetry functions against dscribe and closed forms, the ring pair they cannot tell apart, and the network on them."""

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from ase import Atoms, units
from ase.build import bulk, molecule
from ase.calculators.singlepoint import SinglePointCalculator
from ase.md.velocitydistribution import thermalize_momenta
from ase.md.verlet import VelocityVerlet
from dscribe.descriptors import ACSF
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from course_lib.kernels import BehlerParrinello, SymmetryFunctions
from course_lib.kernels.symmetry_functions import angular_grid, edge_pairs, radial_grid, symmetry_functions
from course_lib.learning import NetworkPotential, Trainer, labels, scores
from course_lib.structures import AtomBatch, load
from course_lib.symmetry import audit

RADIAL = [(0.3, 0.0), (1.2, 1.5), (0.05, 3.0)]
ANGULAR = [(0.01, 1, 1), (0.1, 4, -1), (0.3, 2, 1), (0.02, 16, -1)]


def rattled(atoms, seed=0):
    atoms.rattle(0.08, seed=seed)
    return atoms


def columns_as_dscribe(features, S, R, A):
    """dscribe's order: the elements' G², a G¹ before each, then pairs 11, 12, 22, 13, 23, 33."""
    pair = {(a, b): a * S - a * (a + 1) // 2 + b for b in range(S) for a in range(b + 1)}
    G4 = features[:, S * R:].reshape(len(features), -1, A)
    return features[:, :S * R], np.concatenate([G4[:, pair[a, b]] for b in range(S) for a in range(b + 1)], axis=1)


@pytest.mark.parametrize("atoms", [
    rattled(molecule("CH3CH2OH")), rattled(molecule("C2H6CHOH")), rattled(bulk("Si")),
    rattled(bulk("NaCl", "rocksalt", a=5.6, cubic=True)), rattled(molecule("CO2")),
], ids=lambda atoms: str(atoms.symbols))
def test_values_are_those_of_dscribe(atoms):
    cutoff, species = 4.7, sorted(set(atoms.numbers.tolist()))  # longer than the cells of Si, shorter than the alcohols
    peer = ACSF(cutoff, g2_params=RADIAL, g4_params=ANGULAR, species=species, periodic=bool(atoms.pbc.all())).create(atoms)
    ours = SymmetryFunctions(cutoff, radial=RADIAL, angular=ANGULAR).fit([atoms]).transform([atoms])
    S, R, A = len(species), len(RADIAL), len(ANGULAR)
    G2, G4 = columns_as_dscribe(ours, S, R, A)
    radial = peer[:, :S * (R + 1)].reshape(-1, S, R + 1)[:, :, 1:].reshape(len(atoms), -1)
    assert ours.shape == (len(atoms), S * R + S * (S + 1) // 2 * A) and ours.dtype == np.float64
    np.testing.assert_allclose(G2, radial, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(G4, peer[:, S * (R + 1):], rtol=1e-10, atol=1e-14)


def test_a_pair_of_neighbours_counts_once():
    water = Atoms("OHH", [[0, 0, 0], [1, 0, 0], [0, 1.2, 0]])
    eta, cutoff = 0.1, 5.0

    def f(r):
        return (1 + np.cos(np.pi * r / cutoff)) / 2
    G4 = SymmetryFunctions(cutoff, radial=RADIAL, angular=[(eta, 3, -1)]).fit([water]).transform([water])[0, -3:]
    third = np.hypot(1, 1.2)  # cos θ = 0
    expected = 2.0**-2 * np.exp(-eta * (1 + 1.44 + third**2)) * f(1) * f(1.2) * f(third)
    np.testing.assert_allclose(G4, [expected, 0, 0], rtol=1e-13)  # the pairs HH, HO, OO of the oxygen


def test_first_and_second_derivatives_are_finite_differences():
    for atoms in (rattled(molecule("CH3OH")), bulk("Si")):
        batch = AtomBatch.from_frames([atoms], 4.0, torch.float64)

        def features(positions, batch=batch):
            return symmetry_functions(replace(batch, positions=positions), [1, 6, 8, 14], 4.0, RADIAL, ANGULAR[:2])
        positions = batch.positions.requires_grad_()
        assert torch.autograd.gradcheck(features, positions)
        assert torch.autograd.gradgradcheck(lambda x: features(x).sum(dim=0), positions)


def test_straight_angles_have_finite_derivatives():
    batch = AtomBatch.from_frames([molecule("CO2")], 4.0, torch.float64)
    positions = batch.positions.requires_grad_()
    features = symmetry_functions(batch, [6, 8], 4.0, RADIAL, angular_grid(4.0))
    slope, = torch.autograd.grad((features**2).sum(), positions, create_graph=True)
    curvature, = torch.autograd.grad((slope**2).sum(), positions)
    assert slope.isfinite().all() and curvature.isfinite().all() and (slope != 0).any()


def test_functions_fade_away_at_the_cutoff():
    apart = np.array([3.9, 3.999, 3.999999, 4.0, 4.1])
    frames = [Atoms("OHH", [[0, 0, 0], [1, 0, 0], [0, r, 0]]) for r in apart]
    values = SymmetryFunctions(4.0).fit(frames).transform(frames).reshape(5, 3, -1)
    only_one = values[-1, 0]
    largest = np.abs(values[:, 0] - only_one).max(axis=1)
    assert (largest[:3] > 0).all() and largest[1] < 1e-6 and largest[2] < 1e-11 and (largest[3:] == 0).all()


def test_the_order_of_edges_does_not_matter():
    batch = AtomBatch.from_frames([rattled(molecule("CH3OH")), bulk("Si")], 4.0, torch.float64)
    order = torch.randperm(len(batch.senders), generator=torch.Generator().manual_seed(0))
    other = replace(batch, senders=batch.senders[order], receivers=batch.receivers[order], shifts=batch.shifts[order])
    values = [symmetry_functions(b, [1, 6, 8, 14], 4.0, RADIAL, ANGULAR) for b in (batch, other)]
    torch.testing.assert_close(*values, rtol=1e-12, atol=1e-14)
    pairs = {tuple(sorted(pair)) for pair in zip(*(part.tolist() for part in edge_pairs(other.receivers)), strict=True)}
    centre = other.receivers.tolist()
    assert pairs == {(a, b) for b in range(len(centre)) for a in range(b) if centre[a] == centre[b]}


def test_they_are_invariant_and_lonely_atoms_have_none():
    frames = [rattled(molecule("CH3CH2OH")), rattled(bulk("NaCl", "rocksalt", a=5.6))]
    features = SymmetryFunctions(4.0).fit(frames)
    assert (audit(features, frames).verdict == "kept").all()
    alone = [Atoms("H"), frames[0], Atoms("OH", [[0, 0, 0], [0, 0, 9]])]
    np.testing.assert_array_equal(features.transform(alone)[[0, -2, -1]], 0)
    assert clone(features).get_params() == features.get_params()


def ring(*hours):
    """A carbon amid hydrogens on a ring of twelve places."""
    angles = 2 * np.pi * np.array(hours) / 12
    around = 1.5 * np.stack([np.cos(angles), np.sin(angles), 0 * angles], axis=1)
    return Atoms("C" + "H" * len(hours), np.vstack([np.zeros(3), around]))


def test_no_symmetry_function_of_the_centre_can_tell_the_ring_pair_apart():
    """Both have each distance between two places once: the centre sees the same distances and angles, whatever the grid."""
    rng = np.random.default_rng(0)
    radial = np.column_stack([rng.uniform(0, 4, 200), rng.uniform(0, 4, 200)]).tolist()
    angular = np.column_stack([rng.uniform(0, 1, 200), rng.integers(1, 33, 200), rng.choice([-1, 1], 200)]).tolist()
    pair = [ring(0, 1, 4, 6), ring(0, 1, 3, 7)]
    features = SymmetryFunctions(6.0, radial=radial, angular=angular).fit(pair)
    first, second = features.transform(pair).reshape(2, 5, -1)
    np.testing.assert_allclose(first[0], second[0], rtol=1e-12, atol=1e-15)
    # ... yet the two are not the same molecule: the hydrogens see it, and no rotation or reflection joins them
    assert np.abs(np.sort(first[1:], axis=0) - np.sort(second[1:], axis=0)).max() > 0.01
    hours = [{tuple(sorted((s * h + t) % 12 for h in (0, 1, 4, 6))) for t in range(12)} for s in (1, -1)]
    assert (0, 1, 3, 7) not in hours[0] | hours[1]
    # ... and a pair whose distances differ is told apart
    other = features.transform([ring(0, 1, 4, 7)])[0]
    assert np.abs(first[0] - other).max() > 0.01


@pytest.mark.parametrize("settings, words", [
    (dict(angular=[(0.1, 1.5, 1)]), "ζ must be a whole number"), (dict(angular=[(0.1, 0, 1)]), "ζ must be"),
    (dict(angular=[(0.1, 1, 0.5)]), "λ ±1"), (dict(radial=[(0.1, 1, 1)]), r"radial functions are rows .*\(η, R_s\)"),
    (dict(radial=[]), "radial functions"), (dict(angular=[(np.nan, 1, 1)]), "angular functions are rows of finite"),
    (dict(cutoff=-1.0), "cutoff must be a positive length"), (dict(species=[6]), "atom 0 is O.*species are C"),
    (dict(species=["O", "H"]), "list of atomic numbers"), (dict(species=[]), "list of atomic numbers"),
])
def test_functions_without_meaning_are_refused(settings, words):
    with pytest.raises(ValueError, match=words):
        SymmetryFunctions(**settings).fit([molecule("H2O")]).transform([molecule("H2O")])


def test_unknown_elements_and_what_was_not_fitted_are_refused():
    with pytest.raises(NotFittedError):
        SymmetryFunctions().transform([molecule("H2O")])
    with pytest.raises(ValueError, match="frame 1, atom 0 is N"):
        SymmetryFunctions().fit([molecule("H2O")]).transform([molecule("H2O"), molecule("NH3")])
    with pytest.raises(ValueError, match="each element once"):
        BehlerParrinello([1, 1])
    with pytest.raises(ValueError, match="list of atomic numbers"):
        BehlerParrinello(["H", "O"])
    with pytest.raises(ValueError, match="C, which the model does not know"):
        NetworkPotential(BehlerParrinello([1, 8])).fit(load("methane_b3lyp").train[:2])


def test_default_functions_cover_the_range():
    widths, shifts = np.array(radial_grid(6.0)).T
    assert len(shifts) == 20 and shifts[0] == 0.5 and shifts[-1] == 5.5
    np.testing.assert_allclose(1 / np.sqrt(2 * widths), np.diff(shifts)[0])
    assert len(angular_grid(6.0)) == 18
    assert {row[1:] for row in angular_grid(6.0)} == {(zeta, sign) for zeta in (1, 4, 16) for sign in (1, -1)}


@pytest.fixture(scope="module")
def methane():
    return load("methane_b3lyp")


def network():
    return BehlerParrinello([1, 6], 4.0, (16, 16), radial_grid(4.0, 10), angular_grid(4.0, 2, (1, 4)))


@pytest.fixture(scope="module")
def trained(methane):
    trainer = Trainer(epochs=30, batch_size=5, learning_rate=5e-3)
    return NetworkPotential(network(), trainer, dtype="float64").fit(methane.train[:40], progress=False)


def test_it_learns_methane(methane, trained):
    table = scores(trained.predict(methane.test[:50]), methane.test[:50])
    assert table.loc["force MAE (meV/Å)", "model"] < 0.2 * table.loc["force MAE (meV/Å)", "mean predictor"]
    assert table.loc["energy MAE (meV)", "model"] < 0.3 * table.loc["energy MAE (meV)", "mean predictor"]
    untrained = clone(trained).set_params(trainer__epochs=0).fit(methane.train[:40], progress=False)
    assert untrained.predict(methane.test[:50]).energies != pytest.approx(trained.predict(methane.test[:50]).energies, abs=0.1)


def test_it_keeps_its_symmetry_and_molecules_far_apart_add_up(methane, trained):
    frames = methane.test[:3]
    assert (audit(trained, frames).verdict[:4] == "kept").all()
    both = frames[0] + Atoms(frames[1].symbols, frames[1].positions + [50.0, 0, 0])
    one, two, together = trained.predict([*frames[:2], both]).energies
    assert together == pytest.approx(one + two, rel=1e-12)


def test_forces_are_minus_the_gradient(methane, trained):
    atoms, h = methane.test[7], 1e-3
    moved = [atoms.copy() for _ in range(60)]
    for frame, (step, i, k) in zip(moved, np.ndindex(4, 5, 3), strict=True):
        frame.positions[i, k] += h * (-2, -1, 1, 2)[step]
    slope = np.tensordot([1, -8, 8, -1], trained.predict(moved).energies.reshape(4, 5, 3), 1) / (12 * h)
    assert np.abs(trained.predict([atoms]).forces[0] + slope).max() < 1e-7 * np.abs(slope).max()


def test_molecular_dynamics_conserves_the_energy(methane, trained):
    spread = []
    for femtoseconds in (0.5, 0.25):
        atoms, totals = methane.test[0].copy(), []
        atoms.calc = trained.calculator()
        thermalize_momenta(atoms, temperature_K=300, rng=np.random.default_rng(0))
        dynamics = VelocityVerlet(atoms, femtoseconds * units.fs)
        dynamics.attach(lambda totals=totals, atoms=atoms: totals.append(atoms.get_total_energy()))
        dynamics.run(int(40 / femtoseconds))
        spread.append(np.std(totals))
    assert spread[0] < 0.01 and spread[0] / spread[1] > 3  # second order in the time step


def test_what_each_network_sees_of_the_training_set_is_standardised(methane):
    model, batch = network().double(), AtomBatch.from_frames(methane.train[:40], 4.0, torch.float64)
    model.adapt([batch])
    features = symmetry_functions(batch, [1, 6], 4.0, *model.grids)
    for s, number in enumerate([1, 6]):
        inputs = (features[batch.species == number] - model.means[s]) / model.widths[s]
        spread = inputs.std(dim=0, correction=0)
        assert inputs.mean(dim=0).abs().max() < 1e-9
        varied = spread > 0.99
        torch.testing.assert_close(spread[varied], torch.ones_like(spread[varied]), rtol=1e-6, atol=0)
        assert varied.sum() > 10 and (spread <= 1 + 1e-6).all()  # the others hardly vary: nothing blows them up


def test_an_environment_that_never_varies_does_no_harm():
    lonely = [Atoms("H"), Atoms("He")]
    for atoms, energy in zip(lonely, (-13.6, -79.0), strict=True):
        atoms.calc = SinglePointCalculator(atoms, energy=energy, forces=np.zeros((1, 3)))
    model = NetworkPotential(BehlerParrinello([1, 2]), Trainer(epochs=1)).fit(lonely, progress=False)
    assert model.predict(lonely).energies == pytest.approx([-13.6, -79.0], abs=2)


def test_each_element_has_a_network_of_its_own_and_the_order_of_species_is_of_no_account(methane):
    batch = AtomBatch.from_frames(methane.train[:3], 4.0)
    model, other = network(), clone(network().set_params(species=[6, 1]))
    other.load_state_dict(model.state_dict())
    before = model(batch)
    torch.testing.assert_close(other(batch), before)
    with torch.no_grad():
        model.networks[1][-1].bias += 1  # carbon's
    torch.testing.assert_close(model(batch) - before, (batch.species == 6).float())


def test_arguments_of_the_network_are_searched_as_any_others(methane):
    model = NetworkPotential(network(), Trainer(epochs=0)).set_params(network__hidden=(4, 3, 2))
    layers = model.fit(methane.train[:2], progress=False).network_.networks[0]
    assert [layer.out_features for layer in layers if hasattr(layer, "out_features")] == [4, 3, 2, 1]


def test_another_process_that_imported_nothing_reads_it(methane, trained, tmp_path):
    trained.save(tmp_path / "bp.safetensors")
    code = ("import sys, json; from course_lib.learning import Potential; from course_lib.structures import load;"
            "print(json.dumps(Potential.load(sys.argv[1]).predict(load('methane_b3lyp').test[:3]).energies.tolist()))")
    command = [sys.executable, "-c", code, str(tmp_path / "bp.safetensors")]
    answer = subprocess.run(command, capture_output=True, text=True, check=True)
    assert json.loads(answer.stdout) == trained.predict(methane.test[:3]).energies.tolist()
    assert (tmp_path / "bp.safetensors").stat().st_size < 150_000  # the weights, once


def test_a_frame_with_forces_is_many_labels(methane):
    def error(forces):
        frames = [atoms.copy() for atoms in methane.train[:40]]
        for atoms, source in zip(frames, methane.train, strict=False):
            truth = labels([source])
            atoms.calc = SinglePointCalculator(atoms, energy=truth.energies[0], forces=truth.forces[0] if forces else None)
        model = NetworkPotential(network(), Trainer(epochs=20, batch_size=5, learning_rate=5e-3)).fit(frames, progress=False)
        return scores(model.predict(methane.test[:50]), methane.test[:50]).loc["force MAE (meV/Å)", "model"]
    assert error(forces=True) < 0.5 * error(forces=False)
