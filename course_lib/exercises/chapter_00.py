"""Checks of chapter 00: units, what a guise changes, edges, the audit, ranks of counts, distances that say too little."""

from collections.abc import Callable, Sequence
from itertools import permutations

import numpy as np
from ase import Atoms, units
from ase.build import bulk, molecule

from course_lib.exercises.core import register, require
from course_lib.structures import neighbour_graphs
from course_lib.symmetry import E3_INVARIANT, audit

GUISES = {"turned", "mirrored", "relabelled", "shifted"}


@register("00.1", "ase.units.kcal is a kilocalorie in eV; ase.units.mol is a number of molecules.",
          "1000 * units.kcal / units.mol")
def chemical_accuracy(answer: float) -> str:
    def says(value: float) -> bool:
        return bool(np.isclose(answer, value, rtol=2e-3))

    require(not says(23.06), "23.06 is the way back: so many kcal/mol make one eV.")
    require(not says(0.04336), "that is in eV; the question asks for meV, a thousand times the number.")
    require(not says(10.364), "that is one kJ/mol; a kilocalorie is 4.184 kJ.")
    require(not says(1000 * units.kcal), "a kilocalorie is shared by a whole mole of molecules: divide by units.mol.")
    require(says(1000 * units.kcal / units.mol), f"1 kcal/mol is not {answer} meV a molecule.")
    return "An error of 43 meV a molecule is what chemists call chemical accuracy."


@register("00.2", "The energy is a scalar; the dipole Σ q_i r_i is a vector made of charges and places.",
          "Shift every r_i by t: the dipole changes by t Σ q_i, and ethanol is neutral.")
def guises(answer: dict[str, set[str]]) -> str:
    energy, dipole = set(answer["energy"]), set(answer["dipole"])
    require(not (energy | dipole) - GUISES, f"the guises are {sorted(GUISES)}; you name {sorted((energy | dipole) - GUISES)}.")
    require("mirrored" not in energy, "electrons and nuclei attract each other the same way in a mirror: left- and "
                                      "right-handed molecules have one energy.")
    require(not energy, f"{' and '.join(sorted(energy))}: empty space has no marked place or direction, and nothing "
                        "numbers the atoms, so the energy stays.")
    require("relabelled" not in dipole, "the dipole is a sum over atoms, and a sum does not see their order.")
    require("shifted" not in dipole, "a shift by t adds t Σ q_i, and the charges of a neutral molecule add up to zero.")
    require("turned" in dipole, "the dipole is an arrow fixed to the molecule: it turns along.")
    require("mirrored" in dipole, "a mirror sends the arrow to its image: the component across the mirror changes sign.")
    return "The energy is invariant; the dipole is equivariant, it answers with the same R of O(3)."


@register("00.3", "The vector points from the receiver, the centre, to the sender, the neighbour.",
          "shifts say by which lattice vector the sender is moved.")
def edges(answer: Callable) -> str:
    atoms = bulk("NaCl", "rocksalt", a=5.64)
    atoms.rattle(0.1, seed=3)
    graph = neighbour_graphs([atoms], 4.5)[0]
    x, expected = graph.positions, graph.edge_vectors()
    got = np.asarray(answer(x, graph.senders, graph.receivers, graph.shifts))
    require(got.shape != expected.shape[:1], "these are lengths, a number an edge; a vector an edge is asked for, (E, 3).")
    require(got.shape == expected.shape, f"your function returns shape {got.shape}, it must return {expected.shape}.")
    require(not np.allclose(got, -expected), "every vector has the wrong sign: yours point from the neighbour to the centre.")
    require(not np.allclose(got, x[graph.senders] - x[graph.receivers]),
            "the shifts are missing: an atom's own image then sits at distance 0.")
    require(not np.allclose(got, x[graph.senders] - graph.shifts - x[graph.receivers]),
            "the shift has the wrong sign: add it to the sender.")
    require(not np.allclose(got, x[graph.receivers] + graph.shifts - x[graph.senders]),
            "senders and receivers are exchanged: the shift belongs to the sender, and the sender comes first.")
    require(np.allclose(got, expected), f"an edge is off by {np.abs(got - expected).max():.2g} Å.")
    return "One convention, used by every network of the course."


def _isomers() -> list[Atoms]:
    rng = np.random.default_rng(5)
    frames = [molecule(name) for name in ("CH3CH2OH", "CH3CH2OH", "CH3OCH3")]
    for atoms in frames:
        atoms.positions += rng.normal(scale=0.05, size=(len(atoms), 3))
    return frames


@register("00.4", "The rows of the audit fall one by one: differences kill translations, lengths kill rotations and "
                  "mirrors, a sum over all pairs kills the order.",
          "A sum over pairs of any function of the distance: a.get_all_distances() holds every pair twice.")
def audited_model(answer: Callable[[Sequence[Atoms]], np.ndarray]) -> str:
    frames = _isomers()
    values = np.asarray(answer(frames), dtype=float)
    require(values.shape == (3,), f"for 3 frames your model returns shape {values.shape}; it must return (3,), "
                                  "one number a frame.")
    require(np.isfinite(values).all(), f"your model returns {values}: log 0 and 1/0 wait on the diagonal of a distance "
                                       "matrix.")
    table = audit(answer, frames, symmetry=E3_INVARIANT)
    broken = table[table["verdict"] == "BROKEN"]
    require(broken.empty, "; ".join(f"{row.element} is broken, relative error {row.error:.2g}"
                                    for row in broken.itertuples()) + ".")
    scale, apart = np.abs(values).max(), np.abs(np.diff(values)).min()
    require(scale > 0 and apart > 1e-6 * scale, "every row is kept, but C2H6O gets one value whatever its shape: a constant "
                                                "and a count of atoms are invariant too, and know nothing of geometry.")
    ours = np.diff([np.exp(-atoms.get_all_distances()).sum() for atoms in frames])
    require(not np.isclose(np.diff(values)[0] * ours[1], np.diff(values)[1] * ours[0]),
            "every row is kept, but this is the chapter's Σ exp(−r), perhaps scaled or shifted; write one of your own.")
    return "Every row kept, and different shapes get different numbers: this is what a potential starts from."


@register("00.5", "The rank is the number of linearly independent rows, which is that of the columns.",
          "C_nH_2n: the hydrogen column is twice the carbon column. C_nH_2n+2: is it a multiple?")
def ranks(answer: tuple[int, int, int]) -> str:
    ethanol, alkenes, alkanes = answer
    require(ethanol != 3, "three elements make three columns, but every row is (2, 6, 1): the rows are all alike.")
    require(ethanol == 1, f"every frame of ethanol has the same counts; the rank is not {ethanol}.")
    require(alkenes != 2, "in C_nH_2n hydrogens are always twice the carbons: two columns, one direction.")
    require(alkenes == 1, f"two columns, one of them a multiple of the other: the rank is not {alkenes}.")
    require(alkanes != 1, "2n + 2 is not a multiple of n: CH4 and C2H6 have the rows (1, 4) and (2, 6).")
    require(alkanes <= 2, f"a table of two columns has rank 2 at most, not {alkanes}.")
    require(alkanes == 2, f"the rows (1, 4) and (2, 6) are independent; the rank is not {alkanes}.")
    return "Below full rank the energies of the elements have no meaning one by one, only their sums do."


@register("00.6", "Put the points on a ring of twelve places, as hours on a clock: a distance then depends on the number of "
                  "steps between two hours, 1 to 6.",
          "The hours {0, 1, 4, 6} have one pair at each number of steps 1 … 6. So has one other set of four.",
          "{0, 1, 3, 7}.")
def same_distances(answer: tuple[np.ndarray, np.ndarray]) -> str:
    a, b = (np.asarray(points, dtype=float) for points in answer)
    require(a.shape == b.shape == (4, 3), f"your clouds have shapes {a.shape} and {b.shape}; each must be (4, 3).")
    da, db = (np.linalg.norm(points[:, None] - points, axis=-1) for points in (a, b))
    pairs = np.triu_indices(4, 1)
    require(min(da[pairs].min(), db[pairs].min()) > 1e-3 * da.max(), "two of your points are at one place: atoms never are.")
    gap = np.abs(np.sort(da[pairs]) - np.sort(db[pairs])).max()
    require(gap < 1e-9 * da.max(), f"the sorted distances differ by {gap:.2g}.")
    best = min(np.abs(da - db[np.ix_(order, order)]).max() for order in map(list, permutations(range(4))))
    require(best > 1e-3 * da.max(), "the two clouds are one: after renumbering, every distance agrees, so a rotation, shift "
                                    "or mirror joins them.")
    return "Two molecules, one list of distances: an invariant can pass every audit and be blind. See chapter 07."
