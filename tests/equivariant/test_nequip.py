"""NequIP against finite differences, against its declared symmetry, and against what theory says it can and cannot see."""

from pathlib import Path

import numpy as np
import pytest
import torch
from ase import Atoms
from ase.build import bulk, molecule
from ase.calculators.singlepoint import SinglePointCalculator

from course_lib.equivariant import NequIP, linear
from course_lib.equivariant.tensor_product import harmonic_labels
from course_lib.learning import NetworkPotential, Trainer, scores
from course_lib.structures import AtomBatch, load
from course_lib.symmetry import audit, random_rotations

ORACLE = np.load(Path(__file__).parents[1] / "oracles/nequip.npz")


def peer_frames():
    ends = np.cumsum(ORACLE["sizes"])[:-1]
    return [Atoms(numbers, positions, cell=cell, pbc=pbc) for numbers, positions, cell, pbc in zip(
        np.split(ORACLE["numbers"], ends), np.split(ORACLE["positions"], ends), ORACLE["cells"], ORACLE["pbc"], strict=True)]


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
    network, frames = peer_network(parity), peer_frames()
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


def energies(network, frames):
    """(M,) of frames, with random weights."""
    with torch.no_grad():
        batch = AtomBatch.from_frames(frames, network.cutoff, torch.float64)
        return np.bincount(batch.structure, network(batch), len(frames))


def labelled(frames):
    """With labels that mean nothing: for an audit weights need not be good."""
    for number, atoms in enumerate(frames):
        atoms.calc = SinglePointCalculator(atoms, energy=float(number), forces=np.ones((len(atoms), 3)))
    return frames


def some_frames():
    frames = [molecule("CH3CH2OH"), molecule("H2O"), bulk("SiC", "zincblende", a=4.36), bulk("Si", cubic=True)]
    for atoms in frames:
        atoms.rattle(0.1, seed=1)
    return labelled(frames)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("settings", [{}, {"parity": True, "n_layers": 3}, {"l_max": 3}, {"l_max": 0}], ids=str)
def test_it_keeps_its_symmetry(settings, dtype):
    frames, network = some_frames(), small((1, 6, 8, 14), cutoff=4.0, **settings)
    table = audit(NetworkPotential(network, Trainer(epochs=0), dtype=dtype).fit(frames, progress=False), frames, samples=2)
    assert (table.verdict == "kept").all() and len(table) == 5, table


def test_a_network_whose_pseudovectors_pass_for_vectors_is_caught(monkeypatch):
    """All labels even, as if parity did not matter: rotations are kept, inversions are not."""
    from course_lib.equivariant import nequip

    monkeypatch.setattr(nequip, "harmonic_labels", lambda l_max: harmonic_labels(l_max, parity=False))
    network = small((1, 6, 8, 14), cutoff=4.0, n_layers=3)
    table = audit(lambda frames: energies(network, frames), some_frames(), symmetry=network.symmetry).set_index("element")
    assert table.verdict["proper rotation"] == "kept" and table.verdict["inversion, reflection"] == "BROKEN", table


def hands():
    """Bromochlorofluoromethane and its mirror image, turned."""
    left = molecule("CH3Cl")
    left.symbols[[2, 3, 4]] = ["F", "Br", "H"]
    right = left.copy()
    right.positions[:, 0] *= -1
    right.positions = right.positions @ random_rotations(1, np.random.default_rng(0))[0].T
    return left, right


@pytest.mark.parametrize("parity", [True, False])
def test_left_and_right_hand_have_one_energy(parity):
    """E(3): what tells a molecule from its mirror image would be a pseudoscalar, and an energy is none."""
    network = small((1, 6, 9, 17, 35), parity=parity, n_layers=3)
    left, right = energies(network, hands())
    assert left == pytest.approx(right, rel=1e-12)
    moved = hands()[0]
    moved.positions[3] += [0.01, 0, 0]
    assert abs(energies(network, [moved])[0] - left) > 1e-6 * abs(left)


def two_layers_cannot(l_max, n_layers):
    """Largest relative difference of two atoms' energies whose distances to their neighbours agree and whose angles do not.

    Central O with two H at 1 Å, 95° or 140° apart, farther from each other than the cutoff of 1.3 Å.
    """
    frames = []
    for degrees in (95, 140):
        angle = np.deg2rad(degrees)
        frames.append(Atoms("OH2", [[0, 0, 0], [1, 0, 0], [np.cos(angle), np.sin(angle), 0]]))
    a, b = energies(small((1, 8), cutoff=1.3, l_max=l_max, n_layers=n_layers), frames)
    return abs(a - b) / abs(a)


def test_distances_alone_do_not_see_an_angle_at_any_depth_but_two_layers_of_vectors_do():
    assert two_layers_cannot(0, 4) < 1e-12
    assert two_layers_cannot(1, 1) < 1e-12  # one layer: scalars ⊗ harmonics of degree 0 alone reach a scalar
    assert two_layers_cannot(1, 2) > 1e-3


def test_forces_and_stress_are_slopes():
    rng = np.random.default_rng(0)
    atoms = bulk("SiC", "zincblende", a=4.36)
    atoms.rattle(0.1, seed=1)
    network = small((6, 14), cutoff=4.0, parity=True)
    model = NetworkPotential(network, Trainer(epochs=0), dtype="float64").fit(labelled([atoms.copy()]), progress=False)
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


def test_neither_company_nor_order_in_a_batch_change_an_energy():
    frames = [molecule("CH3CH2OH"), Atoms("O"), molecule("H2O"), bulk("C", cubic=True), Atoms("OH", [[0, 0, 0], [9, 9, 9]])]
    network = small(cutoff=4.0)
    together = energies(network, frames)
    for order in ([3, 1, 4, 0, 2], [4]):
        np.testing.assert_allclose(energies(network, [frames[i] for i in order]), together[order], rtol=1e-12)
    oxygen, hydrogen = energies(network, [Atoms("O"), Atoms("H")])
    assert together[4] == pytest.approx(oxygen + hydrogen, rel=1e-13) and oxygen != hydrogen


def test_energies_fade_smoothly_at_the_cutoff():
    """Value, slope and curvature of a pair's energy agree on both sides: the cutoff polynomial is twice differentiable."""
    network, h = small(cutoff=3.0), 1e-3
    places = [3.0 + side * (1e-9 + n * h) for side in (-1, 1) for n in range(3)]
    below, above = energies(network, [Atoms("CO", [[0, 0, 0], [r, 0, 0]]) for r in places]).reshape(2, 3)
    inner = energies(network, [Atoms("CO", [[0, 0, 0], [2.0, 0, 0]])])[0]
    for order, allowed in ((0, 1e-8), (1, 1e-4), (2, 0.3)):
        jump = abs((-1) ** order * np.diff(below, order)[0] - np.diff(above, order)[0]) / h**order
        assert jump < allowed * abs(inner - above[0]), order


def test_a_message_reaches_as_many_cutoffs_as_there_are_layers():
    chain = Atoms("C4", [[2.5 * n, 0.1 * n * n, 0] for n in range(4)])
    for layers in (1, 2, 3):
        network = small(cutoff=3.0, n_layers=layers)
        batch = AtomBatch.from_frames([chain], 3.0, torch.float64)
        batch.positions.requires_grad_()
        slope, = torch.autograd.grad(network(batch)[0], batch.positions)
        assert (slope.abs().sum(dim=1) > 0).tolist() == [n <= layers for n in range(4)]


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
