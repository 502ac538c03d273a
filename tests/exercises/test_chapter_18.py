"""Chapter 18: the right answers pass, and each wrong one is refused for its own reason."""

from itertools import combinations

import numpy as np
from ase import Atoms
from judged import judged


def refine(neighbours, rounds=None, gather=sorted, start=None):
    colours = list(start or [0] * len(neighbours))
    for _ in range(len(neighbours) if rounds is None else rounds):
        seen = [(colours[i], tuple(gather(colours[j] for j in near))) for i, near in enumerate(neighbours)]
        names = {signature: name for name, signature in enumerate(sorted(set(seen)))}
        colours = [names[signature] for signature in seen]
    return colours


def by_triangles(neighbours):
    counts = [sum(k in neighbours[j] for j in near for k in near) for near in neighbours]
    return refine(neighbours, start=counts)


def sees(n, l):
    return any((l + m) % 2 == 0 for m in range(n, l + 1, n))


def subsets(x):
    return [x[list(t)] for k in range(len(x) + 1) for t in combinations(range(len(x)), k)]


def body_term(f, x):
    return sum((-1) ** (len(x) - len(t)) * f(t) for t in subsets(x))


def chain(end, n=3, element="C"):
    middle = np.array([[1.2 * k, 0, 0] for k in range(n)])
    return Atoms(f"{element}{n + 2}", np.vstack([middle[0] + [-0.6, 1, 0], middle, middle[-1] + [0.6, end, 0]]))


def dimers(distance):
    return Atoms("C4", [[0, 0, 0], [1.2, 0, 0], [distance, 0, 0], [distance + 1.2, 0, 0]])


RIGHT = {"18.1": refine, "18.2": sees, "18.3": body_term, "18.4": (chain(1.0), chain(-1.0))}

WRONG = [
    ("18.1", lambda g: [len(near) for near in g], "one round sees degrees only"),
    ("18.1", lambda g: refine(g, rounds=3), "you stop too early"),
    ("18.1", lambda g: refine(g, gather=lambda c: sorted(set(c))), "forgets how many"),
    ("18.1", lambda g: list(range(len(g))), "may not depend on an atom's number"),
    ("18.1", by_triangles, "more than 1-WL"),
    ("18.1", lambda g: refine(g)[:-1], "each atom has one"),
    ("18.2", lambda n, l: l == n, "need be neither n nor a multiple"),
    ("18.2", lambda n, l: l > n, "sees how a star of 2 is turned, by m = 2"),
    ("18.2", lambda n, l: l >= n, "although 3 ≥ 2"),
    ("18.2", lambda n, l: l % n == 0, "does not see how a star of 2 is turned: m ≤ l"),
    ("18.2", lambda n, l: l >= n and l % n == 0, "degree 5 sees a star of 3 too"),
    ("18.2", lambda n, l: l >= n and (l + n) % 2 == 0, "every multiple of n"),
    ("18.3", lambda f, x: sum((-1) ** (len(x) - len(t)) * f(t) for t in subsets(x)[1:]), "no body at all"),
    ("18.3", lambda f, x: f(x) - f(x[:0]), "must be subtracted"),
    ("18.3", lambda f, x: body_term(f, x) / len(x), "divided by nothing"),
    ("18.3", lambda f, x: sum((-1) ** (len(t) + 1) * f(t) for t in subsets(x)), "with its sign"),
    ("18.3", lambda f, x: body_term(f, x) * (-1 if len(x) == 3 else 1), "another sign or size"),
    ("18.3", lambda f, x: body_term(f, x) + (f(x[:1]) if len(x) == 4 else 0), "no term of four"),
    ("18.4", (chain(1.0), chain(1.0)[::-1]), "one molecule, moved"),
    ("18.4", (chain(1.0), "trans"), "two ase.Atoms"),
    ("18.4", (chain(1.0), chain(-1.0, n=4)), "different atoms"),
    ("18.4", (chain(1.0), chain(0.8)), "Allegro tells them apart"),
    ("18.4", (dimers(4.0), dimers(5.0)), "until both ends meet"),
    ("18.4", (chain(1.0, n=8), chain(-1.0, n=8)), "nine atoms are enough"),
]

test_a_right_answer_is_accepted, test_a_wrong_answer_is_refused_for_its_own_reason = judged(list(RIGHT.items()), WRONG)
