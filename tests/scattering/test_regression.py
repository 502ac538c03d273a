"""Linear and multilinear regression on scattering, alone and as a potential."""

import numpy as np
import pytest
from ase.build import molecule
from ase.calculators.singlepoint import SinglePointCalculator
from sklearn.base import clone
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from course_lib.learning import Potential, Trainer
from course_lib.scattering import MultilinearRegression, ScatteringRegression, SolidHarmonicScattering
from course_lib.symmetry import audit

QUICK = SolidHarmonicScattering(J=1, L=1, powers=(1, 2), channels=("full", "valence"), dtype="float64")


@pytest.fixture(scope="module")
def table():
    """200 rows of 12 features of unlike sizes, two of them nearly the same, and one that never varies."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 12)) * np.logspace(-2, 2, 12) + 5
    X[:, 3] = X[:, 4] * (1 + 1e-5 * rng.normal(size=200))
    X[:, 7] = 2.0
    return X, (X - 5) / np.logspace(-2, 2, 12)


@pytest.fixture(scope="module")
def molecules():
    """Shaken molecules, their energies those of springs between all atoms."""
    rng, frames = np.random.default_rng(0), []
    for name in ("H2O", "NH3", "CH4", "HCN") * 8:
        atoms = molecule(name)
        atoms.rattle(0.08, seed=int(rng.integers(1 << 30)))
        d = atoms.get_all_distances()
        energy = 0.5 * ((d - 1.2) ** 2).sum() - len(atoms)
        atoms.calc = SinglePointCalculator(atoms, energy=energy)
        frames.append(atoms)
    return frames


@pytest.fixture(scope="module", params=[1, 2])
def fitted(molecules, request):
    regression = MultilinearRegression(request.param, terms=3, trainer=Trainer(epochs=30, learning_rate=3e-3))
    return ScatteringRegression(QUICK, regression).fit(molecules, progress=False)


def test_order_one_is_ridge_regression_on_standardised_features(table):
    X, u = table
    y = u @ np.arange(12) + np.random.default_rng(1).normal(size=200)
    ours = MultilinearRegression(ridges=(0.3,)).fit(X, y)
    theirs = make_pipeline(StandardScaler(), Ridge(0.3)).fit(X, y)
    np.testing.assert_allclose(ours.predict(X[::7] * 1.01), theirs.predict(X[::7] * 1.01), rtol=1e-9)


def test_the_ridge_is_that_of_least_leave_one_out_error(table):
    X, u = table
    y = u[:, :3].sum(axis=1) + 3 * np.random.default_rng(1).normal(size=200)
    errors = []
    for ridge in (1e-3, 1.0, 1e2, 1e4):
        S = StandardScaler().fit_transform(X)
        left = [y[i] - Ridge(ridge).fit(np.delete(S, i, 0), np.delete(y, i)).predict(S[i:i + 1])[0] for i in range(200)]
        errors.append(np.abs(left).mean())
    assert MultilinearRegression(ridges=(1e-3, 1.0, 1e2, 1e4)).fit(X, y).ridge_ == (1e-3, 1.0, 1e2, 1e4)[np.argmin(errors)]


@pytest.mark.parametrize("order", [2, 3])
def test_products_are_learned_by_their_order_and_not_by_order_one(table, order):
    X, u = table
    y = np.prod([1 + u[:, p] for p in range(order)], axis=0)
    train, test = slice(0, 150), slice(150, 200)
    trainer = Trainer(epochs=200, batch_size=30, learning_rate=0.02)
    linear = MultilinearRegression().fit(X[train], y[train])
    curved = MultilinearRegression(order, terms=4, trainer=trainer).fit(X[train], y[train])
    assert curved.score(X[test], y[test]) > 0.9 > linear.score(X[test], y[test]) + 0.1


def test_without_an_epoch_every_order_is_the_linear_one(table):
    X, u = table
    y = u @ np.arange(12)
    linear = MultilinearRegression().fit(X, y).predict(X)
    for order in (2, 3):
        untrained = MultilinearRegression(order, trainer=Trainer(epochs=0)).fit(X, y)
        np.testing.assert_allclose(untrained.predict(X), linear, rtol=1e-9)


@pytest.mark.parametrize("order", [1, 2, 3])
def test_slopes_in_the_features_are_finite_differences(table, order):
    X, u = table
    model = MultilinearRegression(order, trainer=Trainer(epochs=5)).fit(X, np.sin(u).sum(axis=1))
    slopes = model.predict_with_slopes(X[:5])[1]
    along, h = X[10] - X[11], 1e-4
    expected = (model.predict(X[:5] + h * along) - model.predict(X[:5] - h * along)) / (2 * h)
    np.testing.assert_allclose(slopes @ along, expected, rtol=1e-6, atol=1e-9)


def test_it_learns_and_its_forces_are_slopes_of_its_energy(fitted, molecules):
    assert fitted.score(molecules) > 0.8
    atoms = molecules[1]
    along, h = np.random.default_rng(0).normal(size=(len(atoms), 3)), 1e-3
    shifted = []
    for times in (-2, -1, 1, 2):
        shifted.append(atoms.copy())
        shifted[-1].positions += times * h * along
    slope = np.dot([1, -8, 8, -1], fitted.predict(shifted).energies) / (12 * h)
    assert -np.vdot(fitted.predict([atoms]).forces[0], along) == pytest.approx(slope, rel=1e-5)


def test_it_keeps_what_it_claims_but_for_the_grid(fitted, molecules):
    verdicts = audit(fitted, molecules[:3]).set_index("element").verdict
    assert (verdicts[["permutation of like atoms", "translation"]] == "kept").all()


def test_a_saved_potential_predicts_the_same_and_runs_as_a_calculator(fitted, molecules, tmp_path):
    fitted.save(tmp_path / "model")
    loaded = Potential.load(tmp_path / "model")
    np.testing.assert_allclose(loaded.predict(molecules[:3]).energies, fitted.predict(molecules[:3]).energies, rtol=1e-12)
    atoms = molecules[0].copy()
    atoms.calc = loaded.calculator()
    np.testing.assert_allclose(atoms.get_forces(), fitted.predict([atoms]).forces[0])


def test_without_forces_it_gives_none(molecules):
    model = ScatteringRegression(QUICK, forces=False).fit(molecules, progress=False)
    assert model.predict(molecules[:2]).forces is None


def test_seeds_decide_orders_beyond_one(table):
    X, u = table
    model = MultilinearRegression(2, trainer=Trainer(epochs=3))
    said = [clone(model).set_params(random_state=seed).fit(X, u[:, 0] * u[:, 1]).predict(X) for seed in (0, 0, 1)]
    assert (said[0] == said[1]).all() and not (said[0] == said[2]).all()


@pytest.mark.parametrize("settings", [{"order": 4}, {"order": 2, "terms": 0}])
def test_orders_without_meaning_are_refused(table, settings):
    with pytest.raises(ValueError, match="an order is 1, 2 or 3"):
        MultilinearRegression(**settings).fit(*table[:1], table[1][:, 0])
