"""Harmonics against e3nn and SciPy; neighbour lists against ASE."""

import numpy as np
import torch
from ase.build import bulk
from ase.neighborlist import neighbor_list
from clock import compare
from e3nn import o3
from scipy.special import sph_harm_y_all

from course_lib.structures import neighbour_graphs
from course_lib.symmetry import recurred_harmonics, spherical_harmonics, spherical_harmonics_gradient

if __name__ == "__main__":
    vectors = np.random.default_rng(0).normal(size=(100_000, 3))
    tensor = torch.tensor(vectors)
    x, y, z = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).T
    compare("real spherical harmonics, l ≤ 8, 10⁵ vectors, float64", {
        "e3nn": lambda: o3.spherical_harmonics(list(range(9)), tensor, True),
        "SciPy (complex)": lambda: sph_harm_y_all(8, 8, np.arccos(z), np.arctan2(y, x)),
        "symmetry.spherical_harmonics": lambda: spherical_harmonics(8, vectors),
        "symmetry.spherical_harmonics_gradient": lambda: spherical_harmonics_gradient(8, vectors),
        "symmetry.recurred_harmonics": lambda: recurred_harmonics(8, vectors)}, reference="e3nn")
    silicon = bulk("Si", cubic=True) * (4, 4, 4)
    compare("neighbours within 5 Å of 512 silicon atoms", {
        "ASE": lambda: neighbor_list("ijDS", silicon, 5.0),
        "structures.neighbour_graphs": lambda: neighbour_graphs([silicon], 5.0)}, reference="ASE", rounds=5)
