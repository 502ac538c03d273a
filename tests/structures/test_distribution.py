"""g(r) counts shells of a crystal, is flat for a gas, and needs a cell."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, molecule

from course_lib.structures import radial_distribution


def test_integrals_over_peaks_are_the_numbers_of_neighbours():
    r, g = radial_distribution([bulk("NaCl", "rocksalt", a=5.6), bulk("NaCl", "rocksalt", a=5.6, cubic=True)], 11, 17, 6.0, 120)
    found = g * 4 / 3 * np.pi * ((r + 0.025) ** 3 - (r - 0.025) ** 3) * 4 / 5.6**3
    assert found[(r > 2.5) & (r < 3.1)].sum() == pytest.approx(6)  # a/2
    assert found[(r > 4.5) & (r < 5.2)].sum() == pytest.approx(8)  # √3 a/2
    assert found.sum() == pytest.approx(14)


def test_an_even_gas_has_one_everywhere_also_beyond_half_the_cell():
    rng = np.random.default_rng(0)
    frames = [Atoms("Ar400", rng.uniform(0, 10, (400, 3)), cell=[10, 10, 10], pbc=True) for _ in range(3)]
    r, g = radial_distribution(frames, 18, 18, 8.0, 8)
    np.testing.assert_allclose(g[2:], 1, atol=0.03)
    assert r.tolist() == [0.5, 1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5]


@pytest.mark.parametrize("atoms", [molecule("H2O"), bulk("Ar", "fcc", a=5.3)])
def test_what_has_no_cell_or_not_both_elements_is_refused(atoms):
    with pytest.raises(ValueError, match="frame 0"):
        radial_distribution([atoms], 8, 1)
