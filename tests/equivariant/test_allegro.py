"""Allegro against nequip-allegro's own, finite differences, its declared symmetry, and what strict locality says."""

from pathlib import Path

import numpy as np
import pytest
import torch
from ase import Atoms
from judged_network import (
    assert_company_and_order_change_nothing,
    assert_energies_fade,
    assert_forces_and_stress_are_slopes,
    assert_one_energy_for_both_hands,
    bent,
    energies,
    felt,
    peer_frames,
    some_frames,
    untrained,
)

from course_lib.equivariant import Allegro
from course_lib.equivariant.linear import SILU_SIZE
from course_lib.equivariant.tensor_product import Convolution, Label, harmonic_labels
from course_lib.kernels.degeneracies import ring_pair
from course_lib.learning import NetworkPotential, Trainer, scores
from course_lib.structures import AtomBatch, load
from course_lib.symmetry import audit

ORACLE = np.load(Path(__file__).parents[1] / "oracles/allegro.npz")


def peer_network(parity):
    """Ours with the peer's weights, translated: where a constant of normalisation differs, weights take it up."""
    cutoff, S, C, L = (ORACLE[name].item() for name in ("cutoff", "scalars", "tensors", "l_max"))
    layers, hidden, latent, readout = (ORACLE[name].item() for name in ("layers", "two_body", "latent", "readout"))
    network = Allegro([1, 6, 8], cutoff, S, C, L, layers, parity, ORACLE["waves"].item(), ORACLE["embedding"].item(),
                      (hidden, hidden), (latent,), (readout,)).double()

    def theirs(name):
        return torch.tensor(ORACLE[f"{parity}/model.func.{name}"])

    def fill(perceptron, *matrices):
        for layer, (weight, matrix) in enumerate(zip(perceptron.weights, matrices, strict=True)):
            weight.copy_(matrix * np.sqrt(len(matrix)) * (SILU_SIZE if layer else 1))

    def ordered(matrix, kept=0):
        """Of the columns, first `kept` numbers, then weights: theirs channel by channel, ours label by label."""
        return torch.cat([matrix[:, :kept], matrix[:, kept:].unflatten(1, (C, -1)).mT.flatten(1)], dim=1)

    with torch.no_grad():
        network.neighbours.fill_(ORACLE["neighbours"].item())
        network.of_centre.weight.copy_(theirs("radial_chemical_embed.type_embed.center_embed.weight"))
        network.of_neighbour.weight.copy_(theirs("radial_chemical_embed.type_embed.neighbor_embed.weight"))
        waves = theirs("radial_chemical_embed.type_embed.basis_linear.mlp.0")
        fill(network.radial, waves * np.sqrt(cutoff**3 / 2) / np.pi)
        *two_body, last = (theirs(f"scalar_embed_mlp.mlp_module.mlp.{n}") for n in (0, 2, 4))
        told = [ordered(theirs("allegro.first_layer_env_embed_projection.mlp.0"), S),
                ordered(theirs("tensor_embed.env_embed_linear.mlp.0"))]
        fill(network.pair, *two_body, last @ torch.cat(told, dim=1))
        fill(network.energy, theirs("edge_readout.mlp_module.mlp.0"), theirs("edge_readout.mlp_module.mlp.2"))
        for layer, (product, network_of_scalars) in enumerate(zip(network.products, network.latents, strict=True)):
            first, second = (theirs(f"allegro.latents.{layer}.mlp.{n}") for n in (0, 2))
            fill(network_of_scalars, first, ordered(second, S) if layer < layers - 1 else second)
            paths = Convolution(product.before, product.filters, product.labels).paths
            sizes = torch.tensor([len(pairs) for pairs in paths.values() for _ in pairs], dtype=torch.float64).sqrt()
            product.weights.copy_(theirs(f"allegro.tps.{layer}.weights") * sizes)
    return network


def peer_errors(parity):
    """Largest differences of energies and of forces, over the largest of these."""
    network, frames = peer_network(parity), peer_frames(ORACLE)
    batch = AtomBatch.from_frames(frames, network.cutoff, torch.float64)
    batch.positions.requires_grad_()
    each = network(batch)
    slopes, = torch.autograd.grad(each.sum(), batch.positions)
    said = {"energies": np.bincount(batch.structure, each.detach(), len(frames)), "forces": -slopes.numpy()}
    theirs = {name: ORACLE[f"{parity}/{name}"] for name in said}
    return [np.abs(said[name] - theirs[name]).max() / np.abs(theirs[name]).max() for name in said]


@pytest.mark.parametrize("parity", [False, True])
def test_with_the_weights_of_nequip_allegro_it_says_what_nequip_allegro_says(parity):
    assert max(peer_errors(parity)) < 1e-12


def test_the_peer_would_notice_that_centre_and_neighbour_are_exchanged(monkeypatch):
    asked = peer_network

    def exchanged(parity):
        network = asked(parity)
        network.of_centre, network.of_neighbour = network.of_neighbour, network.of_centre
        return network

    monkeypatch.setitem(globals(), "peer_network", exchanged)
    assert min(peer_errors(True)) > 1e-3


def small(species=(1, 6, 8), dtype=torch.float64, **settings):
    torch.manual_seed(0)
    sizes = {"n_scalars": 8, "n_tensors": 4, "n_embedding": 8, "two_body": (16,), "latent": (16,), "readout": (8,)}
    return Allegro(list(species), **sizes | settings).to(dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("settings", [{}, {"n_layers": 3}, {"l_max": 3, "parity": False}, {"l_max": 0}], ids=str)
def test_it_keeps_its_symmetry(settings, dtype):
    frames = some_frames()
    table = audit(untrained(small((1, 6, 8, 14), cutoff=4.0, **settings), frames, dtype), frames, samples=2)
    assert (table.verdict == "kept").all() and len(table) == 5, table


def test_a_network_whose_pseudovectors_pass_for_vectors_is_caught(monkeypatch):
    """All labels even, as if parity did not matter: rotations are kept, inversions are not."""
    from course_lib.equivariant import allegro

    monkeypatch.setattr(allegro, "harmonic_labels", lambda l_max: harmonic_labels(l_max, parity=False))
    network = small((1, 6, 8, 14), cutoff=4.0, n_layers=3, parity=False)
    table = audit(lambda frames: energies(network, frames), some_frames(), symmetry=network.symmetry).set_index("element")
    assert table.verdict["proper rotation"] == "kept" and table.verdict["inversion, reflection"] == "BROKEN", table


@pytest.mark.parametrize("parity", [True, False])
def test_left_and_right_hand_have_one_energy(parity):
    assert_one_energy_for_both_hands(small((1, 6, 9, 17, 35), parity=parity, n_layers=3))


def test_nothing_beyond_one_cutoff_is_felt_however_many_layers_there_are():
    for n_layers in (1, 2, 4):
        assert felt(small(cutoff=3.0, n_layers=n_layers)) == [True, True, False, False]


def sees(first, second, **settings):
    """Relative difference of the energies of the first atoms of two frames."""
    network = small((1, 6, 8), **settings)
    with torch.no_grad():
        a, b = (network(AtomBatch.from_frames([atoms], network.cutoff, torch.float64))[0] for atoms in (first, second))
    return float(abs(a - b) / abs(a))


def test_one_layer_of_vectors_sees_an_angle_and_distances_alone_do_not_at_any_depth():
    assert sees(bent(95), bent(140), cutoff=1.3, l_max=0, n_layers=4) < 1e-12
    assert sees(bent(95), bent(140), cutoff=1.3, l_max=1, n_layers=1) > 1e-3


def test_one_layer_tells_the_two_chords_apart_although_their_pairs_of_neighbours_agree():
    """The lists of angles agree, but not those of each neighbour with the others, and each pair's network sees its own."""
    pair = ring_pair(order=2)
    assert sees(pair.first, pair.second, cutoff=1.5, n_layers=1) > 1e-4


def test_labels_that_lead_to_no_scalar_are_not_computed():
    labels = [" ".join(map(str, product.labels)) for product in small(n_layers=4).products]
    assert labels == ["0e 1e 1o 2e 2o", "0e 1e 1o 2e 2o", "0e 1o 2e", "0e"]
    assert {" ".join(map(str, product.labels)) for product in small(n_layers=3, parity=False).products} == {"0e 1o 2e", "0e"}
    assert small(l_max=1, n_layers=3).products[0].labels == (Label(0, 1), Label(1, 1), Label(1, -1))


def test_forces_and_stress_are_slopes():
    assert_forces_and_stress_are_slopes(small((6, 14), cutoff=4.0, n_layers=3))


def test_neither_company_nor_order_in_a_batch_change_an_energy():
    assert_company_and_order_change_nothing(small(cutoff=4.0))


def test_an_atom_alone_has_no_energy_but_the_baselines():
    assert energies(small(), [Atoms("O"), Atoms("H")]).tolist() == [0, 0]  # no neighbours, no pairs


def test_energies_fade_smoothly_at_the_cutoff():
    """Value, slope and curvature of a pair's energy agree on both sides: the cutoff polynomial is twice differentiable."""
    assert_energies_fade(small(cutoff=3.0), [1e-8, 1e-4, 0.3])


def test_it_learns_forces_of_ethanol_in_seconds():
    data = load("ethanol")
    model = NetworkPotential(small(dtype=torch.float32, l_max=1, cutoff=3.5, n_scalars=16, n_tensors=8),
                             Trainer(epochs=4, batch_size=5, learning_rate=1e-2, ema=0.9))
    model.fit(data.train[:120], progress=False)
    errors = scores(model.predict(data.test[:50]), data.test[:50]).loc["force MAE (meV/Å)"]
    assert errors["model"] < 0.5 * errors["mean predictor"]


@pytest.mark.parametrize("settings, words", [
    (dict(n_layers=0), "must be 1 or more, l_max 0 or more, and n_embedding even; got 64, 16, 0, 2 and 32"),
    (dict(l_max=-1), "-1"), (dict(n_embedding=7), "even"), (dict(n_tensors=0), "n_tensors"),
    (dict(species=[6, 6]), r"species are \[6, 6\]; give each element once"), (dict(cutoff=-1.0), "cutoff must be a positive"),
    (dict(n_bessel=0), "at least one function"), (dict(p=1), "p must be at least 2"),
])
def test_settings_without_meaning_are_refused(settings, words):
    with pytest.raises(ValueError, match=words):
        Allegro(**{"species": [1, 6]} | settings)
