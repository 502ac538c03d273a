"""Scattering of molecules: closed forms, the symmetries it claims and the one it cannot have, slopes, memory."""

import subprocess
import sys
import warnings

import numpy as np
import pytest
import torch
from ase import Atoms
from ase.build import bulk, molecule
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from course_lib.scattering import SolidHarmonicScattering, VoxelScattering
from course_lib.scattering.wavelets import amplitude
from course_lib.structures import load
from course_lib.symmetry import random_rotations

SMALL = SolidHarmonicScattering(J=1, L=2, powers=(0.5, 1, 2, 3), dtype="float64")


@pytest.fixture(scope="module")
def molecules():
    return [atoms for atoms in load("qm9_small").train[:400] if len(atoms) < 10][:4]


@pytest.fixture(scope="module")
def chiral():
    """CHFClBr, with its atoms in no symmetric place."""
    return Atoms("CHFClBr", [[0.05, 0, 0], [0.63, 0.63, 0.71], [-0.8, -0.82, 0.75], [1.05, -1.02, -0.98], [-1.1, 1.12, -1.1]])


def relative(found, expected):
    return np.abs(found / expected - 1)


def moved(atoms, rotation=None, shift=0.0):
    copy = atoms.copy()
    copy.positions = atoms.positions @ (np.eye(3) if rotation is None else rotation).T + shift
    return copy


def assert_alike(scattering, table):
    """To rounding; where every field vanishes, q = ½ makes 1e-8 of it."""
    errors, root = relative(table[1:], table[0]), columns(scattering, "q=0.5")
    assert errors[:, root].max() < 1e-7 and errors[:, ~root].max() < 1e-11


def columns(scattering, *words):
    return np.array([set(words) <= set(name.split()) for name in scattering.get_feature_names_out()])


def test_one_atom_is_known_in_closed_form():
    """U of a single Gaussian is c_l (σ_j/s)^l s⁻³ u^l e^{−u²/2} ((2l + 1)/4π)^{1/2}, whose powers integrate to Γ functions."""
    from math import gamma, hypot

    scattering = SolidHarmonicScattering(J=3, L=3, powers=(1, 2, 4), spacing=0.25, channels=("full",), order=1, dtype="float64")
    found = dict(zip(scattering.fit().get_feature_names_out(), scattering.transform([Atoms("O")])[0], strict=True))
    for j in range(4):
        sigma, s = 0.4 * 2**j, hypot(0.4, 0.4 * 2**j)
        for l in range(4):
            height = 8 * amplitude(l) * (sigma / s) ** l / s**3 * np.sqrt((2 * l + 1) / (4 * np.pi))
            for q in (1, 2, 4):
                radial = gamma((l * q + 3) / 2) / 2 * (2 / q) ** ((l * q + 3) / 2)
                expected = height**q * 4 * np.pi * s**3 * radial
                rough = 2e-3 if l % 2 and q == 1 else 1e-6  # |r|^l has a kink at the atom
                assert found[f"full j={j} l={l} q={q}"] == pytest.approx(expected, rel=rough), (j, l, q)


def test_first_order_squared_is_a_sum_over_pairs_by_parseval(molecules):
    """∫U² = Σ_ab z_a z_b F(|r_a − r_b|) with F by radial quadrature in k: no grid, no harmonics but their sum rule."""
    scattering = SMALL.fit()
    for atoms, row in zip(molecules, scattering.transform(molecules), strict=True):
        d, z = atoms.get_all_distances(), atoms.numbers
        k = np.linspace(1e-6, 30, 6000)
        pairs = np.einsum("a,b,kab->k", z, z, np.sinc(k[:, None, None] * d / np.pi))
        for j in range(2):
            sigma = 0.4 * 2**j
            for l in range(3):
                filtered = (2 * np.pi) ** 3 * amplitude(l) ** 2 * (sigma * k) ** (2 * l) * (2 * l + 1) / (4 * np.pi)
                power = filtered * np.exp(-(k**2) * (sigma**2 + 0.4**2)) * pairs
                expected = np.trapezoid(power * k**2, k) * 4 * np.pi / (2 * np.pi) ** 3
                assert row[columns(scattering, "full", f"j={j}", f"l={l}", "q=2")][0] == pytest.approx(expected, rel=2e-5)


def test_it_is_voxel_scattering_of_the_density_on_a_wide_and_fine_grid():
    """In pixels and sums, times the volume of a voxel: the other code, which knows no closed form and one grid only."""
    water, h, n = molecule("H2O"), 0.2, 60
    points = (np.arange(n) - n / 2) * h
    gaussians = [np.exp(-((points[:, None] - water.positions[:, d]) ** 2) / (2 * 0.4**2)) for d in range(3)]
    density = np.einsum("a,xa,ya,za->xyz", water.numbers, *gaussians) / (2 * np.pi * 0.4**2) ** 1.5
    voxels = VoxelScattering((n, n, n), 1, 2, 0.4 / h, (1, 2, 3), dtype="float64")(torch.tensor(density[None]))[0] * h**3
    scattering = SolidHarmonicScattering(1, 2, (1, 2, 3), spacing=0.25, channels=("full",), dtype="float64").fit()
    found = scattering.transform([water])[0].reshape(-1, 3)
    assert relative(found[0], [(density**q).sum() * h**3 for q in (1, 2, 3)]).max() < 1e-9
    assert relative(found[1:].reshape(3, 3, 3), voxels.numpy()).max() < 3e-3
    assert relative(found[1:].reshape(3, 3, 3), voxels.numpy())[:2, :, 1].max() < 1e-6


def test_channels_and_powers_of_the_density():
    """∫ρ = Σz of all, valence and core electrons; ∫ρ² by pairs of Gaussians."""
    atoms = Atoms("HeCSi", [[0, 0, 0], [1.5, 0.2, 0], [0, 1.7, 0.9]])
    scattering = clone(SMALL).fit()
    row = scattering.transform([atoms])[0]
    for channel, charges in {"full": [2, 6, 14], "valence": [2, 4, 4], "core": [0, 2, 10]}.items():
        names = [f"{channel} q=1", f"{channel} q=2"]
        first, second = (row[list(scattering.get_feature_names_out()).index(name)] for name in names)
        z = np.array(charges)
        overlap = np.exp(-atoms.get_all_distances() ** 2 / (4 * 0.4**2)) / (4 * np.pi * 0.4**2) ** 1.5
        assert first == pytest.approx(z.sum(), rel=1e-7) and second == pytest.approx(z @ overlap @ z, rel=1e-9)


def test_like_atoms_may_change_places_and_a_molecule_may_stand_anywhere(molecules):
    scattering = clone(SMALL).fit()
    for atoms in molecules:
        order = np.random.default_rng(len(atoms)).permutation(len(atoms))
        variants = [atoms, atoms[order], moved(atoms, shift=[0.4, -0.8, 1.2]), moved(atoms, shift=[0.123, 7.1, -0.05])]
        table = scattering.transform(variants)
        assert_alike(scattering, table)


def test_quarter_turns_and_inversion_are_exact(molecules):
    scattering = clone(SMALL).fit()
    x, z = np.array([[1, 0, 0], [0, 0, -1], [0, 1, 0]]), np.array([[0, -1, 0], [1, 0, 0], [0, 0, 1]])
    for atoms in molecules[:2]:
        table = scattering.transform([atoms, *(moved(atoms, R) for R in (x, z, x @ z, -np.eye(3), np.diag([1, 1, -1])))])
        assert_alike(scattering, table)


def test_other_rotations_fade_with_the_grid(molecules):
    """Powers of 2 see no kink: their error falls faster than any power of the spacing; others as a power."""
    R = random_rotations(3, np.random.default_rng(0)) * np.array([1, 1, -1])[:, None, None]
    even, odd = [], []
    for spacing in (1.4, 0.9, 0.6):
        scattering = clone(SMALL).set_params(J=0, spacing=spacing, width=0.6, order=1, channels=("full",))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            scattering.fit()
        table = scattering.transform([molecules[3], *(moved(molecules[3], r) for r in R)])
        errors = relative(table[1:], table[0])
        even.append(errors[:, columns(scattering, "q=2")].max())
        odd.append(errors[:, columns(scattering, "l=1", "q=1")].max())
    assert even[0] > 1e-5 and even[1] < 1e-6 and even[2] < 1e-13
    assert odd[0] > 3 * odd[1] > 9 * odd[2] > 1e-6


def test_one_order_m_alone_would_see_every_rotation(molecules, monkeypatch):
    """The modulus without the sum over m: not invariant, by far."""
    from course_lib.scattering import pyramid

    monkeypatch.setattr(pyramid, "modulus", lambda fields, dim: fields.select(dim, fields.shape[dim] // 2).abs())
    scattering = clone(SMALL).fit()
    table = scattering.transform([molecules[3], moved(molecules[3], random_rotations(1, np.random.default_rng(0))[0])])
    assert relative(table[1], table[0])[columns(scattering, "j=1", "l=2")].max() > 0.05


def test_it_cannot_tell_left_from_right(chiral):
    scattering = clone(SMALL).fit()
    left, right = scattering.transform([chiral, moved(chiral, -np.eye(3))])
    assert_alike(scattering, np.array([left, right]))
    swapped = chiral.copy()
    swapped.numbers[[3, 4]] = swapped.numbers[[4, 3]]
    assert relative(scattering.transform([swapped])[0], left).max() > 1e-3  # while it does see where the atoms are


def test_slopes_are_finite_differences(molecules):
    """Of molecules that are not symmetric, so that no zero of U, where it has a kink, lies on a grid point."""
    scattering = clone(SMALL).set_params(powers=(1, 2, 3)).fit()
    rng, h = np.random.default_rng(1), 3e-4
    frames = [moved(atoms, shift=rng.normal(scale=0.05, size=(len(atoms), 3))) for atoms in molecules]
    weights = rng.normal(size=len(scattering.names_)) / scattering.transform(frames).mean(axis=0)
    for atoms, slope in zip(frames, scattering.pull(frames, weights), strict=True):
        along = rng.normal(size=(len(atoms), 3))
        shifted = [moved(atoms, shift=t * h * along) for t in (-2, -1, 1, 2)]
        expected = np.dot([1, -8, 8, -1], scattering.transform(shifted) @ weights) / (12 * h)
        assert np.vdot(slope, along) == pytest.approx(expected, rel=1e-6)
        assert np.abs(slope.sum(axis=0)).max() < 1e-10 * np.abs(slope).max()


def test_a_weight_a_frame(molecules):
    scattering = clone(SMALL).set_params(channels=("valence",), order=1).fit()
    weights = np.random.default_rng(0).normal(size=(4, len(scattering.names_)))
    together = scattering.pull(molecules, weights)
    for atoms, weight, slope in zip(molecules, weights, together, strict=True):
        np.testing.assert_allclose(scattering.pull([atoms], weight)[0], slope, rtol=1e-9, atol=1e-12)


def test_atoms_on_grid_points_have_slopes_too():
    """There every field of l > 0 is zero, and a modulus has no slope."""
    slopes = clone(SMALL).fit().pull([Atoms("O"), Atoms("OO", [[0, 0, 0], [1.2, 0, 0]])], 1.0)
    assert np.isfinite(np.concatenate(slopes)).all() and np.abs(slopes[0]).max() < 1e-8


def test_slopes_are_finite_where_single_precision_has_no_density_left():
    """Far from a small charge a Gaussian is less than the smallest number, and √ρ has no slope at 0."""
    atoms = molecule("CH3CH2OH")
    parts = {dtype: SolidHarmonicScattering(J=1, L=1, powers=(0.5, 1), dtype=dtype).fit().pull([atoms], 1.0)[0]
             for dtype in ("float32", "float64")}
    half_the_digits = 10 * np.finfo(np.float32).eps ** 0.5
    np.testing.assert_allclose(parts["float32"], parts["float64"], atol=half_the_digits * np.abs(parts["float64"]).max())


def test_neither_company_nor_memory_changes_a_feature():
    frames = [moved(molecule("CH3OH"), shift=0.01 * np.random.default_rng(i).normal(size=(6, 3))) for i in range(6)]
    frames.append(molecule("NH3"))
    scattering = clone(SMALL).set_params(memory=4000).fit()
    together = scattering.transform(frames)
    np.testing.assert_allclose(clone(scattering).set_params(memory=20).fit().transform(frames), together, rtol=1e-12)
    np.testing.assert_allclose(np.concatenate([scattering.transform([atoms]) for atoms in frames]), together, rtol=1e-12)


def test_it_stays_within_its_memory():
    """Growth of the peak of a process of its own, beyond what a first small molecule took; then with slopes."""
    code = """
import resource
from ase.build import molecule
from course_lib.scattering import SolidHarmonicScattering
scattering = SolidHarmonicScattering(J=2, L=2, powers=(1, 2), memory=60).fit()
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
scattering.pull([molecule("H")], 1.0)
first = peak()
scattering.transform([molecule("CH3CH2OCH3")] * 8)
second = peak()
scattering.pull([molecule("CH3CH2OCH3")] * 2, 1.0)
print(second - first, peak() - first)
"""
    grown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert max(map(float, grown.split())) < 60


def test_single_precision_is_good_for_six_digits(molecules):
    double = clone(SMALL).fit().transform(molecules)
    single = clone(SMALL).set_params(dtype="float32").fit().transform(molecules)
    assert single.dtype == np.float32
    assert np.median(relative(single, double)) < 1e-6
    assert relative(single, double)[:, columns(clone(SMALL).fit(), "q=2")].max() < 1e-5


def test_names_number_the_features(molecules):
    scattering = SolidHarmonicScattering().fit()
    names = scattering.get_feature_names_out()
    assert len(set(names)) == len(names) == 3 * 5 * (1 + 4 * (4 + 6)) == 615
    assert {"full q=0.5", "core j=3 l=0 q=4", "valence j=1,3 l=2 q=1"} <= set(names)
    assert SMALL.fit_transform(molecules[:1]).shape == (1, len(SMALL.get_feature_names_out()))


@pytest.mark.parametrize("settings, reason", [
    ({"J": -1}, "J is -1"), ({"L": 2.5}, "L is 2.5"), ({"order": 3}, "order is 3"), ({"dtype": "float16"}, "float16"),
    ({"powers": ()}, "powers"), ({"powers": (1, -1)}, "powers"), ({"width": 0}, "width"), ({"spacing": np.nan}, "spacing"),
    ({"channels": ("full", "outer")}, "outer")])
def test_parameters_without_meaning_are_refused(settings, reason):
    with pytest.raises(ValueError, match=reason):
        SolidHarmonicScattering(**settings).fit()


def test_a_grid_too_coarse_for_the_density_warns_and_names_the_remedy():
    with pytest.warns(UserWarning, match="Set spacing=0.4 or less"):
        SolidHarmonicScattering(spacing=0.5).fit()


def test_bad_frames_are_refused(molecules):
    scattering = clone(SMALL).fit()
    broken = moved(molecules[0], shift=np.nan)
    for frames, reason in [([], "empty"), ([bulk("Si")], "periodic"), ([broken], "not finite")]:
        with pytest.raises(ValueError, match=reason):
            scattering.transform(frames)
    with pytest.raises(ValueError, match=r"needs memory=\d+ MB or more"):
        clone(SMALL).set_params(memory=0.1).fit().transform(molecules)
    with pytest.raises(NotFittedError):
        clone(SMALL).transform(molecules)
