"""Gaussian processes beside scikit-learn's, with labels that are sums and slopes, and with honest doubt."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, molecule
from ase.calculators.lj import LennardJones
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.gaussian_process import GaussianProcessRegressor, kernels
from sklearn.kernel_ridge import KernelRidge
from sklearn.model_selection import GridSearchCV

from course_lib.kernels import (
    RBF,
    DotProduct,
    GaussianProcess,
    Laplacian,
    Matern52,
    Observations,
    Symmetrized,
    covariance,
    pair_observations,
)

CYCLIC = np.array([[0, 1, 2], [1, 2, 0], [2, 0, 1]])
KERNELS = [RBF(1.3, 0.9), Matern52(0.7, 1.4), DotProduct(0.8, 3, offset=0.5), DotProduct(0.8, 1), DotProduct(1.1, 2),
           Symmetrized(Matern52(0.7, 1.4), CYCLIC), Symmetrized(RBF(), CYCLIC)]
POINTS = np.random.default_rng(0).normal(size=(30, 3))
QUERIES = np.random.default_rng(1).normal(size=(11, 3))
LABELS = np.sin(POINTS).prod(axis=1) + 0.05 * np.random.default_rng(2).normal(size=30)


def process(kernel, **options):
    return GaussianProcess(kernel, **{"noise": 0.1, "jitter": 0, **options})


@pytest.mark.parametrize("ours, theirs, learned", [
    (RBF(1.3, 0.9), kernels.ConstantKernel(1.3**2) * kernels.RBF(0.9), [0, 1, 2]),
    (Matern52(0.7, 1.4), kernels.ConstantKernel(0.7**2) * kernels.Matern(1.4, nu=2.5), [0, 1, 2]),
    (DotProduct(0.8, 3, 0.5), kernels.ConstantKernel(0.8**2) * kernels.DotProduct(0.5**0.5) ** 3, [0, 2])], ids=repr)
def test_it_is_the_process_of_scikit_learn(ours, theirs, learned):
    peer = GaussianProcessRegressor(theirs + kernels.WhiteKernel(0.01), alpha=0, optimizer=None).fit(POINTS, LABELS)
    fitted = process(ours).fit(POINTS, LABELS)
    mean, cov = peer.predict(QUERIES, return_cov=True)
    cov = cov - 0.01 * np.eye(len(QUERIES))  # theirs is of a noisy label
    np.testing.assert_allclose(fitted.predict(QUERIES), mean, rtol=0, atol=1e-11)
    np.testing.assert_allclose(fitted.predict(QUERIES, return_cov=True)[1], cov, rtol=0, atol=1e-11)
    np.testing.assert_allclose(fitted.predict(QUERIES, return_std=True)[1], np.sqrt(cov.diagonal()), rtol=1e-8)
    evidence, slopes = process(ours).log_marginal_likelihood(POINTS, LABELS)
    expected, gradient = peer.log_marginal_likelihood(peer.kernel_.theta, eval_gradient=True)
    assert evidence == pytest.approx(expected, rel=1e-11) == fitted.evidence_
    of_variances = [1 if place == 1 else 2 for place in learned]  # theirs are slopes in log σ² where ours are in log σ
    np.testing.assert_allclose(slopes, gradient[learned] * of_variances, rtol=1e-9)


def test_its_mean_is_kernel_ridge_regression():
    for ours, theirs in [(RBF(1, 0.9), KernelRidge(kernel="rbf", gamma=0.5 / 0.9**2, alpha=0.01)),
                         (Laplacian(1, 2.0), KernelRidge(kernel="laplacian", gamma=0.5, alpha=0.01))]:
        expected = theirs.fit(POINTS, LABELS).predict(QUERIES)
        np.testing.assert_allclose(process(ours).fit(POINTS, LABELS).predict(QUERIES), expected, rtol=0, atol=1e-11)


@pytest.mark.parametrize("kernel", KERNELS, ids=repr)
def test_slopes_of_a_kernel_are_its_finite_differences(kernel):
    A, B, h = POINTS[:4], np.vstack([POINTS[2:5], POINTS[:1] + 1e-9]), 1e-4  # coincident points among them
    moved = np.eye(3) * h
    slopes = np.stack([(kernel(A + e, B) - kernel(A - e, B)) / (2 * h) for e in moved], axis=1)
    np.testing.assert_allclose(kernel.slopes(A, B), slopes, rtol=0, atol=1e-6)
    curvatures = np.stack([(kernel.slopes(A, B + e) - kernel.slopes(A, B - e)) / (2 * h) for e in moved], axis=-1)
    np.testing.assert_allclose(kernel.curvatures(A, B), curvatures, rtol=0, atol=2e-4)  # Matérn: the third is not continuous


def jets(points):
    """The values and all slopes at `points`."""
    P, d = points.shape
    return Observations(points, csr_array(np.eye(P * (1 + d), P)), csr_array(np.eye(P * (1 + d), P * d, k=-P)))


@pytest.mark.parametrize("kernel", KERNELS, ids=repr)
def test_values_and_slopes_have_a_covariance(kernel):
    K = covariance(kernel, jets(POINTS[:6]), jets(POINTS[:6]))
    np.testing.assert_allclose(K, K.T, rtol=0, atol=1e-13)
    assert np.linalg.eigvalsh(K)[0] > -1e-11
    np.testing.assert_allclose(K[:6, :6], kernel(POINTS[:6], POINTS[:6]), rtol=0, atol=1e-13)
    if not isinstance(kernel, DotProduct):  # a slope taken for another's is no covariance
        K[:6, 6:], K[6:, :6] = K[:6, 6:][:, ::-1].copy(), K[6:, :6][::-1].copy()
        assert np.linalg.eigvalsh(K)[0] < -1e-3


def test_the_slope_of_a_prediction_is_the_prediction_of_the_slope():
    fitted, h = process(Matern52(1, 2)).fit(jets(POINTS[:8]), np.random.default_rng(3).normal(size=32)), 1e-5
    slopes = fitted.predict(jets(QUERIES))[11:].reshape(11, 3)
    differences = [(fitted.predict(QUERIES + e) - fitted.predict(QUERIES - e)) / (2 * h) for e in h * np.eye(3)]
    np.testing.assert_allclose(slopes, np.transpose(differences), rtol=0, atol=1e-8)


def test_the_slopes_of_the_evidence_are_its_finite_differences_with_every_kind_of_label():
    for kernel in (RBF(1.3, 0.9), Matern52(0.7, 1.4), Symmetrized(RBF(0.5, 1.1), CYCLIC)):
        X, y, h = jets(POINTS[:8]), np.random.default_rng(3).normal(size=32), 1e-5
        name, noise = kernel.learned[1], np.linspace(0.1, 0.4, 32)  # as many noises as labels

        def evidence(length=1.0, factor=1.0, kernel=kernel, name=name, noise=noise, X=X, y=y):
            changed = clone(kernel).set_params(**{name: kernel.get_params()[name] * length})
            return process(changed, noise=noise * factor).log_marginal_likelihood(X, y)

        _, slopes = evidence()
        for place, option in ((1, "length"), (2, "factor")):
            up, down = (evidence(**{option: np.exp(sign * h)})[0] for sign in (1, -1))
            assert slopes[place] == pytest.approx((up - down) / (2 * h), rel=1e-6)


def test_the_evidence_finds_the_hyperparameters_the_data_were_drawn_from():
    rng, X = np.random.default_rng(0), np.linspace(0, 30, 300)[:, None]
    y = np.linalg.cholesky(RBF(2.0, 1.5)(X, X) + 0.01 * np.eye(300)) @ rng.normal(size=300)
    found = process(RBF(1, 1), noise=1.0, optimise=True).fit(X, y)
    assert found.kernel_.length == pytest.approx(1.5, rel=0.1)
    assert found.kernel_.amplitude == pytest.approx(2, rel=0.4)
    assert found.noise_ == pytest.approx(0.1, rel=0.15)
    assert found.evidence_ > process(RBF(2, 1.5)).fit(X, y).evidence_  # no hyperparameters fit better, the true ones neither
    assert np.abs(process(found.kernel_, noise=found.noise_).log_marginal_likelihood(X, y)[1]).max() < 0.1


def test_starting_anew_leaves_a_poor_maximum_and_repeats_itself():
    X = np.linspace(0, 20, 60)[:, None]
    y = np.sin(2 * X[:, 0]) + 0.05 * np.random.default_rng(0).normal(size=60)
    poor, anew, again = (process(RBF(1, 4.0), noise=1.0, optimise=True, restarts=r).fit(X, y) for r in (0, 4, 4))
    assert anew.evidence_ > poor.evidence_ + 50
    assert anew.evidence_ == again.evidence_ and anew.kernel_.length == again.kernel_.length


def test_what_was_seen_is_known_and_what_is_far_is_not():
    fitted = process(RBF(1.5, 0.5), noise=1e-4).fit(POINTS, LABELS)
    mean, deviation = fitted.predict(np.vstack([POINTS, POINTS[:1] + 50]), return_std=True)
    np.testing.assert_allclose(mean[:-1], LABELS, atol=1e-5)
    assert deviation[:-1].max() < 1.1e-4 and deviation[-1] == pytest.approx(1.5) and mean[-1] == 0


def test_single_values_follow_from_sums_alone():
    rng = np.random.default_rng(0)
    points, owner = rng.uniform(-2, 2, (200, 1)), np.arange(200) // 5
    sums = Observations.of_structures(points, owner, 40)
    y = np.bincount(owner, np.cos(2 * points[:, 0]))
    fitted = process(RBF(1, 0.7), noise=1e-4).fit(sums, y)
    grid = np.linspace(-1.9, 1.9, 50)[:, None]
    mean, deviation = fitted.predict(grid, return_std=True)
    assert np.abs(mean - np.cos(2 * grid[:, 0])).max() < 1e-2
    np.testing.assert_allclose(fitted.predict(sums), y, atol=1e-4)
    assert (deviation < 0.05).all()


def lennard_jones_clusters(n, seed):
    """Ten atoms, none nearer than σ to another; labelled by ASE."""
    rng, frames = np.random.default_rng(seed), []
    for _ in range(n):
        positions = rng.uniform(0, 2.8, (1, 3))
        while len(positions) < 10:
            trial = rng.uniform(0, 2.8, 3)
            if np.linalg.norm(positions - trial, axis=1).min() > 1:
                positions = np.vstack([positions, trial])
        frames.append(Atoms("Ar10", positions, calculator=LennardJones(rc=50)))
    return frames


def learn_pairs(frames, forces):
    noise = np.full(len(frames), 1e-3)
    y = np.array([atoms.get_potential_energy() for atoms in frames])
    if forces:
        y = np.concatenate([y, *(atoms.get_forces().ravel() for atoms in frames)])
        noise = np.concatenate([noise, np.full(30 * len(frames), 1e-2)])
    return GaussianProcess(RBF(3, 0.25), noise).fit(pair_observations(frames, 10, forces), y)


def pair_error(fitted):
    r = np.linspace(1, 3, 201)
    return np.sqrt(np.mean((fitted.predict(r[:, None]) - 4 * (r**-12 - r**-6)) ** 2))


def test_a_pair_potential_is_learned_that_was_never_seen_and_forces_tell_most():
    one = np.array([[pair_error(learn_pairs(lennard_jones_clusters(1, seed), forces)) for forces in (False, True)]
                    for seed in range(5)])
    energies, both = np.median(one, axis=0)
    assert 0.25 < energies < 0.35 and both < 0.03 and (one[:, 0] > 4 * one[:, 1]).all()
    many = [pair_error(learn_pairs(lennard_jones_clusters(40, 0), forces)) for forces in (False, True)]
    assert many[0] < 0.0075 and many[1] < 0.0046 and many[1] < many[0] / 2


def test_learned_forces_are_minus_the_gradient_of_the_learned_energy():
    *frames, atoms = lennard_jones_clusters(4, 1)
    labels, h = np.random.default_rng(0).normal(size=93), 1e-3
    fitted = process(RBF(1, 0.5)).fit(pair_observations(frames, 10), labels)
    moved = [Atoms("Ar10", atoms.positions + step * np.eye(30)[c].reshape(10, 3))
             for step in (-2 * h, -h, h, 2 * h) for c in range(30)]
    slopes = [1, -8, 8, -1] @ fitted.predict(pair_observations(moved, 10, forces=False)).reshape(4, 30) / (12 * h)
    said = fitted.predict(pair_observations([atoms], 10))
    np.testing.assert_allclose(said[1:], -slopes, rtol=0, atol=1e-7)
    assert said[0] == pytest.approx(fitted.predict(pair_observations([atoms], 10, forces=False))[0])


def test_pairs_are_counted_once_and_only_in_molecules():
    frames = [molecule("H2O"), Atoms("Ar"), molecule("CH4"), Atoms("Ar")]
    seen = pair_observations(frames, 10)
    assert seen.values.sum(axis=1).tolist() == [3, 0, 10, 0] + 30 * [0] and seen.slopes.shape == (34, 13)
    with pytest.raises(ValueError, match="frame 1 is periodic"):
        pair_observations([frames[0], bulk("Cu")], 5)


def test_functions_under_a_symmetrized_kernel_do_not_change_with_the_group():
    invariant, plain = (process(k).fit(POINTS, LABELS) for k in (Symmetrized(RBF(), CYCLIC), RBF()))
    for g in CYCLIC:
        np.testing.assert_allclose(invariant.predict(QUERIES[:, g]), invariant.predict(QUERIES), rtol=0, atol=1e-12)
    assert np.abs(plain.predict(QUERIES[:, CYCLIC[1]]) - plain.predict(QUERIES)).max() > 0.05


def test_grid_search_reaches_the_kernel_inside():
    search = GridSearchCV(process(RBF()), {"kernel__length": [0.01, 1.0], "noise": [0.1]}).fit(POINTS, LABELS)
    assert search.best_params_["kernel__length"] == 1.0


def test_labels_that_tell_the_same_are_refused_with_a_cure():
    twice = np.vstack([POINTS, POINTS[:5]])
    with pytest.raises(ValueError, match=r"35 labels is not positive definite.*raise noise \(0\).*repeated points"):
        process(RBF(), noise=0).fit(twice, np.ones(35))
    process(RBF(), noise=0, jitter=1e-10).fit(twice, np.ones(35))


@pytest.mark.parametrize("X, y, message", [
    (POINTS[:, 0], LABELS, r"shape \(30,\).*x\[:, None\]"), (POINTS, LABELS[:5], r"shape \(5,\).*beside 30"),
    (POINTS, np.where(np.arange(30) == 7, np.nan, LABELS), "label 7 is not finite"),
    (np.where(np.arange(30)[:, None] == 9, np.inf, POINTS), LABELS, "point 9 has an entry that is not finite")])
def test_data_that_are_none_are_refused(X, y, message):
    with pytest.raises(ValueError, match=message):
        process(RBF()).fit(X, y)


@pytest.mark.parametrize("options, message", [
    (dict(kernel=RBF(1, 0)), "length of RBF is 0"), (dict(kernel=Symmetrized(RBF(-1), CYCLIC)), "amplitude of RBF is -1"),
    (dict(kernel=Symmetrized(RBF(), CYCLIC[:2])), "2 permutations are not a group.*they give 3"),
    (dict(kernel=Symmetrized(RBF(), [[0, 0, 1]])), "not a group"), (dict(noise=-1.0), "noise is -1"),
    (dict(noise=np.ones(4)), r"noise \(4,\) beside 30"), (dict(jitter=-1), "jitter -1")])
def test_hyperparameters_that_make_no_sense_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        process(**{"kernel": RBF(), **options}).fit(POINTS, LABELS)


def test_points_of_another_space_are_refused():
    with pytest.raises(ValueError, match="2 coordinates, those of `fit` had 3"):
        process(RBF()).fit(POINTS, LABELS).predict(QUERIES[:, :2])


def test_a_laplacian_has_no_slopes_and_says_so():
    with pytest.raises(ValueError, match="no slopes; use Matern52"):
        process(Laplacian()).fit(jets(POINTS[:3]), np.zeros(12))


def test_observations_must_fit_together():
    with pytest.raises(ValueError, match=r"2 points of dimension 3 need values \(1, 2\) and slopes \(1, 6\)"):
        Observations(POINTS[:2], csr_array(np.ones((1, 2))), csr_array(np.ones((1, 5))))
