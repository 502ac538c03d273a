"""Checks of chapter 12: entries of D counted, the published environment, an angle read out of D, a reaction it misses."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from ase import Atoms

from course_lib.exercises.core import register, require
from course_lib.kernels import smallest_rmsd
from course_lib.point_clouds import DeepPotSE
from course_lib.structures import AtomBatch


@register("12.1", "Which entries of D = A A_<ᵀ must be equal? Swap the factors of an inner product.",
          "The rows of A that are axis neurons meet each other twice: a symmetric block of 12 × 12.")
def entries(answer: int) -> str:
    require(answer != 576, "576 are all entries; D_ab = D_ba where both a and b are axis neurons, so that some occur twice.")
    require(answer != 504, "504 takes away half of the block of 12 × 12, its diagonal too; but diagonal entries occur once.")
    require(answer != 78, "78 are the different entries of the symmetric block alone; the other 36 rows count as well.")
    require(answer != 1176, "1176 would be those of A Aᵀ, 48 × 48; only 12 columns of it are taken.")
    require(answer != 498, "498 leaves out the block's diagonal as well; its entries occur once, and count.")
    require(answer == 510, f"{answer} is not the number; all entries, less those that repeat another.")
    return "48 · 12 − 66 = 510, each of second degree in A."


@register("12.2", "u = (r − onset)/(cutoff − onset), held between 0 and 1; the switch is ½ cos(πu) + ½.",
          "s is the switch divided by r, and the last three columns are s times the direction, which is the vector over r.")
def environment(answer: Callable) -> str:
    rng = np.random.default_rng(122)
    lengths = np.array([0.7, 1.5, 2.4, 3.3, 4.2, 5.6, 9.0])[:, None]
    vectors = rng.normal(size=(7, 3))
    vectors *= lengths / np.linalg.norm(vectors, axis=1, keepdims=True)
    cutoff, onset = 5.0, 2.0

    def rows(shape, progress=lambda r: np.clip((r - onset) / (cutoff - onset), 0, 1), power=1):
        s = shape(progress(lengths)) / lengths**power
        return np.hstack([s, s * vectors / lengths])

    def cosine(u):
        return 0.5 * np.cos(np.pi * u) + 0.5

    found, right = np.asarray(answer(vectors.copy(), cutoff, onset)), rows(cosine)
    require(found.shape == (7, 4), f"for 7 neighbours your result has shape {found.shape}, it must be (7, 4): a row each.")
    for wrong, reason in (
        (rows(lambda u: u**3 * (-6 * u**2 + 15 * u - 10) + 1), "this is the quintic of DeePMD-kit; the paper has a cosine."),
        (rows(cosine, power=0), "s is the switch divided by r, and the division is missing."),
        (np.hstack([right[:, :1], right[:, :1] * vectors]), "the last columns are s times the direction, x/r, and not s·x."),
        (np.hstack([right[:, :1], vectors / lengths]), "the directions are not times s, so that who leaves is still seen."),
        (rows(cosine, lambda r: np.clip(r / cutoff, 0, 1)), "u starts at the onset: (r − onset)/(cutoff − onset)."),
        (rows(cosine, lambda r: (r - onset) / (cutoff - onset)), "u must be held between 0 and 1, or the cosine waves on."),
        (rows(cosine, lambda r: np.minimum((r - onset) / (cutoff - onset), 1)), "below the onset u is 0, and s is 1/r."),
        (rows(cosine, lambda r: np.maximum((r - onset) / (cutoff - onset), 0)), "beyond the cutoff the rows must be zero."),
    ):
        require(not np.allclose(found, wrong), reason)
    require(np.allclose(found, right), f"the row at 3.3 Å should be {np.round(right[3], 3)}, yours is {np.round(found[3], 3)}.")
    return "Rows of zeros where there is nobody, so that no one minds how many rows there are."


def seen(atoms: Atoms) -> np.ndarray:
    """D of the first atom by networks with random weights, flat."""
    descriptors = []
    for seed in range(3):
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            network = DeepPotSE(sorted(set(atoms.numbers)), 4.0, 1.0, (8, 16), 6, (8,)).double()
        with torch.no_grad():
            descriptors.append(network.descriptors(AtomBatch.from_frames([atoms], 4.0, torch.float64))[0].numpy())
    return np.array(descriptors)


def water(degrees: float) -> Atoms:
    a = np.radians(degrees)
    return Atoms("OH2", 0.96 * np.array([[0, 0, 0], [1, 0, 0], [np.cos(a), np.sin(a), 0]]))


@register("12.3", "D_ab is G_a G_b s² times a sum of 1 + cos θ_jk over j and k, 1 and 2 each: four terms, θ = 0 in two.",
          "The sum is 6 + 2 cos θ, and 4 where the atoms lie on a line. The ratio of any two entries says how far.")
def angle(answer: Callable) -> str:
    straight = seen(water(180.0))[0]
    for degrees in (104.5, 75.0, 140.0):
        found = float(answer(seen(water(degrees))[0], straight.copy()))
        cosine = np.cos(np.radians(degrees))
        require(not np.isclose(found, np.radians(degrees)), "this is in radians; degrees are asked for.")
        require(not np.isclose(found, cosine), "this is the cosine; take its arccos, in degrees.")
        require(not np.isclose(found, 180 - degrees), "this is 180° less the angle: the sign of the cosine is lost.")
        once = np.degrees(np.arccos(np.clip(1 + 2 * cosine, -1, 1)))
        require(not np.isclose(found, once), "the pair of neighbours occurs twice in the double sum, as j, k and as k, j.")
        require(np.isclose(found, degrees, atol=1e-4), f"at {degrees}° you say {found:.1f}°.")
    return "D is linear in cos θ: the one thing about an angle that it knows."


BIPYRAMID = np.array([[0, 0, 1], [0, 0, -1], [1, 0, 0], [-0.5, 0.75**0.5, 0], [-0.5, -(0.75**0.5), 0]])


@register("12.4", "The fluorines are alike, at one distance: all that D knows of their directions is |Σ_j r̂_j|. What is it for "
                  "the bipyramid?",
          "It is zero. One vector up, four in a square that is lowered by as much as balances it.")
def reaction(answer: Sequence) -> str:
    directions = np.asarray(answer, dtype=float)
    require(directions.shape == (5, 3), f"five directions are asked for, (5, 3); yours have shape {directions.shape}.")
    norms = np.linalg.norm(directions, axis=1)
    require(np.allclose(norms, 1, atol=1e-3), f"directions are unit vectors; yours have lengths {np.round(norms, 3)}.")
    directions = directions / norms[:, None]
    cosines = (directions @ directions.T)[np.triu_indices(5, 1)]
    require(cosines.max() < 0.99, "two of your fluorines are at one place.")
    ours, theirs = (Atoms("PF5", np.vstack([np.zeros(3), 1.55 * points])) for points in (directions, BIPYRAMID))
    require(smallest_rmsd(ours, theirs, 0) > 0.01, "this is the trigonal bipyramid, perhaps turned.")
    total = np.linalg.norm(directions.sum(axis=0))
    require(total < 1e-3, f"the five vectors add up to one of length {total:.2f}, those of the bipyramid to zero: D sees this.")
    require(np.allclose(seen(ours), seen(theirs), rtol=1e-3, atol=1e-6), "the phosphorus's D differs.")
    require(square_pyramid(directions),
            "its D is the same, but it is no square pyramid: one apex, and four in a square below it.")
    return "To its phosphorus the reaction never happened; only the fluorines notice, whose distances change."


def square_pyramid(directions: np.ndarray) -> bool:
    """Whether one of the directions has equal angles with all others, and these follow each other by 90° around it."""
    for apex in range(5):
        base = np.delete(directions, apex, axis=0)
        heights = base @ directions[apex]
        flat = base - heights[:, None] * directions[apex]
        cosines = np.sort((flat @ flat.T)[np.triu_indices(4, 1)]) / np.maximum((flat**2).sum(axis=1).mean(), 1e-9)
        if np.ptp(heights) < 1e-3 and np.allclose(cosines, [-1, -1, 0, 0, 0, 0], atol=1e-2):
            return True
    return False
