"""Allegro against nequip-allegro's own, finite differences, its declared symmetry, and what strict locality says."""

from pathlib import Path

import numpy as np
import pytest
import torch
from ase import Atoms
from ase.build import bulk, molecule
from ase.calculators.singlepoint import SinglePointCalculator

from course_lib.equivariant import Allegro
from course_lib.equivariant.linear import SILU_SIZE
from course_lib.equivariant.tensor_product import Convolution, Label, harmonic_labels
from course_lib.kernels.degeneracies import ring_pair
from course_lib.learning import NetworkPotential, Trainer, scores
from course_lib.structures import AtomBatch, load
from course_lib.symmetry import audit, random_rotations

ORACLE = np.load(Path(__file__).parents[1] / "oracles/allegro.npz")


def peer_frames():
    ends = np.cumsum(ORACLE["sizes"])[:-1]
    return [Atoms(numbers, positions, cell=cell, pbc=pbc) for numbers, positions, cell, pbc in zip(
        np.split(ORACLE["numbers"], ends), np.split(ORACLE["positions"], ends), ORACLE["cells"], ORACLE["pbc"], strict=True)]


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
    network, frames = peer_network(parity), peer_frames()
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
@pytest.mark.parametrize("settings", [{}, {"n_layers": 3}, {"l_max": 3, "parity": False}, {"l_max": 0}], ids=str)
def test_it_keeps_its_symmetry(settings, dtype):
    frames, network = some_frames(), small((1, 6, 8, 14), cutoff=4.0, **settings)
    table = audit(NetworkPotential(network, Trainer(epochs=0), dtype=dtype).fit(frames, progress=False), frames, samples=2)
    assert (table.verdict == "kept").all() and len(table) == 5, table


def test_a_network_whose_pseudovectors_pass_for_vectors_is_caught(monkeypatch):
    """All labels even, as if parity did not matter: rotations are kept, inversions are not."""
    from course_lib.equivariant import allegro

    monkeypatch.setattr(allegro, "harmonic_labels", lambda l_max: harmonic_labels(l_max, parity=False))
    network = small((1, 6, 8, 14), cutoff=4.0, n_layers=3, parity=False)
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


def felt(network, atoms):
    """Which atoms the energy of the first depends on."""
    batch = AtomBatch.from_frames([atoms], network.cutoff, torch.float64)
    batch.positions.requires_grad_()
    slope, = torch.autograd.grad(network(batch)[0], batch.positions)
    return (slope.abs().sum(dim=1) > 0).tolist()


def test_nothing_beyond_one_cutoff_is_felt_however_many_layers_there_are():
    chain = Atoms("C4", [[2.5 * n, 0.1 * n * n, 0] for n in range(4)])
    for n_layers in (1, 2, 4):
        assert felt(small(cutoff=3.0, n_layers=n_layers), chain) == [True, True, False, False]


def sees(first, second, **settings):
    """Relative difference of the energies of the first atoms of two frames."""
    network = small((1, 6, 8), **settings)
    with torch.no_grad():
        a, b = (network(AtomBatch.from_frames([atoms], network.cutoff, torch.float64))[0] for atoms in (first, second))
    return float(abs(a - b) / abs(a))


def bent(degrees):
    """O with two H at 1 Å, farther from each other than a cutoff of 1.3 Å."""
    angle = np.deg2rad(degrees)
    return Atoms("OH2", [[0, 0, 0], [1, 0, 0], [np.cos(angle), np.sin(angle), 0]])


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
    rng = np.random.default_rng(0)
    atoms = bulk("SiC", "zincblende", a=4.36)
    atoms.rattle(0.1, seed=1)
    network = small((6, 14), cutoff=4.0, n_layers=3)
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
    assert together[4] == oxygen == hydrogen == 0  # no neighbours, no pairs: energies of free atoms are the baseline's


def test_energies_fade_smoothly_at_the_cutoff():
    """Value, slope and curvature of a pair's energy agree on both sides: the cutoff polynomial is twice differentiable."""
    network, h = small(cutoff=3.0), 1e-3
    places = [3.0 + side * (1e-9 + n * h) for side in (-1, 1) for n in range(3)]
    below, above = energies(network, [Atoms("CO", [[0, 0, 0], [r, 0, 0]]) for r in places]).reshape(2, 3)
    inner = energies(network, [Atoms("CO", [[0, 0, 0], [2.0, 0, 0]])])[0]
    for order, allowed in ((0, 1e-8), (1, 1e-4), (2, 0.3)):
        jump = abs((-1) ** order * np.diff(below, order)[0] - np.diff(above, order)[0]) / h**order
        assert jump < allowed * abs(inner - above[0]), order


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
