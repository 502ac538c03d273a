"""A potential made of a network, held by one that can be exact: Lennard-Jones with learnable ε, σ and atomic energy."""


import numpy as np
import pytest
import torch
from argon import argon, label
from ase import Atoms, units
from ase.calculators.lj import LennardJones
from ase.md.velocitydistribution import thermalize_momenta
from ase.md.verlet import VelocityVerlet
from lennard_jones import LennardJonesNetwork
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from course_lib.learning import (
    CompositionBaseline,
    Network,
    NetworkPotential,
    Potential,
    Trainer,
    labels,
    learning_curve,
    scores,
)
from course_lib.symmetry import audit

EPSILON, SIGMA = 0.0104, 3.4


def lennard_jones(atoms):
    """With energy and forces, and, for a crystal, stress, by ASE."""
    atoms.calc = LennardJones(sigma=SIGMA, epsilon=EPSILON, rc=6.0, ro=4.0, smooth=True)
    results = {"energy": atoms.get_potential_energy(), "forces": atoms.get_forces()}
    return label(atoms, **results | ({"stress": atoms.get_stress()} if atoms.cell.rank == 3 else {}))


@pytest.fixture(scope="module")
def clusters():
    rng = np.random.default_rng(1)
    shape = 3.8 * np.array([[0, 0, 0], [1, 0, 0], [0.5, 0.87, 0], [0.5, 0.29, 0.82], [0.5, 0.29, -0.82]])
    return [lennard_jones(Atoms(f"Ar{n}", shape[:n] + rng.normal(scale=0.1, size=(n, 3)))) for n in rng.integers(2, 6, size=24)]


@pytest.fixture(scope="module")
def mixed(argon_frames, clusters):
    """Crystals, which have a stress, and clusters, which have none."""
    return [*argon_frames[:16], *clusters[:16]]


def potential(**settings):
    trainer = {name: settings.pop(name) for name in list(settings) if name in Trainer().get_params()}
    trainer = Trainer(**{"epochs": 40, "batch_size": 8, "learning_rate": 0.03} | trainer)
    return NetworkPotential(LennardJonesNetwork(), trainer, **{"dtype": "float64"} | settings)


@pytest.fixture(scope="module")
def trained(mixed, argon_frames, clusters):
    return potential().fit(mixed, [*argon_frames[16:20], *clusters[16:]], progress=False)


@pytest.fixture(scope="module")
def exact(mixed):
    """Not trained, but given the weights of the reference."""
    model = potential(epochs=0).fit(mixed, progress=False)
    model.weights_ = {"energy": np.array(-model.baseline_.energies_[0] / model.scale_), "sigma": np.array(SIGMA),
                      "epsilon": np.array(EPSILON / model.scale_)}
    return model


def rounding(prediction, truth):
    """Largest difference of energies, forces and stresses, relative to the largest value of each."""
    pairs = [(prediction.energies, truth.energies), (np.concatenate(prediction.forces), np.concatenate(truth.forces)),
             (prediction.stresses, truth.stresses)]
    return max(np.nanmax(np.abs(a - b)) / np.nanmax(np.abs(b)) for a, b in pairs)


def test_forces_and_stress_by_autograd_are_those_of_ase(exact, argon_frames, clusters):
    frames = [*argon_frames[30:], *clusters]
    assert rounding(exact.predict(frames), labels(frames)) < 1e-12
    assert (exact.predict(frames).stresses[10:] == 0).all()  # a cluster has no volume


def test_training_recovers_the_parameters_that_made_the_labels(trained):
    assert trained.network_.epsilon.item() * trained.scale_ == pytest.approx(EPSILON, rel=1e-3)
    assert trained.network_.sigma.item() == pytest.approx(SIGMA, rel=1e-4)
    energy = trained.network_.energy.item() * trained.scale_ + trained.baseline_.energies_[0]
    assert energy == pytest.approx(0, abs=1e-4)


def test_energies_alone_teach_forces_too(argon_frames):
    frames = [label(atoms.copy(), energy=atoms.get_potential_energy()) for atoms in argon_frames]
    fitted = potential(epochs=80, learning_rate=0.1).fit(frames, progress=False)
    assert "training force MAE (meV/Å)" not in fitted.history_
    table = scores(fitted.predict(argon_frames), argon_frames)
    assert table.loc["force MAE (meV/Å)", "model"] < 0.2 * table.loc["force MAE (meV/Å)", "mean predictor"]


def slope(model, atoms, move, step):
    """Central difference of fourth order of the energy along `move(copy, h)`."""
    moved = []
    for times in (-2, -1, 1, 2):
        moved.append(atoms.copy())
        move(moved[-1], times * step)
    return np.dot([1, -8, 8, -1], model.predict(moved).energies) / (12 * step)


def test_forces_and_stress_are_the_slopes_of_the_energy(trained, argon_frames):
    atoms = argon_frames[35]
    said, rng = trained.predict([atoms]), np.random.default_rng(0)
    along, strain = rng.normal(size=(4, 3)), rng.normal(size=(3, 3))
    strain += strain.T
    work = slope(trained, atoms, lambda a, h: a.set_positions(a.positions + h * along), 1e-3)
    assert work == pytest.approx(-np.vdot(said.forces[0], along), rel=1e-7)
    stretch = slope(trained, atoms, lambda a, h: a.set_cell(a.cell @ (np.eye(3) + h * strain), scale_atoms=True), 1e-4)
    assert stretch == pytest.approx(np.vdot(said.stresses[0], strain) * atoms.cell.volume, rel=1e-7)


def test_molecular_dynamics_conserves_the_energy(trained):
    spread = []
    for femtoseconds in (8, 4):
        atoms = argon(np.random.default_rng(3), rattle=0.05)
        atoms.calc = trained.calculator()
        thermalize_momenta(atoms, temperature_K=60, rng=np.random.default_rng(0))
        totals, dynamics = [], VelocityVerlet(atoms, femtoseconds * units.fs)
        dynamics.attach(lambda totals=totals, atoms=atoms: totals.append(atoms.get_total_energy()))
        dynamics.run(600 // femtoseconds)
        spread.append(np.std(totals))
    assert spread[0] < 1e-4 and spread[0] / spread[1] == pytest.approx(4, rel=0.3)  # second order in the time step


def test_a_cell_twice_as_long_has_twice_the_energy_and_the_same_stress(trained, argon_frames):
    once, twice = trained.predict([argon_frames[30], argon_frames[30].repeat((2, 1, 1))]).energies
    assert twice == pytest.approx(2 * once, rel=1e-12)
    stresses = trained.predict([argon_frames[30], argon_frames[30].repeat((2, 1, 1))]).stresses
    np.testing.assert_allclose(stresses[1], stresses[0], rtol=1e-10, atol=1e-14)


def test_neither_company_nor_order_nor_chunks_change_a_prediction(trained, mixed):
    together, order = trained.predict(mixed), np.random.default_rng(0).permutation(len(mixed))
    alone = [clone(trained).set_params(atoms_at_once=n) for n in (1, 13)]
    for other in alone:
        vars(other).update({name: value for name, value in vars(trained).items() if name.endswith("_")})
        assert rounding(other.predict(mixed), together) < 1e-13
    shuffled = trained.predict([mixed[i] for i in order])
    np.testing.assert_allclose(shuffled.energies, together.energies[order], rtol=1e-13)
    for row, i in enumerate(order):
        np.testing.assert_allclose(shuffled.forces[row], together.forces[i], rtol=1e-10, atol=1e-14)


def test_it_keeps_its_symmetry_in_both_precisions(trained, argon_frames, clusters):
    frames = [argon_frames[0], clusters[3]]
    assert (audit(trained, frames).verdict == "kept").all()
    single = clone(trained).set_params(dtype="float32", trainer__epochs=1).fit(argon_frames[:4], progress=False)
    table = audit(single, frames)
    assert (table.verdict == "kept").all() and (table.tolerance > 1e-4).all()


def test_single_precision_says_the_same_to_seven_digits(mixed):
    double = potential(epochs=2).fit(mixed, progress=False)
    before = double.predict(mixed)
    after = double.set_params(dtype="float32").predict(mixed)
    assert before.forces[0].dtype == np.float64 and after.forces[0].dtype == after.stresses.dtype == np.float32
    assert after.energies.dtype == np.float64  # total energies of thousands of eV need more than seven digits
    assert 0 < rounding(after, before) < 1e-5


def test_a_large_energy_of_the_elements_costs_no_digits(clusters):
    frames = [label(atoms.copy(), energy=atoms.get_potential_energy() + 14000.0 * len(atoms), forces=atoms.get_forces())
              for atoms in clusters]
    fitted = potential(epochs=0, dtype="float32").fit(frames, progress=False)
    plain = potential(epochs=0, dtype="float32").fit(clusters, progress=False)
    np.testing.assert_allclose(fitted.predict(frames).energies - 14000.0 * np.array([len(a) for a in frames]),
                               plain.predict(clusters).energies, atol=1e-6)  # float32 has steps of 4e-3 eV there


def test_the_reported_errors_and_loss_are_those_of_the_predictions(mixed, argon_frames, clusters):
    held_out = [*argon_frames[20:23], *clusters[16:21]]
    model = potential(epochs=1, energy_weight=0.3, force_weight=2.0, stress_weight=0.7).fit(mixed, held_out, progress=False)
    said, truth, row = model.predict(held_out), labels(held_out), model.history_.iloc[-1]
    table = scores(said, held_out)["model"]
    for quantity in ("energy MAE (meV/atom)", "force MAE (meV/Å)", "stress MAE (meV/Å³)"):
        assert row[f"validation {quantity}"] == pytest.approx(table[quantity], rel=1e-10)
    loss = []
    for i, atoms in enumerate(held_out):
        energy = (said.energies[i] - truth.energies[i]) / len(atoms)
        virial = np.nan_to_num(said.stresses[i] - truth.stresses[i]) * atoms.cell.volume / len(atoms)
        loss.append(0.3 * energy**2 + 2.0 * np.mean((said.forces[i] - truth.forces[i]) ** 2) + 0.7 * np.mean(virial**2))
    assert row["validation loss"] == pytest.approx(np.mean(loss) / model.scale_**2, rel=1e-10)
    assert model.scale_ == pytest.approx(np.sqrt(np.mean(np.concatenate(labels(mixed).forces) ** 2)))


def test_a_weight_of_zero_leaves_its_labels_out(mixed):
    history = potential(epochs=1, force_weight=0, stress_weight=0).fit(mixed, progress=False).history_
    assert [name for name in history if "MAE" in name] == ["training energy MAE (meV/atom)"]


def test_a_seed_decides_everything_and_leaves_the_callers_random_numbers_alone(mixed):
    network = LennardJonesNetwork()
    before = network.epsilon.item()
    fits = {}
    for name, seed in [("first", 5), ("again", 5), ("other", 6)]:
        torch.manual_seed(len(name))
        expected = torch.rand(1, generator=torch.Generator().manual_seed(len(name)))
        model = NetworkPotential(network, Trainer(epochs=2, batch_size=8), random_state=seed).fit(mixed, progress=False)
        model.predict(mixed[:1])
        assert torch.rand(1) == expected and torch.get_default_dtype() == torch.float32
        fits[name] = {k: v.tolist() for k, v in model.weights_.items()}
    assert fits["first"] == fits["again"] != fits["other"]
    assert network.epsilon.item() == before  # what was given was not trained


def test_the_best_epoch_is_what_predicts(mixed, argon_frames):
    wild = potential(learning_rate=0.3, epochs=12, schedule=None).fit(mixed, argon_frames[20:], progress=False)
    history = wild.history_
    best = history["validation loss"].idxmin()
    assert 0 < best < 11 and history[history.kept].index[-1] == best
    error = scores(wild.predict(argon_frames[20:]), argon_frames[20:]).loc["force MAE (meV/Å)", "model"]
    assert error == pytest.approx(history["validation force MAE (meV/Å)"][best])


def test_what_was_saved_predicts_the_same_bits_and_is_loaded_elsewhere(trained, mixed, tmp_path):
    trained.save(tmp_path / "argon.safetensors")
    loaded = Potential.load(tmp_path / "argon.safetensors")
    before, after = trained.predict(mixed), loaded.predict(mixed)
    np.testing.assert_array_equal(after.energies, before.energies)
    np.testing.assert_array_equal(np.concatenate(after.forces), np.concatenate(before.forces))
    np.testing.assert_array_equal(after.stresses, before.stresses)
    assert repr(loaded) == repr(trained) and loaded.history_.equals(trained.history_)
    loaded.set_params(device="meta").save(tmp_path / "elsewhere.safetensors")  # as if trained on a device we do not have
    moved = NetworkPotential.load(tmp_path / "elsewhere.safetensors")
    with pytest.warns(UserWarning, match="meta"):
        assert moved.network_.epsilon.device.type == "meta"
    np.testing.assert_array_equal(moved.set_params(device="cpu").predict(mixed).energies, before.energies)


def test_a_checkpoint_of_another_network_or_class_is_refused_in_words(trained, mixed, tmp_path):
    trained.save(tmp_path / "argon.safetensors")
    with pytest.raises(ValueError, match=r"holds a .*NetworkPotential, not a CompositionBaseline"):
        CompositionBaseline.load(tmp_path / "argon.safetensors")
    other = NetworkPotential.load(tmp_path / "argon.safetensors")
    del other.weights_["sigma"]
    with pytest.raises(ValueError, match=r"(?s)weights are those of another LennardJonesNetwork.*train it again.*sigma"):
        other.predict(mixed)


def test_a_fit_that_was_interrupted_goes_on_from_the_best_it_had(mixed, argon_frames, monkeypatch):
    model, steps = potential(epochs=10, warm_start=True), []

    def stop(self, network, items, loss=NetworkPotential._loss):
        steps.append(network.training)
        if sum(steps) > 4 * 6:
            raise KeyboardInterrupt
        return loss(self, network, items)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(NetworkPotential, "_loss", stop)
        model.fit(mixed, argon_frames[20:], progress=False)
    with pytest.raises(NotFittedError):
        model.predict(mixed)
    whole = potential(epochs=10).fit(mixed, argon_frames[20:], progress=False).history_
    reached = whole["validation loss"][:6].min()
    model.set_params(trainer__epochs=0).fit(mixed, argon_frames[20:], progress=False)
    force = scores(model.predict(argon_frames[20:]), argon_frames[20:]).loc["force MAE (meV/Å)", "model"]
    assert force == pytest.approx(whole["validation force MAE (meV/Å)"][whole["validation loss"][:6].idxmin()])
    again = model.set_params(trainer__epochs=3, trainer__learning_rate=1e-4).fit(mixed, argon_frames[20:], progress=False)
    assert again.history_["validation loss"][0] < 1.5 * reached
    cold = potential(epochs=3, learning_rate=1e-4).fit(mixed, argon_frames[20:], progress=False)
    assert cold.history_["validation loss"].min() > 3 * reached


def test_graphs_are_computed_once_whatever_the_number_of_epochs(mixed, monkeypatch):
    from course_lib.learning import network_potential

    calls = []

    def counted(frames, cutoff, search=network_potential.neighbour_graphs):
        calls.append(len(frames))
        return search(frames, cutoff)

    monkeypatch.setattr(network_potential, "neighbour_graphs", counted)
    potential(epochs=4).fit(mixed, mixed[:3], progress=False)
    assert sorted(calls) == [3, len(mixed)]


def test_learning_curves_draw_new_weights_for_every_seed(argon_frames):
    table = learning_curve({"LJ": potential(epochs=3)}, argon_frames[:20], argon_frames[30:], [4, 16], [0, 1])
    errors = table["force MAE (meV/Å)"]
    assert len(table) == 4 and errors.nunique() == 4


class Adapted(LennardJonesNetwork):
    """Counts what it is shown before training, in a buffer."""

    def __init__(self, species=(18,), cutoff=6.0):
        super().__init__(species, cutoff)
        self.register_buffer("seen", torch.zeros(2, dtype=torch.int64))

    def adapt(self, batches):
        for batch in batches:
            self.seen += torch.tensor([1, len(batch.species)])


def test_a_network_sees_the_training_data_once_before_training(mixed):
    model = NetworkPotential(Adapted(), Trainer(epochs=2, batch_size=5, ema=0.9), warm_start=True)
    for _ in range(2):  # and not again when it goes on
        model.fit(mixed, progress=False)
        assert model.network_.seen.tolist() == [7, sum(len(atoms) for atoms in mixed)]


class Molecular(LennardJonesNetwork):
    def forward(self, batch):
        return super().forward(batch).sum()


@pytest.mark.parametrize("model, error, words", [
    (NetworkPotential(torch.nn.Linear(1, 1)), TypeError, "is a Linear; it must derive from course_lib.learning.Network"),
    (NetworkPotential(LennardJonesNetwork([36])), ValueError, "Ar, which the model does not know; its species are Kr"),
    (NetworkPotential(Molecular()), ValueError, r"Molecular gave energies of shape \(\) for"),
    (potential(dtype="half"), ValueError, "dtype is 'half'"),
    (potential(energy_weight=0, force_weight=0, stress_weight=0), ValueError, "not all 0"),
    (potential(force_weight=np.nan), ValueError, "weights must be finite"),
    (potential(force_weight=-1.0), ValueError, "0 or more"),
])
def test_what_cannot_be_trained_is_refused_in_words(model, error, words, mixed):
    with pytest.raises(error, match=words):
        model.fit(mixed, progress=False)


def test_without_a_trainer_there_are_a_hundred_epochs(clusters):
    assert len(NetworkPotential(LennardJonesNetwork()).fit(clusters[:3], progress=False).history_) == 100


def test_energies_that_are_not_wanted_need_forces(clusters):
    frames = [label(atoms.copy(), energy=atoms.get_potential_energy()) for atoms in clusters]
    with pytest.raises(ValueError, match="nothing to learn from"):
        potential(energy_weight=0).fit(frames, progress=False)


def test_a_network_is_cloned_with_fresh_weights_and_shown_by_its_arguments():
    network = LennardJonesNetwork(cutoff=5.0)
    other = clone(network)
    assert isinstance(other, Network) and other.cutoff == 5.0 and other.epsilon != network.epsilon
    assert repr(network) == "LennardJonesNetwork(cutoff=5.0)"
    assert network.get_params() == {"species": (18,), "cutoff": 5.0, "onset": 4.0}
    assert sum(1 for _ in network.parameters()) == 3


def test_a_skin_changes_no_step_of_a_trajectory(trained):
    paths, searches = [], []
    for skin in (0.0, 0.8):
        atoms, calculator = argon(np.random.default_rng(3), rattle=0.05), trained.calculator(skin)
        atoms.calc = calculator
        thermalize_momenta(atoms, temperature_K=60, rng=np.random.default_rng(0))
        VelocityVerlet(atoms, 8 * units.fs).run(60)
        paths.append(atoms.positions)
        searches.append(calculator.neighbours.searches)
    np.testing.assert_allclose(*paths, rtol=1e-11)  # edges of an atom may stand in another order
    assert searches[0] == 61 and searches[1] < 10


def test_the_calculator_says_what_predict_says_with_and_without_a_volume(trained, argon_frames):
    atoms = argon_frames[0].copy()
    atoms.calc = trained.calculator()
    np.testing.assert_allclose(atoms.get_forces(), trained.predict([argon_frames[0]]).forces[0], atol=1e-13)
    assert np.isfinite(atoms.get_stress()).all()
    molecule = Atoms("Ar2", [[0, 0, 0], [0, 0, 4]], calculator=trained.calculator())
    assert np.isfinite(molecule.get_forces()).all()
