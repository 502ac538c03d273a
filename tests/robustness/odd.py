"""Frames that nobody means to give: empty, alone, coincident, huge, tiny, unknown, half periodic, broken; by hypothesis."""

import numpy as np
from ase import Atoms
from hypothesis import HealthCheck, Phase, settings, strategies

SOME = settings(max_examples=25, deadline=None, derandomize=True, database=None, phases=[Phase.generate, Phase.shrink],
                suppress_health_check=list(HealthCheck))
KNOWN, UNKNOWN = [1, 6], [8, 92]


@strategies.composite
def frames(draw, least: int = 0, most: int = 5, sound: bool = False) -> Atoms:
    """One frame of up to `most` atoms; a `sound` one is finite, of known elements, and has a proper cell or none."""
    size = draw(strategies.integers(least, most))
    elements = strategies.sampled_from(KNOWN if sound else KNOWN * 8 + UNKNOWN)
    rng = np.random.default_rng(draw(strategies.integers(0, 2**32 - 1)))
    spread = draw(strategies.sampled_from([0.1, 1.0, 3.0, 1e2]))
    atoms = Atoms(draw(strategies.lists(elements, min_size=size, max_size=size)), spread * rng.normal(size=(size, 3)))
    if size > 1 and draw(strategies.integers(0, 5)) == 0:
        atoms.positions[1] = atoms.positions[0]
    if draw(strategies.booleans()):
        edge = draw(strategies.sampled_from([2.0, 7.0, 1e4]))
        atoms.cell = edge * (np.eye(3) + 0.2 * rng.normal(size=(3, 3)))
        atoms.pbc = draw(strategies.tuples(*[strategies.booleans()] * 3))
    if not sound and draw(strategies.integers(0, 7)) == 0:
        if size:
            atoms.positions[rng.integers(size), rng.integers(3)] = draw(strategies.sampled_from([np.nan, np.inf]))
        else:
            atoms.pbc = True
    return atoms
