"""PaiNN against schnetpack's own, finite differences, its declared symmetry, and what arrows alone cannot see."""

from pathlib import Path

import numpy as np
import pytest
import torch
from ase import Atoms
from ase.build import bulk, molecule
from ase.calculators.singlepoint import SinglePointCalculator

from course_lib.equivariant import NequIP, PaiNN, painn
from course_lib.learning import NetworkPotential, Trainer, scores
from course_lib.structures import AtomBatch, load
from course_lib.symmetry import audit, random_rotations

ORACLE = np.load(Path(__file__).parents[1] / "oracles/painn.npz")
LAYERS = {"representation.embedding": "embedding", "representation.interactions": "messages",
          "representation.mixing": "updates", "interatomic_context_net.0": "phi.0", "interatomic_context_net.1": "phi.2",
          "intraatomic_context_net.0": "a.0", "intraatomic_context_net.1": "a.2", "mu_channel_mix": "VU",
          "output_modules.0.outnet.0": "readout.0", "output_modules.0.outnet.1": "readout.2"}


def peer_frames():
    ends = np.cumsum(ORACLE["sizes"])[:-1]
    return [Atoms(numbers, positions, cell=cell, pbc=pbc) for numbers, positions, cell, pbc in zip(
        np.split(ORACLE["numbers"], ends), np.split(ORACLE["positions"], ends), ORACLE["cells"], ORACLE["pbc"], strict=True)]


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


def energies_and_forces(network, frames):
    batch = AtomBatch.from_frames(frames, network.cutoff, torch.float64)
    batch.positions.requires_grad_()
    each = network(batch)
    forces, = torch.autograd.grad(each.sum(), batch.positions)
    return np.bincount(batch.structure, each.detach(), len(frames)), -forces.numpy()


def test_with_the_weights_of_schnetpack_it_says_what_schnetpack_says():
    energies, forces = energies_and_forces(peer_network(), peer_frames())
    np.testing.assert_allclose(energies, ORACLE["energies"], rtol=1e-11)
    np.testing.assert_allclose(forces, ORACLE["forces"], atol=1e-11 * np.abs(ORACLE["forces"]).max())


def test_the_peer_would_notice_that_u_and_v_are_exchanged():
    network = peer_network()
    with torch.no_grad():
        for update in network.updates:
            update.VU.weight.copy_(update.VU.weight.roll(len(update.VU.weight) // 2, 0))
    energies, _ = energies_and_forces(network, peer_frames())
    assert np.abs(energies - ORACLE["energies"])[0] > 1e-2  # of ethanol; atoms at a centre of inversion have no arrows


def small(species=(1, 6, 8), dtype=torch.float64, **settings):
    torch.manual_seed(0)
    return PaiNN(list(species), **{"n_features": 16, "n_interactions": 2, "n_rbf": 8} | settings).to(dtype)


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
@pytest.mark.parametrize("n_interactions", [1, 3])
def test_it_keeps_its_symmetry(n_interactions, dtype):
    frames, network = some_frames(), small((1, 6, 8, 14), cutoff=4.0, n_interactions=n_interactions)
    table = audit(NetworkPotential(network, Trainer(epochs=0), dtype=dtype).fit(frames, progress=False), frames, samples=2)
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


def hands():
    """Bromochlorofluoromethane and its mirror image, turned."""
    left = molecule("CH3Cl")
    left.symbols[[2, 3, 4]] = ["F", "Br", "H"]
    right = left.copy()
    right.positions[:, 0] *= -1
    right.positions = right.positions @ random_rotations(1, np.random.default_rng(0))[0].T
    return left, right


def test_left_and_right_hand_have_one_energy():
    """E(3): what tells a molecule from its mirror image would be a pseudoscalar, and there is none."""
    network = small((1, 6, 9, 17, 35), n_interactions=3)
    left, right = energies(network, hands())
    assert left == pytest.approx(right, rel=1e-12)
    moved = hands()[0]
    moved.positions[3] += [0.01, 0, 0]
    assert abs(energies(network, [moved])[0] - left) > 1e-6 * abs(left)


def difference(network, first, second):
    """Relative, of the energies of two frames."""
    a, b = energies(network, [first, second])
    return abs(a - b) / abs(a)


def bent(degrees):
    """O with two H at 1 Å, farther from each other than a cutoff of 1.3 Å."""
    angle = np.deg2rad(degrees)
    return Atoms("OH2", [[0, 0, 0], [1, 0, 0], [np.cos(angle), np.sin(angle), 0]])


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
    chain = Atoms("C4", [[2.5 * n, 0.1 * n * n, 0] for n in range(4)])
    for n_interactions in (1, 2, 3):
        network = small(cutoff=3.0, n_interactions=n_interactions)
        batch = AtomBatch.from_frames([chain], 3.0, torch.float64)
        batch.positions.requires_grad_()
        slope, = torch.autograd.grad(network(batch)[0], batch.positions)
        assert (slope.abs().sum(dim=1) > 0).tolist() == [n <= n_interactions for n in range(4)]


def test_forces_and_stress_are_slopes():
    rng = np.random.default_rng(0)
    atoms = bulk("SiC", "zincblende", a=4.36)
    atoms.rattle(0.1, seed=1)
    network = small((6, 14), cutoff=4.0)
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


def test_energies_fade_at_the_cutoff_with_their_slope():
    """Value and slope of a pair's energy agree on both sides; the cosine's curvature does not."""
    network, h = small(cutoff=3.0), 1e-4
    places = [3.0 + side * (1e-9 + n * h) for side in (-1, 1) for n in range(2)]
    below, above = energies(network, [Atoms("CO", [[0, 0, 0], [r, 0, 0]]) for r in places]).reshape(2, 2)
    inner = energies(network, [Atoms("CO", [[0, 0, 0], [2.0, 0, 0]])])[0]
    for order, allowed in ((0, 1e-8), (1, 1e-3)):
        jump = abs((-1) ** order * np.diff(below, order)[0] - np.diff(above, order)[0]) / h**order
        assert jump < allowed * abs(inner - above[0]), order


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
