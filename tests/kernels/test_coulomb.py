"""Coulomb matrices and bags of bonds: their values, what they are blind to, and where they kink."""

from collections import defaultdict
from itertools import combinations

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, molecule
from ase.data import chemical_symbols
from ase.units import Bohr
from dscribe.descriptors import CoulombMatrix as PeerCoulombMatrix
from scipy.optimize import brentq, least_squares
from scipy.spatial.distance import pdist
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from course_lib.kernels import BagOfBonds, CoulombMatrix
from course_lib.structures import load
from course_lib.symmetry import audit

MAPS = [CoulombMatrix(), CoulombMatrix("eigenvalues"), BagOfBonds()]
NAMES = ["sorted", "eigenvalues", "bags"]


@pytest.fixture(scope="module")
def molecules():
    return load("qm9_small").test[:300]  # more than a chunk


def test_water_by_hand():
    d, h = 1.8, 2.9  # bohr: the O–H bonds and the H–H distance
    height = np.sqrt(d**2 - h**2 / 4)
    water = Atoms("HOH", Bohr * np.array([[-h / 2, 0, 0], [0, height, 0], [h / 2, 0, 0]]))
    o = 0.5 * 8**2.4
    np.testing.assert_allclose(CoulombMatrix().fit_transform([water]), [[o, 8 / d, 8 / d, 0.5, 1 / h, 0.5]], rtol=1e-13)
    np.testing.assert_allclose(BagOfBonds().fit_transform([water]), [[0.5, 0.5, o, 1 / h, 8 / d, 8 / d]], rtol=1e-13)
    even = (0.5 + 1 / h + o) / 2 + np.array([1, -1]) * np.hypot((0.5 + 1 / h - o) / 2, np.sqrt(2) * 8 / d)
    expected = [even[0], *sorted([even[1], 0.5 - 1 / h], key=abs, reverse=True)]  # the odd combination of the hydrogens
    np.testing.assert_allclose(CoulombMatrix("eigenvalues").fit_transform([water]), [expected], rtol=1e-12)


@pytest.mark.parametrize("kind, peer", [("sorted", "sorted_l2"), ("eigenvalues", "eigenspectrum")])
def test_it_is_that_of_dscribe_which_works_in_angstrom(molecules, kind, peer):
    theirs = PeerCoulombMatrix(n_atoms_max=23, permutation=peer).create(molecules)
    if kind == "sorted":
        theirs = theirs.reshape(-1, 23, 23)[(slice(None), *np.triu_indices(23))]
    ours = CoulombMatrix(kind, "Å", n_atoms=23).fit_transform(molecules)
    assert np.abs(ours - theirs).max() < 1e-11  # entries up to 200
    assert np.abs(CoulombMatrix(kind, n_atoms=23).fit_transform(molecules) - theirs).max() > 1


def test_bags_are_those_of_a_loop_over_pairs(molecules):
    bags = [defaultdict(list) for _ in molecules]
    for bag, atoms in zip(bags, molecules, strict=True):
        for z in atoms.numbers:
            bag[z,].append(0.5 * z**2.4)
        for i, j in combinations(range(len(atoms)), 2):
            pair = tuple(sorted(atoms.numbers[[i, j]]))
            bag[pair].append(atoms.numbers[i] * atoms.numbers[j] / (atoms.get_distance(i, j) / Bohr))
    keys = [(z,) for z in (1, 6, 7, 8, 9)] + [(a, b) for k, a in enumerate((1, 6, 7, 8, 9)) for b in (1, 6, 7, 8, 9)[k:]]
    ours, start = BagOfBonds().fit_transform(molecules), 0
    for key in keys:
        size = max(len(bag[key]) for bag in bags)
        expected = [sorted(bag[key], reverse=True) + (size - len(bag[key])) * [0] for bag in bags]
        np.testing.assert_allclose(ours[:, start:start + size], expected, rtol=1e-12)
        start += size
    assert start == ours.shape[1]


@pytest.mark.parametrize("features", MAPS, ids=NAMES)
def test_no_isometry_and_no_numbering_changes_it(molecules, features):
    frames = [a.copy() for a in molecules[:6]]
    for atoms in frames:
        atoms.rattle(0.05, seed=len(atoms))  # of two rows with one norm, rounding would decide
    assert (audit(clone(features).fit(frames), frames).verdict[:4] == "kept").all()


@pytest.mark.parametrize("features", MAPS, ids=NAMES)
def test_a_molecule_is_described_alike_alone_and_among_others(molecules, features):
    fitted = clone(features).fit(molecules)
    alone = np.concatenate([fitted.transform([atoms]) for atoms in molecules[250:260]])
    np.testing.assert_allclose(fitted.transform(molecules)[250:260], alone, rtol=0, atol=1e-12)


def test_eigenvalues_alone_cannot_tell_six_coordinates():
    one = Atoms("H4", [[0, 0, 0], [1.1, 0, 0], [0.2, 1.3, 0], [0.3, 0.4, 1.5]])
    spectrum = CoulombMatrix("eigenvalues").fit([one])

    def misses(x):  # of the four eigenvalues, and of two distances moved on purpose
        other = Atoms("H4", x.reshape(4, 3))
        eigenvalues = spectrum.transform([other]) - spectrum.transform([one])
        return np.append(eigenvalues, (pdist(other.positions) - pdist(one.positions))[:2] - [0.05, 0.03])

    other = Atoms("H4", least_squares(misses, one.positions.ravel(), xtol=1e-15, ftol=1e-15, gtol=1e-15).x.reshape(4, 3))
    assert np.abs(misses(other.positions.ravel())).max() < 1e-12
    assert np.abs(np.sort(pdist(one.positions)) - np.sort(pdist(other.positions))).max() > 0.02  # Å: no isometry
    for sighted in (CoulombMatrix(), BagOfBonds()):
        assert np.abs(np.diff(sighted.fit_transform([one, other]), axis=0)).max() > 1e-3


def stretched(x):
    """Water with one bond of 0.96 Å, the other of 0.96 + x."""
    return Atoms("OHH", [[0, 0, 0], [0.96, 0, 0], [-0.24 * (0.96 + x), np.sqrt(1 - 0.24**2) * (0.96 + x), 0]])


def one_sided_slopes(features, path, h=1e-5):
    before, at, after = features.fit_transform([path(x) for x in (-h, 0, h)])
    return np.abs((after - at) - (at - before)).max() / h


def test_sorting_puts_a_kink_where_two_rows_change_places():
    assert one_sided_slopes(CoulombMatrix(), stretched) > 1
    assert one_sided_slopes(CoulombMatrix("eigenvalues"), stretched) < 1e-2
    assert one_sided_slopes(CoulombMatrix(), lambda x: stretched(0.05 + x)) < 1e-2


def test_rows_of_one_norm_and_different_entries_make_it_jump():
    def path(x):  # atom 1 has one near neighbour, atom 2 gets two of middling distance
        return Atoms("H4", [[0, 0, 0], [0.9, 0, 0], [0, 1.4, 0.3], [0, 1.4 + x, 0.3]])

    def lead(x):
        d = path(x).get_all_distances()
        return np.square(1 / d[1, [0, 2, 3]]).sum() - np.square(1 / d[2, [0, 1, 3]]).sum()

    crossing = brentq(lead, 0.8, 2)
    pair = [path(crossing - 1e-9), path(crossing + 1e-9)]
    assert np.abs(np.diff(CoulombMatrix().fit_transform(pair), axis=0)).max() > 0.05
    for continuous in (CoulombMatrix("eigenvalues"), BagOfBonds()):
        assert np.abs(np.diff(continuous.fit_transform(pair), axis=0)).max() < 1e-8


def test_a_perfect_hexagon_has_ties_that_rounding_decides():
    benzene = molecule("C6H6")
    table = audit(CoulombMatrix().fit([benzene]), [benzene]).set_index("element")
    assert table.verdict["permutation of like atoms"] == "BROKEN"
    assert audit(BagOfBonds().fit([benzene]), [benzene]).set_index("element").verdict.iloc[0] == "kept"


def test_bags_are_blind_to_which_pairs_meet():
    def ring(*hours):  # the two all-interval tetrachords: the same six distances, no isometry joins them
        angle = np.array(hours) * np.pi / 6
        return Atoms("H4", np.stack([np.cos(angle), np.sin(angle), 0 * angle], axis=1))

    pair = [ring(0, 1, 4, 6), ring(0, 1, 3, 7)]
    assert np.abs(np.diff(BagOfBonds().fit_transform(pair), axis=0)).max() < 1e-12
    for sighted in (CoulombMatrix(), CoulombMatrix("eigenvalues")):
        assert np.abs(np.diff(sighted.fit_transform(pair), axis=0)).max() > 0.01


def test_no_descriptor_of_distances_knows_left_from_right():
    hand = Atoms("CHFClBr", [[0, 0, 0], [0, 0, 1.1], [1.3, 0, -0.4], [-0.8, 1.5, -0.5], [-0.9, -1.6, -0.6]])
    mirrored = Atoms(hand.numbers, hand.positions * [1, 1, -1])
    for features in MAPS:
        assert np.abs(np.diff(clone(features).fit_transform([hand, mirrored]), axis=0)).max() < 1e-12


def test_they_are_transformers_and_sizes_may_be_given(molecules):
    columns = make_pipeline(CoulombMatrix(n_atoms=30), StandardScaler()).fit_transform(molecules[:20])
    assert columns.shape == (20, 465)
    given = BagOfBonds(counts={"C": 7, "H": 16, "N": 5, "O": 5, "F": 6}).fit(molecules[:1])
    assert [chemical_symbols[z] for z in given.species_] == ["H", "C", "N", "O", "F"]
    assert given.transform(molecules).shape == (300, given.sizes_.sum())
    assert given.sizes_[:7].tolist() == [16, 7, 5, 5, 6, 120, 112]


@pytest.mark.parametrize("features, message", [
    (CoulombMatrix("rows"), "kind is 'rows'"), (CoulombMatrix(length_unit="nm"), "length_unit is 'nm'"),
    (BagOfBonds("nm"), "length_unit is 'nm'")])
def test_what_it_cannot_be_is_refused(features, message):
    with pytest.raises(ValueError, match=message):
        features.fit([molecule("H2O")])


@pytest.mark.parametrize("features", MAPS, ids=NAMES)
def test_frames_it_cannot_describe_are_refused(features):
    fitted = clone(features).fit([molecule("CH4")])
    with pytest.raises(ValueError, match="frame 1 is periodic"):
        fitted.transform([molecule("CH4"), bulk("C")])
    with pytest.raises(ValueError, match=r"frame 0.*C2H6.*fit on it as well"):
        fitted.transform([molecule("C2H6")])
    with pytest.raises(ValueError, match="frame 0: atoms 0 and 1 are at one place"):
        fitted.transform([Atoms("CH", np.zeros((2, 3)))])
    with pytest.raises(ValueError, match="empty"):
        fitted.transform([])


def test_bags_know_their_elements():
    with pytest.raises(ValueError, match=r"atom 0 is O.*species are H, C"):
        BagOfBonds().fit([molecule("CH4")]).transform([molecule("H2O")])
