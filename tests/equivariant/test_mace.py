"""MACE against a sum over tuples of neighbours, against finite differences, and against what body order and symmetry say."""

from itertools import combinations_with_replacement, product

import numpy as np
import pytest
import torch
from ase import Atoms
from ase.build import molecule
from judged_network import (
    assert_company_and_order_change_nothing,
    assert_forces_and_stress_are_slopes,
    assert_one_energy_for_both_hands,
    felt,
    some_frames,
    untrained,
)

import course_lib.equivariant.mace as module
from course_lib.equivariant import MACE
from course_lib.kernels.degeneracies import ring_pair
from course_lib.learning import NetworkPotential, Potential, Trainer, scores
from course_lib.structures import AtomBatch, load
from course_lib.symmetry import audit, invariant_couplings, spherical_harmonics


def small(species=(1, 6, 8), **settings):
    torch.manual_seed(0)
    return MACE(list(species), **{"n_features": 4, "l_max_edge": 2, "radial": (16,)} | settings).double()


def atomic_energies(network, frames):
    with torch.no_grad():
        return network(AtomBatch.from_frames(frames, network.cutoff, torch.float64)).numpy()


def mixed(x, W):
    """Weights are drawn with variance 1 and divided by √n in use."""
    return x @ (W.detach().numpy() / len(W) ** 0.5)


def perceptron(network, x):
    for layer, W in enumerate(network.weights):
        x = mixed(x / (1 + np.exp(-x)) / 0.59647 if layer else x, W)
    return x


def one_body(network, layer, vector, sent):
    """What a neighbour at `vector` adds to A, by degree, (2l + 1, F) each in our own components."""
    r, n, p = np.linalg.norm(vector), np.arange(1, network.n_bessel + 1), network.p
    x = r / network.cutoff
    fade = 1 - (p + 1) * (p + 2) / 2 * x**p + p * (p + 2) * x ** (p + 1) - p * (p + 1) / 2 * x ** (p + 2)
    R = perceptron(layer.R, np.sqrt(2 / network.cutoff) * np.sin(n * np.pi * x) / r * fade).reshape(network.l_max_edge + 1, -1)
    Y = np.sqrt(4 * np.pi) * spherical_harmonics(network.l_max_edge, vector)
    return [mixed(np.outer(Y[l * l:(l + 1) ** 2], R[l] * sent / float(network.neighbours)), layer.outer.weights[l])
            for l in range(network.l_max_edge + 1)]


def by_tuples(network, atoms, i):
    """The energy of atom i of a molecule by one layer: over all tuples of up to ν neighbours, one coupling after the other."""
    layer, = network.layers
    element = np.searchsorted(sorted(network.species), atoms.numbers)
    embedded = network.embedding.weight.detach().numpy()[element]
    others = [j for j in range(len(atoms)) if j != i and atoms.get_distance(i, j) < network.cutoff]
    sent = mixed(embedded, layer.inner.weights[0])
    A = [one_body(network, layer, atoms.positions[j] - atoms.positions[i], sent[j]) for j in others]
    w, path, m = layer.products.weights[0].detach().numpy()[element[i]], 0, np.zeros(network.n_features)
    for order in range(1, network.correlation + 1):
        for degrees in combinations_with_replacement(range(network.l_max_edge + 1), order):
            for C in invariant_couplings((*degrees, 0), (*degrees, "L"))[..., 0] if sum(degrees) % 2 == 0 else []:
                for neighbours in product(A, repeat=order):
                    factors = sum(([one[l], [axis, order]]
                                   for axis, (l, one) in enumerate(zip(degrees, neighbours, strict=True))), [])
                    m += w[:, path] / w.shape[1] ** 0.5 * np.einsum(C, list(range(order)), *factors, [order])
                path += 1
    h = mixed(m, layer.message.weights[0]) + mixed(embedded[i], layer.connection.weights[0][element[i]])
    return perceptron(network.readouts[0], h).item()


@pytest.mark.parametrize("correlation, l_max_edge", [(1, 2), (2, 2), (3, 1)])
def test_an_energy_is_a_sum_over_tuples_of_neighbours(correlation, l_max_edge):
    network, atoms = small(n_layers=1, correlation=correlation, l_max_edge=l_max_edge, cutoff=2.5), molecule("CH3OH")
    network.neighbours.fill_(2.5)
    atoms.rattle(0.1, seed=1)
    np.testing.assert_allclose(atomic_energies(network, [atoms]), [by_tuples(network, atoms, i) for i in range(len(atoms))],
                               rtol=1e-9)


def audited(dtype="float64", **settings):
    frames = some_frames()
    return audit(untrained(small((1, 6, 8, 14), cutoff=4.0, **settings), frames, dtype), frames).set_index("element")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("settings", [{"l_max": 2, "l_max_edge": 3}, {"correlation": 4}, {"l_max": 0}, {"n_layers": 3}])
def test_it_keeps_its_symmetry(dtype, settings):
    table = audited(dtype, **settings)
    assert (table.verdict == "kept").all() and len(table) >= 5


def test_harmonics_in_another_order_break_rotations_and_nothing_else(monkeypatch):
    right = module.harmonics
    monkeypatch.setattr(module, "harmonics", lambda vectors, l_max: right(vectors, l_max)[:, [0, 1, 2, 3, 5, 4, 6, 7, 8]])
    table = audited()
    assert (table.verdict[["proper rotation", "inversion, reflection"]] == "BROKEN").all()
    assert (table.verdict[["permutation of like atoms", "translation", "periodic image"]] == "kept").all()


def test_with_every_label_called_even_vectors_and_pseudovectors_mix_and_inversion_breaks(monkeypatch):
    right = module.harmonic_labels
    monkeypatch.setattr(module, "harmonic_labels", lambda l_max: right(l_max, parity=False))
    table = audited()
    assert table.verdict["proper rotation"] == "kept" and table.verdict["inversion, reflection"] == "BROKEN"


def test_forces_and_stress_are_slopes():
    assert_forces_and_stress_are_slopes(small((6, 14)))


@pytest.mark.parametrize("order", [2, 3])
def test_one_layer_tells_environments_apart_by_tuples_of_as_many_neighbours_as_its_correlation(order):
    """The carbons of a ring pair of order n have the same n-tuples of neighbours, and differ in one of n + 1."""
    pair = ring_pair(order)
    for correlation in (order, order + 1):
        network = small((1, 6), n_layers=1, l_max_edge=3, correlation=correlation, cutoff=1.5)
        energies = atomic_energies(network, [pair.first, pair.second])
        carbons = energies[[*(pair.first.numbers == 6), *(pair.second.numbers == 6)]]
        difference = abs(np.diff(carbons)[0]) / np.abs(carbons).max()
        assert difference < 1e-12 if correlation == order else difference > 1e-6


def test_with_a_second_layer_two_factors_are_enough():
    pair = ring_pair(2)
    energies = atomic_energies(small((1, 6), correlation=2, l_max_edge=3), [pair.first, pair.second])
    carbons = energies[[*(pair.first.numbers == 6), *(pair.second.numbers == 6)]]
    assert abs(np.diff(carbons)[0]) > 1e-6 * np.abs(carbons).max()


def test_left_and_right_hand_have_one_energy_whatever_the_body_order():
    assert_one_energy_for_both_hands(small((1, 6, 9, 17, 35), correlation=4, l_max_edge=3))


def test_neither_company_nor_order_in_a_batch_change_an_energy():
    assert_company_and_order_change_nothing(small(cutoff=4.0))


def test_a_message_reaches_as_many_cutoffs_as_there_are_layers():
    for n_layers in (1, 2, 3):
        assert felt(small(cutoff=3.0, n_layers=n_layers)) == [n <= n_layers for n in range(4)]


def test_energies_are_smooth_at_the_cutoff():
    distances = 3.0 + np.array([-1e-3, 1e-3])
    energies = [atomic_energies(small(cutoff=3.0), [Atoms("CO", [[0, 0, 0], [0, 0, r]])]).sum() for r in distances]
    apart = atomic_energies(small(cutoff=3.0), [Atoms("CO", [[0, 0, 0], [0, 0, 4]])]).sum()
    assert energies[1] == apart and 0 < abs(energies[0] - apart) < 1e-7


def test_it_learns_forces_of_ethanol_in_seconds_and_is_kept_on_file(tmp_path):
    data = load("ethanol")
    network = MACE([1, 6, 8], n_features=8, l_max_edge=2, radial=(32,))
    model = NetworkPotential(network, Trainer(epochs=4, batch_size=5, learning_rate=0.02))
    model.fit(data.train[:80], progress=False)
    said = model.predict(data.test[:20])
    errors = scores(said, data.test[:20])
    assert errors.loc["force MAE (meV/Å)", "model"] < 0.5 * errors.loc["force MAE (meV/Å)", "mean predictor"]
    assert model.network_.neighbours == 8
    model.save(tmp_path / "mace.safetensors")
    again = Potential.load(tmp_path / "mace.safetensors").predict(data.test[:20])
    np.testing.assert_array_equal(again.energies, said.energies)


@pytest.mark.parametrize("settings, words", [
    (dict(species=[6, 6]), r"species are \[6, 6\]; give each element once"), (dict(cutoff=-1.0), "cutoff"),
    (dict(correlation=0), "must be 1 or more, l_max and l_max_edge 0 or more; got 4, 0, 2, 16, 1 and 2"),
    (dict(l_max=-1), "got 4, 3, 2, 16, -1 and 2"),
])
def test_settings_without_meaning_are_refused(settings, words):
    with pytest.raises(ValueError, match=words):
        small(**{"species": [1, 6]} | settings)
