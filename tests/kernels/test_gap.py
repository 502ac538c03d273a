"""The sparse Gaussian process on sums and slopes."""

import json
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms, units
from ase.build import bulk
from ase.calculators.emt import EMT
from ase.calculators.singlepoint import SinglePointCalculator
from ase.md.velocitydistribution import thermalize_momenta
from ase.md.verlet import VelocityVerlet

from course_lib.kernels import GAP, SOAP, AtomicClusterExpansion, gap
from course_lib.learning import CompositionBaseline, Potential, labels, scores
from course_lib.structures import load
from course_lib.symmetry import audit

SMALL = SOAP(cutoff=3.5, n_max=5, l_max=4)


def alloy(seed, repeat=1):
    """Strained, rattled, periodic CuAu with effective-medium labels; the cell is smaller than the cutoff."""
    rng = np.random.default_rng(seed)
    atoms = bulk("Cu", cubic=True, a=3.8)
    atoms.numbers[rng.permutation(4)[:2]] = 79
    strain = rng.normal(scale=0.02, size=(3, 3))
    atoms.set_cell(atoms.cell @ (np.eye(3) + (strain + strain.T) / 2), scale_atoms=True)
    atoms.positions += rng.normal(scale=0.08, size=(4, 3))
    atoms = atoms.repeat(repeat)
    atoms.calc = EMT()
    results = {"energy": atoms.get_potential_energy(), "forces": atoms.get_forces(), "stress": atoms.get_stress()}
    atoms.calc = SinglePointCalculator(atoms, **results)
    return atoms


@pytest.fixture(scope="module")
def train():
    return [alloy(seed) for seed in range(40)]


@pytest.fixture(scope="module")
def test():
    return [alloy(seed) for seed in range(100, 110)]


@pytest.fixture(scope="module")
def fitted(train):
    return GAP(SMALL, n_sparse=60).fit(train, progress=False)


def test_it_learns_energies_forces_and_stresses_of_an_alloy(fitted, test):
    table, said = scores(fitted.predict(test), test), fitted.predict(test)
    assert (table["model"] < 0.12 * table["mean predictor"]).all()
    stress = labels(test).stresses
    assert np.abs(said.stresses - stress).mean() < 0.1 * np.abs(stress - stress.mean(axis=0)).mean()


def test_with_every_atom_as_a_sparse_point_it_is_the_exact_gaussian_process():
    """On energies: mean k_* (K + Λ)⁻¹ y and variance k_** − k_* (K + Λ)⁻¹ k_*, in closed form from the kernel alone."""
    frames, new = [alloy(seed) for seed in range(12)], [alloy(seed) for seed in range(50, 55)]
    for atoms in [*frames, *new]:
        atoms.calc = SinglePointCalculator(atoms, energy=atoms.get_potential_energy())
    model = GAP(SMALL, n_sparse=10**6, zeta=3, delta=0.7, energy_noise=0.02).fit(frames, progress=False)

    features = SMALL.fit(frames).transform([*frames, *new]).reshape(17, 4, -1)
    features /= np.linalg.norm(features, axis=-1, keepdims=True)
    numbers = np.array([atoms.numbers for atoms in [*frames, *new]])
    like = numbers[:, None, :, None] == numbers[None, :, None, :]
    kernel = (0.7**2 * like * np.einsum("aif,bjf->abij", features, features) ** 3).sum(axis=(2, 3))
    baseline = CompositionBaseline().fit(frames)
    y = labels(frames).energies - baseline.predict(frames).energies
    inverse = np.linalg.inv(kernel[:12, :12] + 0.02**2 * 4 * np.eye(12))
    mean = baseline.predict(new).energies + kernel[12:, :12] @ inverse @ y
    variance = np.diag(kernel[12:, 12:] - kernel[12:, :12] @ inverse @ kernel[:12, 12:])
    assert np.abs(model.predict(new).energies - mean).max() < 1e-7
    assert np.abs(model.deviation(new) - np.sqrt(variance)).max() < 1e-6


def test_forces_and_stresses_are_slopes_of_the_energy(fitted, test):
    """Fourth-order differences; their rounding is that of the energy's terms over the step."""
    atoms, h = test[0], 2e-3
    steps = np.array([-2, -1, 1, 2])
    moved = [atoms.copy() for _ in range(4 * 4 * 3)]
    for frame, (k, i, x) in zip(moved, np.ndindex(4, 4, 3), strict=True):
        frame.positions[i, x] += h * steps[k]
    strained = [atoms.copy() for _ in range(4 * 9)]
    for frame, (k, x, y) in zip(strained, np.ndindex(4, 3, 3), strict=True):
        strain = np.eye(3)
        strain[x, y] += h * steps[k]
        frame.set_cell(frame.cell @ strain.T, scale_atoms=True)
    weights = np.array([1, -8, 8, -1]) / (12 * h)
    said = fitted.predict([atoms])
    forces = -np.tensordot(weights, fitted.predict(moved).energies.reshape(4, 4, 3), 1)
    stress = np.tensordot(weights, fitted.predict(strained).energies.reshape(4, 3, 3), 1) / atoms.cell.volume
    assert np.abs(said.forces[0] - forces).max() < 1e-6 * np.abs(forces).max() + 1e-6
    assert np.abs(said.stresses[0] - stress).max() < 1e-6 * np.abs(stress).max() + 1e-7


def test_the_rows_of_the_fit_are_the_predictions(fitted, test):
    """K_NM c, with its noise taken off, is what `predict` says: energies, gradients, virials."""
    said, sizes = fitted.predict(test), 4
    rows = fitted._equations(test)[:, :-1] @ fitted.coefficients_
    energies, gradients, virials = np.split(rows, [10, 10 + 10 * 12])
    base = fitted.baseline_.predict(test).energies
    assert np.allclose(energies * fitted.energy_noise * np.sqrt(sizes) + base, said.energies, atol=1e-8)
    assert np.allclose(gradients * fitted.force_noise, -np.concatenate(said.forces).ravel(), atol=1e-7)
    volumes = np.array([atoms.cell.volume for atoms in test])
    upper = said.stresses[:, *np.triu_indices(3)] * volumes[:, None]
    assert np.allclose(virials.reshape(10, 6) * fitted.stress_noise * np.sqrt(sizes), upper, atol=1e-7)


def test_frames_go_through_in_chunks_and_nothing_depends_on_them(train, test, fitted, monkeypatch):
    monkeypatch.setattr(gap, "CHUNK", 17)
    again = GAP(SMALL, n_sparse=60).fit(train, progress=False)
    assert np.allclose(again.predict(test).energies, fitted.predict(test).energies, atol=1e-6)


def test_a_supercell_has_its_cells_energies(fitted, test):
    single, double = fitted.predict(test), fitted.predict([atoms.repeat((2, 1, 1)) for atoms in test])
    assert np.allclose(double.energies, 2 * single.energies, atol=1e-8)
    assert np.allclose(double.stresses, single.stresses, atol=1e-8)


def test_it_keeps_its_symmetry_and_a_hand_on_the_first_atom_breaks_it(fitted, test):
    assert (audit(fitted, test[:3]).verdict == "kept").all()

    class Lame(GAP):
        def _predict(self, frames):
            said = super()._predict(frames)
            return type(said)(said.energies + [1e-3 * atoms.positions[0, 0] for atoms in frames], said.forces, said.stresses)

    lame = Lame(SMALL)
    lame.__dict__.update(vars(fitted))
    table = audit(lame, test[:3]).set_index("element")
    assert (table.verdict.drop("periodic image") == "BROKEN").all()


def test_doubt_is_small_where_it_has_learned_and_that_of_the_prior_where_it_has_not(train, fitted):
    strange = alloy(7)
    strange.set_cell(0.7 * strange.cell, scale_atoms=True)
    seen, unseen = fitted.deviation(train[:5]), fitted.deviation([strange])
    assert unseen[0] > 5 * seen.max()
    lonely = fitted.deviation([Atoms("Cu", cell=[20, 20, 20], pbc=True)])
    assert lonely[0] <= fitted.delta + 1e-12                          # one atom: k(x, x) = δ² at most


def test_elements_do_not_teach_each_other(train):
    """Sparse points of gold only: copper's own energy stays at the baseline, so its self-term never moves."""
    numbers = np.concatenate([atoms.numbers for atoms in train])
    golden = GAP(SMALL, selection=np.flatnonzero(numbers == 79)[:20]).fit(train, progress=False)
    assert (golden.sparse_species_ == 79).all()
    copper = bulk("Cu", cubic=True)
    assert golden.predict([copper]).energies == pytest.approx(golden.baseline_.predict([copper]).energies)
    assert np.abs(golden.predict([copper]).forces[0]).max() == 0


@pytest.mark.parametrize("selection", ["fps", "cur"])
def test_more_sparse_points_lower_the_error(train, test, selection):
    errors = [scores(GAP(SMALL, n_sparse=n, selection=selection).fit(train, progress=False).predict(test), test)
              ["model"]["force RMSE (meV/Å)"] for n in (4, 80)]
    assert errors[1] < 0.5 * errors[0]


def tremor(model, atoms, step, kelvin):
    """Standard deviation of the total energy (eV) over 15 fs of NVE dynamics."""
    atoms = atoms.copy()
    atoms.calc = model.calculator()
    thermalize_momenta(atoms, temperature_K=kelvin, rng=np.random.default_rng(0))
    dynamics, totals = VelocityVerlet(atoms, step * units.fs), []
    dynamics.attach(lambda: totals.append(atoms.get_total_energy()))
    dynamics.run(round(15 * kelvin / 300 / step))
    return np.std(totals)


def test_molecules_and_their_dynamics():
    """Ethanol, forces from xTB: fitted, and the tremor of the energy falls with the square of the time step."""
    data = load("ethanol_xtb")
    model = GAP(SOAP(cutoff=4.0, n_max=5, l_max=4), n_sparse=60).fit(data.train[::90], progress=False)
    table = scores(model.predict(data.test[::100]), data.test[::100])
    assert table["model"]["force RMSE (meV/Å)"] < 0.35 * table["mean predictor"]["force RMSE (meV/Å)"]
    coarse, fine = (tremor(model, data.train[0], step, 300) for step in (0.5, 0.25))
    assert fine < 0.4 * coarse < 0.01


def test_crystals_and_their_dynamics():
    """Silicon, PBE: forces within a tenth of the mean predictor's error, and the energy conserved."""
    data = load("silicon")
    model = GAP(SOAP(cutoff=5.0, n_max=6, l_max=4), n_sparse=80).fit(data.train, progress=False)
    crystal = [atoms for atoms in data.test if atoms.info["kind"] == "crystal"]
    table = scores(model.predict(crystal), crystal)
    assert table["model"]["force RMSE (meV/Å)"] < 0.1 * table["mean predictor"]["force RMSE (meV/Å)"]
    coarse, fine = (tremor(model, crystal[0], step, 900) for step in (2.0, 1.0))
    assert fine < 0.4 * coarse < 0.02


@pytest.mark.parametrize("name", ["ethanol", "silicon"])
def test_it_errs_as_much_as_the_program_of_its_inventors(name):
    """QUIP's gap_fit on the same frames, with the same settings and sparse points: tests/oracles/gap_fit.py.

    The melt is left out: no frame of it was learned, and what two radial bases extrapolate is not the same.
    """
    with np.load(Path(__file__).parents[1] / f"oracles/gap_fit_{name}.npz") as peer:
        said = {key: peer[key] for key in peer.files}
    settings, data = json.loads(str(said["settings"])), load(name)
    n_sparse = settings.pop("n_sparse")
    shape = {key: settings.pop(key) for key in ("cutoff", "smoothing", "n_max", "l_max", "width")}
    model = GAP(SOAP(**shape), selection=said["sparse"], **settings)
    model.fit(data.train[::8] if name == "ethanol" else data.train, progress=False)
    assert (np.unique(model.sparse_species_, return_counts=True)[1] == n_sparse).all()
    solid = np.concatenate([np.full(len(atoms), atoms.info.get("kind") != "melt") for atoms in data.test])
    truth, ours = labels(data.test), model.predict(data.test)
    errors = [np.sqrt(np.mean((forces - np.concatenate(truth.forces))[solid] ** 2))
              for forces in (np.concatenate(ours.forces), said["forces"])]
    assert errors[0] < 1.1 * errors[1] < 0.2


def test_it_is_saved_whole(fitted, test, tmp_path):
    fitted.save(tmp_path / "gap.safetensors")
    again = Potential.load(tmp_path / "gap.safetensors")
    assert np.array_equal(again.predict(test).energies, fitted.predict(test).energies)
    assert np.array_equal(again.deviation(test), fitted.deviation(test))


@pytest.mark.parametrize(("settings", "words"), [
    ({"n_sparse": 0}, "n_sparse must be above zero"), ({"zeta": -1}, "zeta must be"), ({"force_noise": 0}, "force_noise must"),
    ({"energy_noise": np.nan}, "energy_noise must"), ({"selection": "random"}, "'fps', 'cur', or rows"),
    ({"selection": [3, 10**6]}, "of the 160 atoms"), ({"selection": []}, "of the 160 atoms"),
    ({"selection": [True, False]}, "rows, whole numbers"), ({"selection": [0.5]}, "rows, whole numbers"),
    ({"n_sparse": 0.5}, "n_sparse must be a whole number")])
def test_settings_that_are_none_are_refused_by_name(train, settings, words):
    with pytest.raises(ValueError, match=words):
        GAP(SMALL, **settings).fit(train, progress=False)


def test_an_unknown_element_is_refused(fitted):
    with pytest.raises(ValueError, match="Ag"):
        fitted.predict([bulk("Ag", cubic=True)])


def test_an_atom_that_its_descriptor_does_not_see_has_the_energy_of_an_isolated_one():
    frames = [alloy(seed) for seed in range(3)]
    blind = SOAP(cutoff=3.5, n_max=5, l_max=4, mixing=np.array([[1.0], [0.0]]))  # gold weighs nothing
    potential = GAP(blind, n_sparse=8).fit(frames, progress=False)
    said = potential.predict([Atoms("Au"), *frames])
    assert said.energies[0] == potential.baseline_.predict([Atoms("Au")]).energies[0]
    assert np.isfinite(said.energies).all() and np.isfinite(np.concatenate(said.forces)).all()


@pytest.mark.parametrize("potential", [GAP(SMALL, n_sparse=8), AtomicClusterExpansion(3.5, (4, 3), (0, 2))])
def test_the_stress_that_a_program_writes_beside_a_molecule_teaches_nothing(potential):
    frames = [Atoms("CuAu", [[0, 0, 0], [0, 0, 2.3 + 0.1 * k]], calculator=EMT()) for k in range(4)]
    said = []
    for stress in ({}, {"stress": np.zeros(6)}):
        for atoms in frames:
            atoms.calc = SinglePointCalculator(atoms, energy=atoms.get_potential_energy(), forces=atoms.get_forces(), **stress)
        said.append(np.concatenate(potential.fit(frames, progress=False).predict(frames).forces))
    assert np.array_equal(*said)
