"""The smallest network that can be exact: Lennard-Jones with learnable ε, σ and atomic energy, cut off as ASE does it.

E_i = e + ½ Σ_j 4ε ((σ/r)¹² − (σ/r)⁶) f(r), where f falls from 1 at `onset` to 0 at `cutoff` as ase.calculators.lj has it.
"""

import torch

from course_lib.learning import Network


class LennardJonesNetwork(Network):
    def __init__(self, species=(18,), cutoff=6.0, onset=4.0):
        super().__init__()
        self.species, self.cutoff, self.onset = species, cutoff, onset
        self.energy = torch.nn.Parameter(torch.zeros(()))
        self.epsilon = torch.nn.Parameter(0.1 + 0.1 * torch.rand(()))  # in units of the scale
        self.sigma = torch.nn.Parameter(3.3 + 0.3 * torch.rand(()))

    def forward(self, batch):
        r2 = (batch.edge_vectors() ** 2).sum(dim=1)
        c2, o2 = self.cutoff**2, self.onset**2
        smooth = torch.where(r2 < o2, 1, (c2 - r2) ** 2 * (c2 + 2 * r2 - 3 * o2) / (c2 - o2) ** 3)
        attraction = (self.sigma**2 / r2) ** 3
        pairs = 2 * self.epsilon * (attraction**2 - attraction) * smooth
        return self.energy + r2.new_zeros(len(batch.species)).index_add(0, batch.receivers, pairs)
