"""SchNet against schnetpack's own, against finite differences, and against what its symmetry says it can and cannot do."""

from pathlib import Path

import numpy as np
import pytest
import torch
from ase import Atoms, units
from ase.build import bulk
from ase.calculators.lj import LennardJones
from ase.calculators.singlepoint import SinglePointCalculator
from ase.md.velocitydistribution import thermalize_momenta
from ase.md.verlet import VelocityVerlet
from judged_network import (
    assert_company_and_order_change_nothing,
    assert_forces_and_stress_are_slopes,
    assert_one_energy_for_both_hands,
    energies_and_forces,
    felt,
    labelled,
    peer_frames,
    some_frames,
    untrained,
)
from sklearn.base import clone

from course_lib.learning import NetworkPotential, Trainer, scores
from course_lib.point_clouds import SchNet
from course_lib.structures import AtomBatch, load
from course_lib.symmetry import audit

ORACLE = np.load(Path(__file__).parents[1] / "oracles/schnetpack.npz")
LAYERS = {"filter_network.0": "filter.0", "filter_network.1": "filter.2", "in2f": "inner", "f2out.0": "outer.0",
          "f2out.1": "outer.2", "representation": "", "output_modules.0.outnet.0": "readout.0",
          "output_modules.0.outnet.1": "readout.2"}


def peer_network():
    """Ours with the peer's weights, and the peer's SiLU in the read-out."""
    network = SchNet(ORACLE["species"].tolist(), float(ORACLE["cutoff"]), int(ORACLE["features"]),
                     int(ORACLE["interactions"]), int(ORACLE["gaussians"])).double()
    weights = {}
    for theirs in ORACLE.files:
        if theirs.startswith(("representation.", "output_modules.")) and "cutoff" not in theirs:
            ours = theirs
            for before, after in LAYERS.items():
                ours = ours.replace(before, after).removeprefix(".")
            weights[ours] = torch.tensor(ORACLE[theirs], dtype=torch.float64)
    network.load_state_dict(weights)
    network.readout[1] = torch.nn.SiLU()
    return network


def small(species=(1, 6, 8), dtype=torch.float64, **settings):
    torch.manual_seed(0)
    return SchNet(list(species), **{"n_features": 16, "n_interactions": 2, "n_rbf": 12} | settings).to(dtype)


def test_with_the_weights_of_schnetpack_it_says_what_schnetpack_says():
    energies, forces = energies_and_forces(peer_network(), peer_frames(ORACLE))
    np.testing.assert_allclose(energies, ORACLE["energies"], rtol=1e-12)
    np.testing.assert_allclose(forces, ORACLE["forces"], atol=1e-12 * np.abs(ORACLE["forces"]).max())


def test_the_peer_would_notice_another_convention():
    network = peer_network()
    network.readout[1] = small().readout[1]
    energies, _ = energies_and_forces(network, peer_frames(ORACLE))
    assert np.abs(energies - ORACLE["energies"]).min() > 1e-6


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("envelope", ["cosine", "quintic", None])
def test_it_keeps_its_symmetry(dtype, envelope):
    frames = some_frames()
    table = audit(untrained(small((1, 6, 8, 14), cutoff=4.0, envelope=envelope), frames, dtype), frames)
    assert (table.verdict == "kept").all() and len(table) >= 5


def test_left_and_right_hand_have_one_energy():
    """Every distance agrees, so nothing can tell them apart."""
    assert_one_energy_for_both_hands(small((1, 6, 9, 17, 35)))


def test_forces_and_stress_are_slopes():
    assert_forces_and_stress_are_slopes(small((6, 14)))


def test_neither_company_nor_order_in_a_batch_change_an_energy():
    assert_company_and_order_change_nothing(small(cutoff=4.0))


def test_a_message_reaches_as_many_cutoffs_as_there_are_interactions():
    for n_interactions in (1, 2, 3):
        assert felt(small(cutoff=3.0, n_interactions=n_interactions)) == [n <= n_interactions for n in range(4)]


def jumps(envelope, order, h=1e-3):
    """By how much the `order`-th slope of a pair's energy differs on the two sides of the cutoff."""
    network, frames = small(cutoff=3.0, envelope=envelope), []
    for side in (-1, 1):
        frames += [Atoms("CO", [[0, 0, 0], [3.0 + side * (1e-9 + n * h), 0, 0]]) for n in range(order + 1)]
    below, above = energies_and_forces(network, frames)[0].reshape(2, -1)
    return abs(np.diff(below[::-1], order)[0] - np.diff(above, order)[0]) / h**order


def test_energies_are_as_smooth_at_the_cutoff_as_the_envelope():
    assert jumps(None, 0) > 1e-3
    assert jumps("cosine", 0) < 1e-12 and jumps("cosine", 1) < 1e-3 < 1e-2 < jumps("cosine", 2)
    assert jumps("quintic", 1) < 1e-5 and jumps("quintic", 2) < 1e-1
    assert jumps("cosine", 1, 1e-4) == pytest.approx(jumps("cosine", 1) / 10, rel=0.1)  # no jump: it goes with h
    assert jumps("quintic", 2, 1e-4) == pytest.approx(jumps("quintic", 2) / 10, rel=0.2)


def argon(rng, n=2):
    """A face-centred crystal of 4 n³ atoms, shaken; labelled by ASE's smooth Lennard-Jones."""
    atoms = bulk("Ar", "fcc", a=5.3, cubic=True).repeat(n)
    atoms.rattle(0.25, rng=rng)
    reference = atoms.copy()
    reference.calc = LennardJones(sigma=3.4, epsilon=0.0104, rc=5.0, ro=4.0, smooth=True)
    atoms.calc = SinglePointCalculator(atoms, energy=reference.get_potential_energy(), forces=reference.get_forces())
    return atoms


@pytest.fixture(scope="module")
def trained():
    rng = np.random.default_rng(0)
    frames = [argon(rng) for _ in range(16)]
    model = NetworkPotential(small((18,), cutoff=4.6, n_rbf=16, envelope="quintic"),
                             Trainer(epochs=30, batch_size=4, learning_rate=0.02, ema=0.9), dtype="float64")
    return {envelope: clone(model).set_params(network__envelope=envelope).fit(frames[:12], frames[12:], progress=False)
            for envelope in ("quintic", None)}, frames[12:]


def drift(model):
    """|slope| of the total energy in eV/atom/ps over 2 ps of NVE at about 60 K, and its scatter about the line in eV/atom."""
    atoms = argon(np.random.default_rng(5))
    atoms.calc = model.calculator()
    thermalize_momenta(atoms, temperature_K=60, rng=np.random.default_rng(0))
    totals, dynamics = [], VelocityVerlet(atoms, 8 * units.fs)
    dynamics.attach(lambda: totals.append(atoms.get_total_energy() / len(atoms)))
    dynamics.run(250)
    time = 0.008 * np.arange(len(totals))
    line = np.polyfit(time, totals, 1)
    return abs(line[0]), np.std(totals - np.polyval(line, time))


def test_energy_is_conserved_with_a_smooth_cutoff_and_not_with_a_hard_one(trained):
    models, held_out = trained
    table = {envelope: scores(model.predict(held_out), held_out) for envelope, model in models.items()}
    for errors in table.values():  # both have learned, so that the comparison means something
        assert errors.loc["force MAE (meV/Å)", "model"] < 0.4 * errors.loc["force MAE (meV/Å)", "mean predictor"]
    smooth, hard = drift(models["quintic"]), drift(models[None])
    assert smooth[0] < 1e-5 and smooth[1] < 1e-5
    assert hard[0] > 1e-5 and hard[1] > 10 * smooth[1]


def test_it_learns_forces_of_ethanol_in_seconds():
    data = load("ethanol")
    model = NetworkPotential(small(dtype=torch.float32, n_features=32), Trainer(epochs=6, batch_size=8, learning_rate=5e-3))
    model.fit(data.train[:160], progress=False)
    errors = scores(model.predict(data.test[:50]), data.test[:50])
    assert errors.loc["force MAE (meV/Å)", "model"] < 0.5 * errors.loc["force MAE (meV/Å)", "mean predictor"]


def test_its_filters_carry_the_messages():
    """Of one interaction whose other layers hand through: the features of a pair are the filter at their distance."""
    network = small(n_interactions=1)
    with torch.no_grad():
        network.interactions[0].inner.weight.copy_(torch.eye(16))
        network.embedding.weight.fill_(1)
    received = []
    network.interactions[0].outer.register_forward_pre_hook(lambda _, inputs: received.append(inputs[0]))
    network(AtomBatch.from_frames([Atoms("CO", [[0, 0, 0], [0, 0, 1.3]])], 5.0, torch.float64))
    seen = network.filters(torch.tensor([1.3, 5.0, 6.0], dtype=torch.float64))
    assert seen.shape == (1, 3, 16)
    np.testing.assert_allclose(received[0].detach(), seen[0, [0, 0]], rtol=1e-12)
    assert seen[0, 0].abs().max() > 0 and seen[0, 1:].abs().max() < 1e-15


@pytest.mark.parametrize("settings, words", [
    (dict(envelope="linear"), "envelope is 'linear'; it must be 'cosine', 'quintic' or None"),
    (dict(species=[6, 6]), r"species are \[6, 6\]; give each element once"), (dict(species=[]), "species"),
    (dict(cutoff=-1.0), "cutoff must be a positive length"), (dict(n_rbf=1), "n ≥ 2"),
    (dict(n_interactions=0), "n_features and n_interactions must be 1 or more; got 128 and 0"),
])
def test_settings_without_meaning_are_refused(settings, words):
    with pytest.raises(ValueError, match=words):
        SchNet(**{"species": [1, 6]} | settings)


def test_an_element_it_does_not_know_is_refused_by_name():
    model = NetworkPotential(small(), Trainer(epochs=0))
    with pytest.raises(ValueError, match="Si, which the model does not know"):
        model.fit(labelled([bulk("Si")]), progress=False)
