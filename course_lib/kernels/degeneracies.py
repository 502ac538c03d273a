"""What descriptors miss: structures that differ and look alike, each pair with its proof.

A descriptor of order ν sums something over ν-tuples of an atom's neighbours. All that O(3) leaves of a tuple are the distances
between its members and the centre (Weyl, The Classical Groups, 1939: invariants are functions of inner products). So if two
centres have the same list of ν-tuples, in this sense, no descriptor of order ν tells them apart, whatever its basis or its
kernel: SOAP's power spectrum, angular symmetry functions and the three-body part of a potential are of order 2, the bispectrum
is of order 3 (Pozdnyakov et al., Phys. Rev. Lett. 125, 166001 (2020)). And if no permutation of like atoms and no rotation or
reflection after it lays one structure on the other, they are different. Both are finite computations.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, combinations_with_replacement, permutations, product
from math import factorial, prod

import numpy as np
from ase import Atoms
from scipy.optimize import linear_sum_assignment

from course_lib.structures import check_structures
from course_lib.symmetry import invariant_couplings

LARGEST = 1_000_000
"""How many permutations are tried at most."""


@dataclass(frozen=True, eq=False)
class DegeneratePair:
    """Two molecules whose atoms `centre` have the same list of `order`-tuples of neighbours.

    With `centre` None no atom is singled out: the lists are those of all sets of order + 1 atoms.
    """

    first: Atoms
    second: Atoms
    order: int
    centre: int | None = 0

    def rmsd(self) -> float:
        """Å: `smallest_rmsd`. Above zero: the two are different."""
        return smallest_rmsd(self.first, self.second, self.centre)

    def difference(self, order: int | None = None) -> float:
        """Å: `cluster_difference` of `order`, of the claimed one if None. Zero: no descriptor of this order can tell."""
        return cluster_difference(self.first, self.second, self.order if order is None else order, self.centre)


def smallest_rmsd(first: Atoms, second: Atoms, centre: int | None = None) -> float:
    """Root mean square distance of the atoms, Å, after the best isometry and the best permutation of like atoms.

    All permutations are tried; for each the singular values of the 3 × 3 matrix Σ x yᵀ say what the best of all rotations and
    reflections leaves (Kabsch, Acta Cryst. A 32, 922 (1976)). With a `centre`, a row of both, this atom stays where it is and
    is not counted. Below 1e-7 of the size of the structure the result is rounding. Raises ValueError for different
    compositions, periodic structures, and more than a million permutations.
    """
    _check(first, second)
    x, y = (_around(atoms, centre) for atoms in (first, second))
    order = [np.argsort(numbers, kind="stable") for _, numbers in (x, y)]
    (x, numbers), (y, other) = ((points[rows], numbers[rows]) for (points, numbers), rows in zip((x, y), order, strict=True))
    if not np.array_equal(numbers, other):
        raise ValueError(f"{first.symbols} and {second.symbols} have not the same atoms around their centres")
    starts = np.flatnonzero(np.diff(numbers, prepend=-1))
    like = np.split(np.arange(len(numbers)), starts[1:])
    if (count := prod(factorial(len(rows)) for rows in like)) > LARGEST:
        raise ValueError(f"{first.symbols} has {count} permutations of like atoms; at most {LARGEST} can be tried")
    relabelled = np.array([sum(images, ()) for images in product(*(permutations(rows.tolist()) for rows in like))])
    overlaps = np.einsum("ia,pib->pab", x, y[relabelled])
    best = np.linalg.svd(overlaps, compute_uv=False).sum(axis=1).max()
    return float(np.sqrt(max(np.sum(x**2) + np.sum(y**2) - 2 * best, 0) / len(x)))


def cluster_difference(first: Atoms, second: Atoms, order: int, centre: int | None = None) -> float:
    """How far the two lists of clusters are apart, Å: those of `centre` and `order` others, or of any order + 1 atoms.

    A cluster is its elements and the distances of its members. The lists are matched one to one as well as they can be, members
    in their best order, and the largest difference of a distance that remains is the result; infinite if elements differ.
    """
    _check(first, second)
    (elements, x), (other, y) = (_clusters(atoms, order, centre) for atoms in (first, second))
    if len(x) != len(y):
        raise ValueError(f"{first.symbols} and {second.symbols} have {len(x)} and {len(y)} clusters")
    fixed = () if centre is None else (0,)
    cost = np.full((len(x), len(y)), np.inf)
    for moved in permutations(range(len(fixed), order + 1)):
        rows = np.array([*fixed, *moved])
        apart = np.abs(x[:, None] - y[None][..., rows, :][..., rows]).max(axis=(2, 3))
        cost = np.minimum(cost, np.where((elements[:, None] == other[None][..., rows]).all(axis=2), apart, np.inf))
    try:
        return float(cost[linear_sum_assignment(cost)].max(initial=0))
    except ValueError:  # no matching without an infinite cost
        return np.inf


def ring_pair(order: int = 2, radius: float = 1.0) -> DegeneratePair:
    """Hydrogens on a ring around a carbon, `radius` in Å: two chords with the same intervals.

    order 2: steps {0, 1, 4, 6} and {0, 1, 3, 7} of twelve, the all-interval tetrachords of music: every distance on the ring
    occurs once in each. order 3: nine of eighteen steps with the same triangles, so that the bispectrum is blind as well; found
    by trying all. Sets that share their distances are called homometric: Patterson, Phys. Rev. 65, 195 (1944).
    """
    rings = {2: (12, (0, 1, 4, 6), (0, 1, 3, 7)), 3: (18, (0, 1, 2, 3, 4, 6, 8, 14, 15), (0, 1, 2, 3, 5, 6, 7, 9, 13))}
    if order not in rings:
        raise ValueError(f"ring pairs of order {', '.join(map(str, rings))} are known here, got order {order}")
    steps, *chords = rings[order]
    angles = [2 * np.pi * np.array(chord) / steps for chord in chords]
    return DegeneratePair(*(_around_carbon(radius * np.stack([np.cos(a), np.sin(a), 0 * a], axis=1)) for a in angles), order)


def degenerate_methane_pair(theta: float = 75.0, phi: float = 120.0, bond: float = 1.09) -> DegeneratePair:
    """CH4 of one bond length (Å) and, around the carbon, the same six angles: order 2 (Pozdnyakov et al.).

    Hydrogens 1 and 2 lie on ±z. In the first molecule 3 and 4 have polar angles θ and 180° − θ and azimuths 0 and φ', in the
    second both have θ, and azimuths 0 and φ, with cos φ' = cos φ + 2 cot²θ. `theta` and `phi` in degrees. Raises ValueError
    where no φ' does it.
    """
    t, p = np.radians([theta, phi])
    if not 0 < theta < 180 or (cosine := np.cos(p) + 2 / np.tan(t) ** 2) > 1:
        raise ValueError(f"no azimuth has the cosine cos φ + 2 cot²θ for θ = {theta}°, φ = {phi}°; take θ closer to 90°")
    poles = bond * np.array([[0, 0, 1], [0, 0, -1]])

    def at(polar: float, azimuth: float) -> np.ndarray:
        return bond * np.array([np.sin(polar) * np.cos(azimuth), np.sin(polar) * np.sin(azimuth), np.cos(polar)])

    return DegeneratePair(_around_carbon([*poles, at(t, 0), at(np.pi - t, np.arccos(cosine))]),
                          _around_carbon([*poles, at(t, 0), at(t, p)]), order=2)


def homometric_pair(spacing: float = 1.0) -> DegeneratePair:
    """Six hydrogens on a line with the same fifteen distances, all different; `spacing` in Å: order 1, seen from no atom.

    The marks {0, 1, 4, 10, 12, 17} and {0, 1, 8, 11, 13, 17} of Bloom, J. Comb. Theory A 22, 378 (1977).
    """
    marks = (0, 1, 4, 10, 12, 17), (0, 1, 8, 11, 13, 17)
    return DegeneratePair(*(Atoms("H6", spacing * np.outer(m, [0, 0, 1])) for m in marks), order=1, centre=None)


def harmonic_pair() -> tuple[np.ndarray, np.ndarray]:
    """Coefficients (16,) of two functions on the sphere with the same power spectrum, 2 for l = 2 and 2 for l = 3.

    Y_22 + Y_2−2 + Y_33 + Y_3−3 and Y_21 + Y_2−1 + Y_32 + Y_3−2 of Bartók, Kondor, Csányi, Phys. Rev. B 87, 184115 (2013), made
    real: each sum of two complex harmonics is √2 times a real one, or i times that, and the i is left out. Their bispectra
    agree as well, for both vanish. `sphere_invariants` of order 4 differ, so no rotation or reflection joins the two.
    """
    first, second = np.zeros((2, 16))
    first[[2 * 3 + 2, 3 * 4 - 3]] = second[[2 * 3 - 1, 3 * 4 + 2]] = np.sqrt(2)  # entry l (l + 1) + m
    return first, second


def sphere_invariants(coefficients: np.ndarray, order: int) -> np.ndarray:
    """(k,): all invariants under O(3) of degree `order` of Σ c_lm Y_lm; 2 is the power spectrum, 3 the bispectrum."""
    l_max = int(np.sqrt(len(coefficients))) - 1
    parts = [coefficients[l * l:(l + 1) ** 2] for l in range(l_max + 1)]
    found = []
    for degrees in combinations_with_replacement(range(l_max + 1), order):
        if sum(degrees) % 2 == 0:
            values = invariant_couplings(degrees, degrees)
            for l in reversed(degrees):
                values = values @ parts[l]
            found.append(values)
    return np.concatenate(found)


def _around_carbon(hydrogens: Sequence) -> Atoms:
    return Atoms(["C"] + ["H"] * len(hydrogens), np.vstack([np.zeros(3), hydrogens]))


def _check(first: Atoms, second: Atoms) -> None:
    check_structures([first, second])
    if first.pbc.any() or second.pbc.any():
        raise ValueError("pairs of molecules can be compared, not of periodic structures; set pbc=False if they are molecules")


def _around(atoms: Atoms, centre: int | None) -> tuple[np.ndarray, np.ndarray]:
    """Positions (n, 3) from the centre, or from the mean if there is none, and elements (n,), without the centre."""
    rows = np.delete(np.arange(len(atoms)), [] if centre is None else centre)
    origin = atoms.positions.mean(axis=0) if centre is None else atoms.positions[centre]
    return atoms.positions[rows] - origin, atoms.numbers[rows]


def _clusters(atoms: Atoms, order: int, centre: int | None) -> tuple[np.ndarray, np.ndarray]:
    """Elements (T, order + 1) and distances (T, order + 1, order + 1) of all clusters, the centre first if there is one."""
    if centre is None:
        members = list(combinations(range(len(atoms)), order + 1))
    else:
        members = [(centre, *others) for others in combinations(np.delete(np.arange(len(atoms)), centre), order)]
    members = np.array(members, int).reshape(-1, order + 1)
    return atoms.numbers[members], atoms.get_all_distances()[members[:, :, None], members[:, None, :]]
