"""PaiNN against schnetpack's own, finite differences, its declared symmetry, and what arrows alone cannot see."""

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
    energies_and_forces,
    felt,
    peer_frames,
    some_frames,
    untrained,
)

from course_lib.equivariant import NequIP, PaiNN, painn
from course_lib.learning import NetworkPotential, Trainer, scores
from course_lib.structures import load
from course_lib.symmetry import audit

ORACLE = np.load(Path(__file__).parents[1] / "oracles/painn.npz")
LAYERS = {"representation.embedding": "embedding", "representation.interactions": "messages",
          "representation.mixing": "updates", "interatomic_context_net.0": "phi.0", "interatomic_context_net.1": "phi.2",
          "intraatomic_context_net.0": "a.0", "intraatomic_context_net.1": "a.2", "mu_channel_mix": "VU",
          "output_modules.0.outnet.0": "readout.0", "output_modules.0.outnet.1": "readout.2"}


def peer_network():
    """Ours with the peer's weights; its filters are one layer, and its waves lack our normalisation."""
    cutoff, F, layers, waves = (ORACLE[name].item() for name in ("cutoff", "features", "interactions", "waves"))
    network, weights = PaiNN(ORACLE["species"].tolist(), cutoff, F, layers, waves).double(), {"neighbours": torch.ones(())}
    for theirs in ORACLE.files:
        ours, array = theirs, torch.tensor(ORACLE[theirs], dtype=torch.float64) if "." in theirs else None
        if "filter_net" in theirs:
            for layer, part in enumerate(array.split(3 * F)):
                name = theirs.split(".")[-1]
                weights[f"messages.{layer}.W.{name}"] = part / (2 / cutoff) ** 0.5 if name == "weight" else part
        elif array is not None:
            for before, after in LAYERS.items():
                ours = ours.replace(before, after)
            weights[ours] = array
    network.load_state_dict(weights)
    return network


def test_with_the_weights_of_schnetpack_it_says_what_schnetpack_says():
    energies, forces = energies_and_forces(peer_network(), peer_frames(ORACLE))
    np.testing.assert_allclose(energies, ORACLE["energies"], rtol=1e-11)
    np.testing.assert_allclose(forces, ORACLE["forces"], atol=1e-11 * np.abs(ORACLE["forces"]).max())


def test_the_peer_would_notice_that_u_and_v_are_exchanged():
    network = peer_network()
    with torch.no_grad():
        for update in network.updates:
            update.VU.weight.copy_(update.VU.weight.roll(len(update.VU.weight) // 2, 0))
    energies, _ = energies_and_forces(network, peer_frames(ORACLE))
    assert np.abs(energies - ORACLE["energies"])[0] > 1e-2  # of ethanol; atoms at a centre of inversion have no arrows


def small(species=(1, 6, 8), dtype=torch.float64, **settings):
    torch.manual_seed(0)
    return PaiNN(list(species), **{"n_features": 16, "n_interactions": 2, "n_rbf": 8} | settings).to(dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("n_interactions", [1, 3])
def test_it_keeps_its_symmetry(n_interactions, dtype):
    frames = some_frames()
    network = small((1, 6, 8, 14), cutoff=4.0, n_interactions=n_interactions)
    table = audit(untrained(network, frames, dtype), frames, samples=2)
    assert (table.verdict == "kept").all() and len(table) == 5, table


@pytest.mark.parametrize("broken", ["proper rotation", "inversion, reflection"])
def test_a_network_that_squares_components_or_takes_cross_products_for_arrows_is_caught(broken, monkeypatch):
    class Update(painn.Update):
        def forward(self, s, v):
            other = v.roll(1, 2)
            v = v.square() if broken == "proper rotation" else v + torch.linalg.cross(v, other, dim=1)
            return super().forward(s, v)

    monkeypatch.setattr(painn, "Update", Update)
    network = small((1, 6, 8, 14), cutoff=4.0)
    table = audit(lambda frames: energies(network, frames), some_frames(), symmetry=network.symmetry).set_index("element")
    assert table.verdict[broken] == "BROKEN" and table.verdict["permutation of like atoms"] == "kept", table
    assert broken == "proper rotation" or table.verdict["proper rotation"] == "kept", table


def test_left_and_right_hand_have_one_energy():
    assert_one_energy_for_both_hands(small((1, 6, 9, 17, 35), n_interactions=3))


def difference(network, first, second):
    """Relative, of the energies of two frames."""
    a, b = energies(network, [first, second])
    return abs(a - b) / abs(a)


def test_one_message_and_update_see_an_angle():
    network = small((1, 8), cutoff=1.3, n_interactions=1)
    assert difference(network, bent(95), bent(140)) > 1e-4


def test_arrows_that_cancel_hide_a_square_from_a_tetrahedron_at_any_depth_and_degree_two_does_not():
    """Four neighbours that do not see each other: Σ r̂ = 0 in both, and so is all that is ever made of it."""
    corners = np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]]) / 3**0.5
    square = np.array([[1, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0]])
    pair = [Atoms("CH4", np.vstack([np.zeros(3), around])) for around in (corners, square)]
    for n_interactions in (1, 2, 5):
        assert difference(small(cutoff=1.3, n_interactions=n_interactions), *pair) < 1e-10
    torch.manual_seed(0)
    assert difference(NequIP([1, 6], 1.3, n_features=8, l_max=2, n_layers=2).double(), *pair) > 1e-4


def test_a_message_reaches_as_many_cutoffs_as_there_are_interactions():
    for n_interactions in (1, 2, 3):
        assert felt(small(cutoff=3.0, n_interactions=n_interactions)) == [n <= n_interactions for n in range(4)]


def test_forces_and_stress_are_slopes():
    assert_forces_and_stress_are_slopes(small((6, 14), cutoff=4.0))


def test_neither_company_nor_order_in_a_batch_change_an_energy():
    assert_company_and_order_change_nothing(small(cutoff=4.0))


def test_energies_fade_at_the_cutoff_with_their_slope():
    """Not with their curvature: the envelope is a cosine."""
    assert_energies_fade(small(cutoff=3.0), [1e-8, 1e-2])
    with pytest.raises(AssertionError):
        assert_energies_fade(small(cutoff=3.0), [1e-8, 1e-2, 0.3])


def test_it_learns_forces_of_ethanol_in_seconds():
    data = load("ethanol")
    model = NetworkPotential(small(dtype=torch.float32, cutoff=3.5, n_features=32),
                             Trainer(epochs=4, batch_size=5, learning_rate=1e-2, ema=0.9))
    model.fit(data.train[:120], progress=False)
    errors = scores(model.predict(data.test[:50]), data.test[:50]).loc["force MAE (meV/Å)"]
    assert errors["model"] < 0.5 * errors["mean predictor"]


@pytest.mark.parametrize("settings, words", [
    (dict(n_features=1), "n_features must be 2 or more and n_interactions 1 or more; got 1 and 3"),
    (dict(n_interactions=0), "got 128 and 0"), (dict(species=[6, 6]), r"species are \[6, 6\]; give each element once"),
    (dict(cutoff=-1.0), "cutoff must be a positive length"), (dict(n_rbf=0), "at least one function"),
])
def test_settings_without_meaning_are_refused(settings, words):
    with pytest.raises(ValueError, match=words):
        PaiNN(**{"species": [1, 6]} | settings)
