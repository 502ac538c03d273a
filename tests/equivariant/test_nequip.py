"""NequIP against finite differences, against its declared symmetry, and against what theory says it can and cannot see."""

from pathlib import Path

import numpy as np
import pytest
import torch
from ase.build import bulk
from judged_network import (
    assert_company_and_order_change_nothing,
    assert_energies_fade,
    assert_forces_and_stress_are_slopes,
    assert_one_energy_for_both_hands,
    bent,
    energies,
    felt,
    labelled,
    peer_frames,
    some_frames,
    untrained,
)

from course_lib.equivariant import NequIP, linear
from course_lib.equivariant.tensor_product import harmonic_labels
from course_lib.learning import NetworkPotential, Trainer, scores
from course_lib.structures import AtomBatch, load
from course_lib.symmetry import audit

ORACLE = np.load(Path(__file__).parents[1] / "oracles/nequip.npz")


def peer_network(parity):
    """Ours with the peer's weights, translated: where a constant of normalisation differs, weights take it up."""
    C, layers, cutoff = (ORACLE[name].item() for name in ("features", "layers", "cutoff"))
    network = NequIP([1, 6, 8], cutoff, C, ORACLE["l_max"].item(), layers, parity, radial=(ORACLE["radial"].item(),)).double()

    def theirs(name):
        return torch.tensor(ORACLE[f"{parity}/model.func.{name}.weight"], dtype=torch.float64)

    with torch.no_grad():
        network.neighbours.fill_(ORACLE["neighbours"].item())
        embedding = theirs("type_embed.embed_module")
        network.embedding.weight.copy_(embedding)
        network.readout.weights[0].copy_(theirs("per_atom_energy_readout.mlp_module.mlp.0"))
        for layer, block in enumerate(network.interactions):
            conv, peer = block.convolution, f"layer{layer}_convnet.conv"
            block.R.weights[0].copy_(theirs(f"{peer}.edge_mlp.mlp.0") * np.sqrt(2 / cutoff))
            ours = [(a, b, out) for out, pairs in conv.paths.items() for a, b in pairs]
            order = sorted(range(len(ours)), key=lambda k: (*map(conv.inputs.index, ours[k][:1]),
                                                            conv.filters.index(ours[k][1]), ours[k][2].l))
            last = theirs(f"{peer}.edge_mlp.mlp.2").unflatten(1, (-1, C))[:, np.argsort(order)].flatten(1)
            block.R.weights[1].copy_(last * np.sqrt(2) * ORACLE["silu"].item())
            fill(block.inner, theirs(f"{peer}.linear_1"), block.inner.labels)
            fill(block.outer, theirs(f"{peer}.linear_2"), sorted(block.outer.labels))  # the peer sorts these, 1o before 1e
            if layer:
                fill(block.own, theirs(f"{peer}.sc"), block.own.labels, embedding / np.sqrt(embedding.shape[1]))
            else:  # the peer has no self-connection there
                for weight in block.own.weights:
                    weight.zero_()
    return network


def fill(mixing, flat, labels, embedding=None):
    """Weights of the peer, label after label; its self-connection has those of a product with the embedding of elements."""
    for label in labels:
        weight = mixing.weights[mixing.labels.index(label)]
        a, b = weight.shape[-2:]
        n = a * b * (1 if embedding is None else embedding.shape[1])
        here, flat = flat[:n], flat[n:]
        weight.copy_(here.view(a, b) if embedding is None else torch.einsum("avb,sv->sab", here.view(a, -1, b), embedding))
    assert not len(flat)


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
def test_with_the_weights_of_nequip_it_says_what_nequip_says(parity, monkeypatch):
    monkeypatch.setattr(linear, "SILU_SIZE", ORACLE["silu"].item())  # e3nn's is of a random sample, 0.2 % off the integral
    assert max(peer_errors(parity)) < 1e-11


def test_the_peer_would_notice_that_its_constant_is_another():
    assert min(peer_errors(False)) > 1e-5


def small(species=(1, 6, 8), dtype=torch.float64, **settings):
    torch.manual_seed(0)
    return NequIP(list(species), **{"n_features": 8, "n_layers": 2, "radial": (16,)} | settings).to(dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("settings", [{}, {"parity": True, "n_layers": 3}, {"l_max": 3}, {"l_max": 0}], ids=str)
def test_it_keeps_its_symmetry(settings, dtype):
    frames = some_frames()
    table = audit(untrained(small((1, 6, 8, 14), cutoff=4.0, **settings), frames, dtype), frames, samples=2)
    assert (table.verdict == "kept").all() and len(table) == 5, table


def test_a_network_whose_pseudovectors_pass_for_vectors_is_caught(monkeypatch):
    """All labels even, as if parity did not matter: rotations are kept, inversions are not."""
    from course_lib.equivariant import nequip

    monkeypatch.setattr(nequip, "harmonic_labels", lambda l_max: harmonic_labels(l_max, parity=False))
    network = small((1, 6, 8, 14), cutoff=4.0, n_layers=3)
    table = audit(lambda frames: energies(network, frames), some_frames(), symmetry=network.symmetry).set_index("element")
    assert table.verdict["proper rotation"] == "kept" and table.verdict["inversion, reflection"] == "BROKEN", table


@pytest.mark.parametrize("parity", [True, False])
def test_left_and_right_hand_have_one_energy(parity):
    assert_one_energy_for_both_hands(small((1, 6, 9, 17, 35), parity=parity, n_layers=3))


def two_layers_cannot(l_max, n_layers):
    """Relative difference of two atoms' energies whose distances to their neighbours agree and whose angles do not."""
    a, b = energies(small((1, 8), cutoff=1.3, l_max=l_max, n_layers=n_layers), [bent(95), bent(140)])
    return abs(a - b) / abs(a)


def test_distances_alone_do_not_see_an_angle_at_any_depth_but_two_layers_of_vectors_do():
    assert two_layers_cannot(0, 4) < 1e-12
    assert two_layers_cannot(1, 1) < 1e-12  # one layer: scalars ⊗ harmonics of degree 0 alone reach a scalar
    assert two_layers_cannot(1, 2) > 1e-3


def test_forces_and_stress_are_slopes():
    assert_forces_and_stress_are_slopes(small((6, 14), cutoff=4.0, parity=True))


def test_neither_company_nor_order_in_a_batch_change_an_energy():
    assert_company_and_order_change_nothing(small(cutoff=4.0))


def test_energies_fade_smoothly_at_the_cutoff():
    """Value, slope and curvature of a pair's energy agree on both sides: the cutoff polynomial is twice differentiable."""
    assert_energies_fade(small(cutoff=3.0), [1e-8, 1e-4, 0.3])


def test_a_message_reaches_as_many_cutoffs_as_there_are_layers():
    for n_layers in (1, 2, 3):
        assert felt(small(cutoff=3.0, n_layers=n_layers)) == [n <= n_layers for n in range(4)]


def test_the_last_layer_and_parity_keep_the_labels_they_should():
    labels = [" ".join(map(str, block.labels)) for block in small(n_layers=4, parity=True).interactions]
    assert labels == ["0e 1o 2e", "0e 1e 1o 2e 2o", "0e 0o 1e 1o 2e 2o", "0e"]  # 0o needs 1e ⊗ 1o, which come one layer later
    assert {" ".join(map(str, block.labels)) for block in small(n_layers=3).interactions} == {"0e 1o 2e", "0e"}


def test_it_learns_forces_of_ethanol_in_seconds():
    data = load("ethanol")
    model = NetworkPotential(small(dtype=torch.float32, l_max=1, cutoff=3.5, n_features=16),
                             Trainer(epochs=5, batch_size=5, learning_rate=1e-2, ema=0.9))
    model.fit(data.train[:120], progress=False)
    errors = scores(model.predict(data.test[:50]), data.test[:50]).loc["force MAE (meV/Å)"]
    assert errors["model"] < 0.5 * errors["mean predictor"]


@pytest.mark.parametrize("settings, words", [
    (dict(n_layers=0), "n_features and n_layers must be 1 or more, l_max 0 or more; got 32, 0 and 2"), (dict(l_max=-1), "-1"),
    (dict(species=[6, 6]), r"species are \[6, 6\]; give each element once"), (dict(species=[]), "species"),
    (dict(cutoff=-1.0), "cutoff must be a positive length"), (dict(n_bessel=0), "at least one function"),
    (dict(p=1), "p must be at least 2"),
])
def test_settings_without_meaning_are_refused(settings, words):
    with pytest.raises(ValueError, match=words):
        NequIP(**{"species": [1, 6]} | settings)


def test_an_element_it_does_not_know_is_refused_by_name():
    with pytest.raises(ValueError, match="Si, which the model does not know"):
        NetworkPotential(small(), Trainer(epochs=0)).fit(labelled([bulk("Si")]), progress=False)
