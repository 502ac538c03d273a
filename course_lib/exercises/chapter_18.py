"""Checks of chapter 18: colours refined, degrees that see a star turn, bodies counted, molecules alike to local networks."""

from collections.abc import Callable
from itertools import combinations

import numpy as np
import torch
from ase import Atoms

from course_lib.equivariant import Allegro, PaiNN
from course_lib.exercises.core import Wrong, register, require
from course_lib.kernels.degeneracies import smallest_rmsd
from course_lib.structures import AtomBatch
from course_lib.symmetry import spherical_harmonics


def joined(*graphs: list[list[int]]) -> list[list[int]]:
    """Graphs side by side as one, with no edge between them."""
    whole: list[list[int]] = []
    for graph in graphs:
        first = len(whole)
        whole += [[first + j for j in near] for near in graph]
    return whole


def ring(n: int) -> list[list[int]]:
    return [[(i - 1) % n, (i + 1) % n] for i in range(n)]


def path(n: int) -> list[list[int]]:
    return [[j for j in (i - 1, i + 1) if 0 <= j < n] for i in range(n)]


def parts(colours: list[int]) -> set[frozenset[int]]:
    return {frozenset(i for i, other in enumerate(colours) if other == colour) for colour in colours}


@register("18.1", "A new colour for each different pair: an atom's colour, and the sorted list of its neighbours' colours.",
          "Stop when a round makes no more colours than there were. len(neighbours) rounds are always enough.")
def refine(answer: Callable) -> str:
    def asked(graph: list[list[int]]) -> set[frozenset[int]]:
        found = list(answer([list(near) for near in graph]))
        require(len(found) == len(graph), f"for {len(graph)} atoms you gave {len(found)} colours; each atom has one.")
        return parts(found)

    require(asked(path(2)) == parts([0, 0]), "the two atoms of a pair are alike, and yours have two colours: a colour may not "
                                             "depend on an atom's number.")
    require(asked(joined(ring(6), ring(3), ring(3))) == parts([0] * 12),
            "in a ring of six and two rings of three every atom has two neighbours, whose neighbours have two, and so on: one "
            "colour for all. Yours tell them apart, so they know more than 1-WL does.")
    require(not any({1, 3} <= part for part in asked(joined(path(3), [[1, 2, 3], [0], [0], [0]]))),
            "an atom with two leaves and one with three got the same colour: a set of colours forgets how many there are. Sort "
            "them into a list.")
    require(asked(path(7)) == parts([0, 1, 2, 3, 2, 1, 0]),
            "in a path of seven there are four kinds of atoms, by their distance from an end: one round sees degrees only. Go "
            "on until nothing changes.")
    require(asked(path(21)) == parts([min(i, 20 - i) for i in range(21)]), "in a path of 21 you stop too early.")
    return "Which atoms a network of distances, all of them equal, can ever tell apart."


@register("18.2", "On the star the azimuth enters as Σ_j cos(m (φ_j − α)), which is zero unless n divides m; and m ≤ l.",
          "In the plane, at θ = 90°, the harmonic Y_lm is zero where l + m is odd.")
def sees(answer: Callable) -> str:
    for n in range(2, 7):
        for l in range(9):
            turned = []
            for start in (0.0, 0.1):
                azimuths = start + 2 * np.pi * np.arange(n) / n
                star = np.stack([np.cos(azimuths), np.sin(azimuths), 0 * azimuths], axis=1)
                turned.append(spherical_harmonics(l, star)[:, l * l:].sum(axis=0))
            seen, said = bool(np.abs(turned[0] - turned[1]).max() > 1e-9), bool(answer(n, l))
            if said and not seen:
                require(l >= n, f"degree {l} does not see how a star of {n} is turned: m ≤ l, and only multiples of {n} "
                                "survive the sum.")
                raise Wrong(f"degree {l} does not see how a star of {n} is turned, although {l} ≥ {n}: in the plane Y_lm is "
                            "zero where l + m is odd.")
            if seen and not said:
                require(l != n, f"degree {l} sees how a star of {n} is turned, by m = {n}; yours does not.")
                require((l + n) % 2, f"degree {l} sees a star of {n} too: m = {n} is among its components, and l need be "
                                     "neither n nor a multiple of it.")
                raise Wrong(f"degree {l} sees a star of {n}, by m = {2 * n}: every multiple of n up to l counts.")
    return "Up to l = n − 1 a star of n is a ring: what cannot be written in features cannot be learned."


@register("18.3", "The energy of n bodies, minus all that fewer bodies already say.",
          "Σ over all subsets T of S, the empty one too, of (−1)^(|S| − |T|) f(T): itertools.combinations gives the subsets.")
def body_term(answer: Callable) -> str:
    rng = np.random.default_rng(183)

    def pairs(x):
        return sum(np.exp(-np.linalg.norm(x[i] - x[j])) for i, j in combinations(range(len(x)), 2))

    def triples(x):
        return sum(abs(np.linalg.det(x[list(t)])) for t in combinations(range(len(x)), 3))

    def singles(x):
        return float(np.sum(x**2))

    def said(f, x):
        return float(answer(f, x.copy()))

    x = rng.normal(size=(4, 3))
    require(np.isclose(said(lambda x: 5.0 + singles(x), x[:1]), singles(x[:1])),
            "of one body, with f = 5 + |x|², the term is |x|²: subtract f of no body at all.")
    require(np.isclose(said(pairs, x[:2]), pairs(x[:2])), "of two bodies the term of a sum over pairs is that pair's, with its "
                                                          "sign, and is divided by nothing.")
    require(np.isclose(said(triples, x[:3]), triples(x[:3])),
            "of three bodies the term of a sum over triples is that triple's; yours has another sign or size: "
            "(−1)^(|S| − |T|).")
    require(abs(said(pairs, x[:3])) < 1e-9, "a sum over pairs has no term of three bodies, and yours has: the pairs within the "
                                            "three must be subtracted.")
    require(abs(said(lambda x: 2.0 + singles(x) + pairs(x), x)) < 1e-9 and abs(said(triples, x)) < 1e-9,
            "sums over one, two and three bodies have no term of four, and yours has.")
    return "Möbius inversion over subsets: it measures the body order of any function, a network's too."


CUTOFF = 1.5


def apart(build: Callable[[list[int]], torch.nn.Module], frames: list[Atoms]) -> float:
    """Difference of the energies of two molecules over the sum of what atoms are worth, by a network with random weights."""
    torch.manual_seed(184)
    network = build(sorted(set(frames[0].numbers.tolist()))).double()
    batch = AtomBatch.from_frames(frames, CUTOFF, torch.float64)
    with torch.no_grad():
        each = network(batch)
    energies = torch.zeros(2, dtype=torch.float64).index_add(0, batch.structure, each)
    return float((energies[0] - energies[1]).abs() / each.abs().sum().clamp(min=1e-30))


@register("18.4", "Every atom must have the same surroundings in both, as far as the cutoff, up to a rotation or a reflection.",
          "A straight chain forgets, step by step, on which side its beginning was bent. What does a local network know of the "
          "other end?")
def twins(answer: tuple[Atoms, Atoms]) -> str:
    frames = list(answer)
    require(len(frames) == 2 and all(isinstance(atoms, Atoms) for atoms in frames), "give two ase.Atoms, (first, second).")
    first, second = frames
    require(max(map(len, frames)) <= 9, "nine atoms are enough; with more, proving that the two differ takes too long.")
    require(not any(atoms.pbc.any() for atoms in frames), "give molecules, without periodic cells.")
    require(sorted(first.numbers) == sorted(second.numbers), "the two have different atoms; a count would tell them apart.")
    require(smallest_rmsd(first, second) > 0.01, "the two are one molecule, moved, turned, mirrored or with atoms renumbered.")
    local = apart(lambda species: Allegro(species, CUTOFF, 16, 8, l_max=3, n_layers=2), frames)
    require(local < 1e-9, f"Allegro tells them apart (by {local:.0e} of its energies): the surroundings of some atom, within "
                          f"{CUTOFF} Å, are not those of an atom of the other.")
    require(apart(lambda species: PaiNN(species, CUTOFF, 32, 4), frames) > 1e-10,
            "no local network tells them apart, but four messages of PaiNN do not either: let something that turns be passed "
            "along, in steps shorter than the cutoff, until both ends meet.")
    return "Depth is reach: what happens beyond a cutoff only messages tell, or a term for the long range."
