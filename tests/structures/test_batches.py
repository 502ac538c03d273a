import numpy as np
import pytest
import torch
from ase import Atoms
from ase.build import bulk, fcc111, molecule

from course_lib.structures import AtomBatch, neighbour_graphs

CUTOFF = 4.0
FRAMES = [molecule("CH3CH2OH"), bulk("Si"), Atoms("H"), fcc111("Cu", (1, 1, 3)), bulk("NaCl", "rocksalt", a=5.6)]
for atoms in FRAMES:
    atoms.rattle(0.05, seed=len(atoms))


def pair_energies(batch):
    """A toy model whose weights depend on both species: Σ over edges of z_i z_j (1 − d/r_c)³, a value a frame."""
    distances = batch.edge_vectors().norm(dim=1)
    charges = batch.species.to(distances.dtype)
    terms = charges[batch.senders] * charges[batch.receivers] * (1 - distances / CUTOFF) ** 3
    frame = batch.structure[batch.receivers]
    return torch.zeros(batch.n_structures, dtype=distances.dtype).index_add(0, frame, terms)


def energy(atoms):
    return pair_energies(AtomBatch.from_frames([atoms], CUTOFF, torch.float64)).item()


def test_a_batch_of_molecules_slabs_and_crystals_is_each_of_them():
    together = pair_energies(AtomBatch.from_frames(FRAMES, CUTOFF, torch.float64))
    np.testing.assert_allclose(together, [energy(atoms) for atoms in FRAMES], rtol=1e-13)
    assert together[2] == 0 and (together[[0, 1, 3, 4]] > 1).all()


def test_shapes_types_and_ownership():
    batch = AtomBatch.from_frames(FRAMES, CUTOFF, torch.float64)
    n, e = sum(len(atoms) for atoms in FRAMES), len(batch.senders)
    assert batch.positions.shape == (n, 3) and batch.species.shape == batch.structure.shape == (n,)
    assert batch.shifts.shape == (e, 3) and batch.receivers.shape == (e,) and batch.cell.shape == (5, 3, 3)
    assert {batch.species.dtype, batch.senders.dtype, batch.receivers.dtype, batch.structure.dtype} == {torch.int64}
    assert torch.bincount(batch.structure).tolist() == [len(atoms) for atoms in FRAMES]
    assert (batch.structure[batch.senders] == batch.structure[batch.receivers]).all()
    np.testing.assert_array_equal(batch.cell, [atoms.cell[:] for atoms in FRAMES])


def test_edge_vectors_are_those_of_the_graphs():
    graphs = neighbour_graphs(FRAMES, CUTOFF)
    batch = AtomBatch.from_graphs(graphs, torch.float64)
    np.testing.assert_allclose(batch.edge_vectors(), np.concatenate([graph.edge_vectors() for graph in graphs]), atol=1e-13)


def test_forces_are_the_finite_differences_of_the_energy():
    batch = AtomBatch.from_frames(FRAMES, CUTOFF, torch.float64)
    batch.positions.requires_grad_()
    forces = -torch.autograd.grad(pair_energies(batch).sum(), batch.positions)[0].numpy()
    h, first = 1e-5, 0
    for atoms in FRAMES:
        for atom, axis in ((0, 0), (len(atoms) - 1, 2)):
            plus, minus = atoms.copy(), atoms.copy()
            plus.positions[atom, axis] += h
            minus.positions[atom, axis] -= h
            difference = -(energy(plus) - energy(minus)) / (2 * h)
            assert forces[first + atom, axis] == pytest.approx(difference, abs=1e-6, rel=1e-7)
        first += len(atoms)


def test_strain_derivative_is_the_finite_difference_over_a_deformed_cell():
    batch = AtomBatch.from_frames(FRAMES, CUTOFF, torch.float64)
    strain = torch.zeros(len(FRAMES), 3, 3, dtype=torch.float64, requires_grad=True)
    slope = torch.autograd.grad(pair_energies(batch.strained(strain)).sum(), strain)[0].numpy()
    h = 1e-6
    for index in (1, 4):
        for i, j in ((0, 0), (1, 2)):
            energies = []
            for sign in (1, -1):
                stretch = np.eye(3)
                stretch[i, j] += sign * h
                deformed = FRAMES[index].copy()
                deformed.set_cell(deformed.cell[:] @ stretch, scale_atoms=True)
                energies.append(energy(deformed))
            assert slope[index, i, j] == pytest.approx((energies[0] - energies[1]) / (2 * h), rel=1e-6, abs=1e-5)


def test_a_strained_batch_is_the_batch_of_the_strained_frames():
    strain = 0.02 * np.random.default_rng(0).normal(size=(len(FRAMES), 3, 3))
    batch = AtomBatch.from_frames(FRAMES, CUTOFF, torch.float64).strained(torch.tensor(strain))
    for index, atoms in enumerate(FRAMES):
        stretch = np.eye(3) + strain[index]
        moved = (atoms.positions - atoms.positions.mean(axis=0)) @ stretch
        np.testing.assert_allclose(batch.positions[batch.structure == index], moved, atol=1e-13)
        np.testing.assert_allclose(batch.cell[index], atoms.cell[:] @ stretch, atol=1e-13)
    graphs = neighbour_graphs(FRAMES, CUTOFF)
    expected = [graph.edge_vectors() @ (np.eye(3) + strain[index]) for index, graph in enumerate(graphs)]
    np.testing.assert_allclose(batch.edge_vectors(), np.concatenate(expected), atol=1e-12)


def test_forgetting_to_strain_the_shifts_would_be_noticed():
    """Negative control: with shifts left alone the derivative is another one."""
    from dataclasses import replace

    batch = AtomBatch.from_frames([FRAMES[1]], CUTOFF, torch.float64)
    strain = torch.zeros(1, 3, 3, dtype=torch.float64, requires_grad=True)
    right = torch.autograd.grad(pair_energies(batch.strained(strain)).sum(), strain)[0]
    wrong_batch = replace(batch.strained(strain), shifts=batch.shifts)
    wrong = torch.autograd.grad(pair_energies(wrong_batch).sum(), strain)[0]
    assert abs(right - wrong).max() > 1


def test_a_second_batch_of_the_same_graphs_is_the_same():
    graphs = neighbour_graphs(FRAMES, CUTOFF)
    first = AtomBatch.from_graphs(graphs, torch.float64)
    first.positions.add_(1)
    first.senders.add_(1)
    second, fresh = AtomBatch.from_graphs(graphs, torch.float64), AtomBatch.from_frames(FRAMES, CUTOFF, torch.float64)
    for name, value in vars(fresh).items():
        assert torch.equal(torch.as_tensor(getattr(second, name)), torch.as_tensor(value)), name


def test_dtype_is_torchs_default_unless_given_and_integers_stay():
    graphs = neighbour_graphs(FRAMES, CUTOFF)
    assert AtomBatch.from_graphs(graphs).positions.dtype == torch.get_default_dtype()
    single = AtomBatch.from_graphs(graphs, torch.float64).to(torch.float32)
    assert single.positions.dtype == single.shifts.dtype == single.cell.dtype == torch.float32
    assert single.species.dtype == torch.int64
    moved = single.to(device="meta")
    assert moved.senders.device.type == moved.cell.device.type == "meta" and moved.cell.dtype == torch.float32


def test_a_frame_far_from_the_origin_keeps_its_digits_in_single_precision():
    near = [atoms for atoms in FRAMES if len(atoms) > 1]
    far = [atoms.copy() for atoms in near]
    for atoms in far:
        atoms.positions += [3e4, -2e4, 1e4]
    vectors = [AtomBatch.from_frames(frames, CUTOFF, torch.float32).edge_vectors().numpy() for frames in (near, far)]
    ordered = [v[np.lexsort(v.round(3).T)] for v in vectors]
    np.testing.assert_allclose(*ordered, atol=1e-5)


def test_frames_without_edges_and_single_atoms_make_a_batch():
    batch = AtomBatch.from_frames([Atoms("H"), Atoms("O", [[1, 2, 3]])], CUTOFF, torch.float64)
    assert batch.edge_vectors().shape == (0, 3) and batch.shifts.shape == (0, 3)
    assert batch.species.tolist() == [1, 8] and batch.structure.tolist() == [0, 1]
    assert pair_energies(batch).tolist() == [0, 0]


def test_no_graphs_and_no_frames_are_refused():
    with pytest.raises(ValueError, match="no graphs"):
        AtomBatch.from_graphs([])
    with pytest.raises(ValueError, match="empty"):
        AtomBatch.from_frames([], CUTOFF)
