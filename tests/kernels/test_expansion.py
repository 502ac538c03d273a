"""The cluster expansion as a potential: what it minimises, its forces and stress, and what it learns."""

import numpy as np
import pytest
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from ase.stress import full_3x3_to_voigt_6_stress

from course_lib.kernels import AtomicClusterExpansion, ClusterBasis
from course_lib.learning import Potential, labels, scores
from course_lib.structures import load
from course_lib.symmetry import audit

ORDERS = dict(n_max=(6, 4, 2, 2), l_max=(0, 3, 2, 2))


@pytest.fixture(scope="module")
def methane():
    return load("methane_b3lyp")


@pytest.fixture(scope="module")
def silicon():
    return load("silicon")


@pytest.fixture(scope="module")
def molecular(methane):
    return AtomicClusterExpansion(4.0, **ORDERS, ridge=1e-5).fit(methane.train[:100], progress=False)


@pytest.fixture(scope="module")
def crystalline(silicon):
    return AtomicClusterExpansion(5.0, (8, 5, 3, 2), (0, 4, 3, 2)).fit(silicon.train, progress=False)


def labelled(frames, potential):
    """Copies that carry what the potential predicts."""
    said, copies = potential.predict(frames), [atoms.copy() for atoms in frames]
    for atoms, energy, forces, stress in zip(copies, said.energies, said.forces, said.stresses, strict=True):
        stress = {"stress": full_3x3_to_voigt_6_stress(stress)} if atoms.cell.rank == 3 else {}
        atoms.calc = SinglePointCalculator(atoms, energy=energy, forces=forces, **stress)
    return copies


def test_each_order_learns_more_of_methane(methane, molecular):
    errors = []
    for order in (1, 2, 3, 4):
        fewer = AtomicClusterExpansion(4.0, ORDERS["n_max"][:order], ORDERS["l_max"][:order], ridge=1e-5)
        potential = molecular if order == 4 else fewer.fit(methane.train[:100], progress=False)
        errors.append(scores(potential.predict(methane.test[:200]), methane.test[:200]).loc["force RMSE (meV/Å)", "model"])
    assert errors[0] > 4 * errors[1] > 16 * errors[2] > 16 * errors[3]
    assert errors[3] < 3


def test_it_learns_crystals_with_their_stress(silicon, crystalline):
    crystals = [atoms for atoms in silicon.test if atoms.info["kind"] != "melt"]
    model, mean = scores(crystalline.predict(crystals), crystals).T.to_numpy()
    assert (model < 0.1 * mean).all()


def test_it_finds_again_what_lies_in_its_span(methane, silicon):
    for frames in (methane.train[:40], silicon.train[:15]):
        settings = dict(cutoff=4.5, n_max=(4, 2, 1), l_max=(0, 2, 1))
        truth = labelled(frames, AtomicClusterExpansion(**settings).fit(frames, progress=False))
        for energy_weight, rows in ((10.0, slice(None)), (0.0, ["force RMSE (meV/Å)"])):
            learned = AtomicClusterExpansion(**settings, energy_weight=energy_weight, ridge=1e-9).fit(truth, progress=False)
            table = scores(learned.predict(truth), truth).loc[rows]
            assert (table["model"] < 1e-5 * table["mean predictor"]).all()


def test_the_fit_minimises_what_it_says(silicon):
    """The whole system of equations at once, its rows written out atom by atom, solved by singular values."""
    frames = [atoms for size, count in ((2, 4), (8, 2)) for atoms in [a for a in silicon.train if len(a) == size][:count]]
    settings = dict(cutoff=4.5, n_max=(5, 3, 2), l_max=(0, 2, 1))
    w_energy, w_force, w_stress, ridge = 3.0, 0.7, 0.2, 0.05
    basis, truth = ClusterBasis(**settings).fit(frames), labels(frames)
    features = [basis.transform([atoms]) for atoms in frames]
    offset = np.linalg.lstsq([[len(atoms)] for atoms in frames], truth.energies)[0]
    rows, targets = [], []
    for i, atoms in enumerate(frames):
        n, slopes = len(atoms), basis.derivatives([atoms])
        rows.append([*features[i].sum(axis=0) * w_energy / n**0.5, w_energy * n**0.5])
        targets.append(w_energy * (truth.energies[i] - n * offset[0]) / n**0.5)
        for j in range(n):
            for x in range(3):
                rows.append([*-w_force * slopes.values[slopes.neighbours == j, x].sum(axis=0), 0])
                targets.append(w_force * truth.forces[i][j, x])
        for x, y in ((0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2)):
            rows.append([*w_stress / n**0.5 * slopes.vectors[:, x] @ slopes.values[:, y], 0])
            targets.append(w_stress / n**0.5 * truth.stresses[i][x, y] * atoms.cell.volume)
    rough = 1 + np.nansum(basis.features_.filter(regex="^[nl]").to_numpy(float, na_value=np.nan) ** 2, axis=1)
    spread = np.sqrt(np.mean(np.concatenate(features) ** 2, axis=0))
    rows += list(ridge * np.diag([*spread * rough, 1]))
    solution = np.linalg.lstsq(rows, targets + [0] * len(rows[0]))[0]
    fitted = AtomicClusterExpansion(**settings, energy_weight=w_energy, force_weight=w_force, stress_weight=w_stress,
                                    ridge=ridge).fit(frames, progress=False)
    assert np.abs(fitted.coefficients_[0] - solution[:-1]).max() < 1e-8 * np.abs(solution).max()
    assert fitted.isolated_ == pytest.approx(offset + solution[-1])


@pytest.mark.parametrize("which", ["molecular", "crystalline"])
def test_forces_and_stress_are_slopes_of_the_energy(which, methane, silicon, request):
    potential = request.getfixturevalue(which)
    atoms, h = {"molecular": methane.test[4], "crystalline": silicon.test[0]}[which], 2e-4
    moved = []
    for step, row, axis in np.ndindex(4, len(atoms), 3):
        moved.append(atoms.copy())
        moved[-1].positions[row, axis] += h * (-2, -1, 1, 2)[step]
    slope = np.tensordot([1, -8, 8, -1], potential.predict(moved).energies.reshape(4, -1, 3), 1) / (12 * h)
    said = potential.predict([atoms])
    assert np.abs(said.forces[0] + slope).max() < 1e-7
    if which == "crystalline":
        strained = []
        for step, a, b in np.ndindex(4, 3, 3):
            strain = np.zeros((3, 3))
            strain[a, b] = h * (-2, -1, 1, 2)[step]
            strained.append(atoms.copy())
            strained[-1].set_cell(atoms.cell @ (np.eye(3) + (strain + strain.T) / 2), scale_atoms=True)
        slope = np.tensordot([1, -8, 8, -1], potential.predict(strained).energies.reshape(4, 3, 3), 1) / (12 * h)
        assert np.abs(said.stresses[0] - slope / atoms.cell.volume).max() < 1e-8


def test_it_is_a_potential(methane, silicon, molecular, crystalline, tmp_path):
    for potential, frames in ((molecular, methane.test[:3]), (crystalline, [a for a in silicon.test if len(a) == 8][:2])):
        assert set(audit(potential, frames).verdict) <= {"kept", "not tested: no frame can tell"}
        potential.save(tmp_path / "ace.safetensors")
        again = Potential.load(tmp_path / "ace.safetensors").predict(frames)
        assert np.array_equal(again.energies, potential.predict(frames).energies)


def test_large_terms_of_both_signs_are_told_to_the_audit(methane, molecular):
    """Labels that are noise need coefficients that multiply rounding; what was learned is no less symmetric."""
    rng, frames = np.random.default_rng(0), [atoms.copy() for atoms in methane.train[:20]]
    for atoms in frames:
        atoms.calc = SinglePointCalculator(atoms, energy=rng.normal(), forces=rng.normal(size=(5, 3)))
    noisy = AtomicClusterExpansion(4.0, **ORDERS, ridge=1e-6).fit(frames, progress=False)
    assert noisy.amplification > 1e5 and 1 <= molecular.amplification < 10
    assert set(audit(noisy, frames[:2]).verdict) <= {"kept", "not tested: no frame can tell"}


def test_two_cells_have_twice_the_energy_and_two_molecules_far_apart_the_sum(methane, silicon, molecular, crystalline):
    atoms = silicon.test[0]
    energies = crystalline.predict([atoms, atoms * (2, 1, 1)]).energies
    assert energies[1] == pytest.approx(2 * energies[0], rel=1e-12)
    one, other = methane.test[0].copy(), methane.test[1].copy()
    other.positions += [50, 0, 0]
    energies = molecular.predict([one, other, one + other]).energies
    assert energies[2] == pytest.approx(energies[0] + energies[1], rel=1e-13)


def test_isolated_atoms_have_the_energies_that_were_given(methane):
    given = {"H": -13.6, "C": -1029.0}
    potential = AtomicClusterExpansion(4.0, (4, 2), (0, 2), isolated=given).fit(methane.train[:20], progress=False)
    assert potential.predict([Atoms("H"), Atoms("C")]).energies.tolist() == [-13.6, -1029.0]
    with pytest.raises(ValueError, match="isolated atom is given for C"):
        AtomicClusterExpansion(4.0, (4, 2), (0, 2), isolated={"H": -13.6}).fit(methane.train[:20])


def test_energies_alone_are_enough_and_forces_say_more(methane):
    bare = [atoms.copy() for atoms in methane.train[:60]]
    for atoms, original in zip(bare, methane.train[:60], strict=True):
        atoms.calc = SinglePointCalculator(atoms, energy=original.get_potential_energy())
    errors = [scores(AtomicClusterExpansion(4.0, (4, 3, 2), (0, 2, 2)).fit(frames, progress=False).predict(methane.test[:100]),
                     methane.test[:100]).loc["energy RMSE (meV)", "model"] for frames in (bare, methane.train[:60])]
    assert errors[1] < 0.4 * errors[0] < 4  # meV; the mean predictor has 300


@pytest.mark.parametrize("options, message", [
    (dict(force_weight=-1), "finite and 0 or more"), (dict(energy_weight=np.nan), "finite and 0 or more"),
    (dict(energy_weight=0, force_weight=0), "nothing to fit"), (dict(ridge=0), "ridge must be above zero")])
def test_settings_that_fit_nothing_are_refused(methane, options, message):
    with pytest.raises(ValueError, match=message):
        AtomicClusterExpansion(4.0, (2,), (0,), **options).fit(methane.train[:5])
