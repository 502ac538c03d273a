"""A real, if small, potential for testing the machinery: E = Σ_{i<j} Σ_k c_k φ_k(r_ij), linear in c.

φ_k(r) = (1 − r/r_c)^(k+3) is twice differentiable at the cutoff. Fitted to energies, forces and virials at once; singular
values below 1e-5 are cut, so that no large terms cancel and rounding stays small.
"""

import numpy as np
from ase.neighborlist import neighbor_list

from course_lib.learning import Potential, Prediction, labels


class PairPotential(Potential):
    def __init__(self, cutoff=6.0, size=10):
        self.cutoff = cutoff
        self.size = size

    def _fit(self, frames, validation, progress):
        truth, designs = labels(frames), [self._design(atoms) for atoms in frames]
        rows = [design[0] for design in designs] + [design[1].reshape(-1, self.size) for design in designs]
        targets = [truth.energies, np.concatenate(truth.forces).ravel()]
        if truth.stresses is not None:
            volumes = [atoms.cell.volume for atoms in frames]
            rows += [V * design[2].reshape(-1, self.size) for V, design in zip(volumes, designs, strict=True)]
            targets += [V * stress.ravel() for V, stress in zip(volumes, truth.stresses, strict=True)]
        self.coefficients_ = np.linalg.lstsq(np.vstack(rows), np.concatenate(targets), rcond=1e-5)[0]

    def _predict(self, frames):
        parts = [[part @ self.coefficients_ for part in self._design(atoms)] for atoms in frames]
        energies, forces, stresses = zip(*parts, strict=True)
        return Prediction(np.array(energies), list(forces), np.array(stresses))

    def _design(self, atoms):
        """Energy (K,), forces (N, 3, K) and stress (3, 3, K) of every basis function."""
        i, r, D = neighbor_list("idD", atoms, self.cutoff)  # both directions of each pair; D from i to j
        power, x = np.arange(self.size) + 3, (1 - r / self.cutoff)[:, None]
        pull = -power * x ** (power - 1) / self.cutoff / r[:, None]  # φ'(r)/r
        forces = np.zeros((len(atoms), 3, self.size))
        np.add.at(forces, i, D[:, :, None] * pull[:, None, :])
        virial = np.einsum("pa,pb,pk->abk", D, D, pull) / 2
        return (x**power).sum(axis=0) / 2, forces, virial / atoms.cell.volume if atoms.cell.rank == 3 else 0 * virial
