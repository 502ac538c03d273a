import numpy as np
import pytest


@pytest.fixture
def clouds():
    """Five sets of 3 to 9 points, seeded, of size about one."""
    rng = np.random.default_rng(0)
    return [rng.normal(size=(n, 3)) for n in (5, 9, 3, 7, 4)]
