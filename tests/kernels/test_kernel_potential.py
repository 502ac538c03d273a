"""Molecules as descriptors, energies by kernels: the oldest learned potentials, on small organic molecules."""

from itertools import permutations

import numpy as np
import pytest
from ase.build import molecule
from ase.calculators.calculator import PropertyNotImplementedError
from ase.calculators.singlepoint import SinglePointCalculator

from course_lib.kernels import (
    RBF,
    BagOfBonds,
    CoulombMatrix,
    GaussianProcess,
    KernelPotential,
    Laplacian,
    Matern52,
    Symmetrized,
)
from course_lib.learning import CompositionBaseline, Potential, committee_scale, coverage, labels
from course_lib.structures import load
from course_lib.symmetry import audit

ROOMY = {"bags": BagOfBonds(counts={"C": 7, "H": 16, "N": 5, "O": 5, "F": 6}), "matrix": CoulombMatrix(n_atoms=23)}


def label(atoms, **results):
    atoms.calc = SinglePointCalculator(atoms, **results)
    return atoms


@pytest.fixture(scope="module")
def molecules():
    return load("qm9_small")


@pytest.fixture(scope="module")
def errors(molecules):
    """Mean absolute errors of 300 training molecules, eV; width and noise as validation data choose them."""
    settings = {"bags": (ROOMY["bags"], Laplacian(1, 1e4), 1e-4), "matrix": (ROOMY["matrix"], Laplacian(1, 500), 1e-4)}
    chosen = np.random.default_rng(0).permutation(len(molecules.train))[:300]  # the file is in order of composition
    train, truth = [molecules.train[i] for i in chosen], labels(molecules.test).energies
    models = {name: KernelPotential(features, GaussianProcess(kernel, noise)) for name, (features, kernel, noise) in
              settings.items()} | {"composition": CompositionBaseline()}
    return {name: np.abs(model.fit(train).predict(molecules.test).energies - truth).mean() for name, model in models.items()}


def test_bags_learn_faster_than_matrices_and_those_than_composition(errors):
    assert errors["bags"] < 0.6 * errors["matrix"] < 0.6 * 0.8 * errors["composition"]
    assert errors["bags"] < 0.27  # eV; the composition alone is off by 0.75


def test_it_is_a_potential_of_energies(molecules, tmp_path):
    frames = [a.copy() for a in molecules.test[:5]]
    for atoms in frames:
        atoms.rattle(0.02, seed=1)
    fitted = KernelPotential(ROOMY["bags"], GaussianProcess(Matern52(3, 300), 0.01)).fit(molecules.train[::16])
    assert (audit(fitted, frames).verdict[:4] == "kept").all()
    fitted.save(tmp_path / "krr.safetensors")
    again = Potential.load(tmp_path / "krr.safetensors")
    assert np.array_equal(again.predict(frames).energies, fitted.predict(frames).energies)
    assert np.array_equal(again.deviation(frames), fitted.deviation(frames)) and (fitted.deviation(frames) > 0).all()
    frames[0].calc = fitted.calculator()
    assert np.isfinite(frames[0].get_potential_energy())
    with pytest.raises(PropertyNotImplementedError):
        frames[0].get_forces()


def test_what_it_cannot_describe_is_refused():
    fitted = KernelPotential(CoulombMatrix(), GaussianProcess(RBF(1, 100.0)))
    fitted.fit([label(molecule(name), energy=-1.0) for name in ("CH4", "C2H6", "C2H4")])
    with pytest.raises(ValueError, match=r"frame 1, C6H6, has 12 atoms, these matrices have 8 rows.*set n_atoms=12"):
        fitted.predict([molecule("CH4"), molecule("C6H6")])
    with pytest.raises(ValueError, match="atom 0 is O"):
        fitted.deviation([molecule("H2O")])


def methane_distances(frames):
    positions = np.array([atoms.positions[np.argsort(-atoms.numbers, kind="stable")] for atoms in frames])
    first, second = np.triu_indices(5, 1)
    return np.linalg.norm(positions[:, first] - positions[:, second], axis=-1)


def test_doubt_is_honest_on_methane():
    data = load("methane")
    first, second = np.triu_indices(5, 1)
    place = np.zeros((5, 5), int)
    place[first, second] = place[second, first] = np.arange(10)
    hydrogens = np.array([[0, *g] for g in permutations(range(1, 5))])
    kernel = Symmetrized(Matern52(190.0, 4.0), place[hydrogens[:, first], hydrogens[:, second]])  # by the evidence, eV, 1/Å
    train, test = data.train[::4], data.test
    mean = labels(train).energies.mean()
    fitted = GaussianProcess(kernel, 3e-6).fit(1 / methane_distances(train), labels(train).energies - mean)
    energies, deviations = fitted.predict(1 / methane_distances(test), return_std=True)
    wrong = energies + mean - labels(test).energies
    within = coverage(wrong, deviations)
    assert np.sqrt(np.square(wrong).mean()) < 0.008  # eV
    assert within[0] > 0.68 and within[1] > 0.95 and committee_scale(wrong, deviations) < 1
    assert coverage(wrong, deviations / 4)[0] < 0.6
