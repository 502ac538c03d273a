"""Janossy pooling: a function of k points in order, averaged over all orders.

    f(X) = ρ( (n − k)!/n! Σ f⃗(x_{i1}, …, x_{ik}) ), over all ordered choices of k different points

Murphy, Srinivasan, Rao & Ribeiro, ICLR 2019 (arXiv 1811.01900). k = 1 is Deep Sets with a mean; k = n, the average over S_n,
is the most general and costs n!, so that random orders stand for all of them: cheap, and invariant only on average.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import torch
from torch.nn.utils.rnn import pack_padded_sequence

from course_lib.point_clouds.deep_sets import O3_INVARIANT, seen_features, seen_of
from course_lib.point_clouds.point_sets import PointSets, SetNetwork, Standardised, mlp, pool
from course_lib.symmetry import Symmetry


class JanossyPooling(SetNetwork):
    """ρ of the mean of f⃗ over ordered choices of k points.

    outputs: numbers a set
    dimension: d, numbers a point
    k: how many points f⃗ sees at once; every set needs as many. None: whole sets, read in order by a recurrent network (GRU)
    samples: None, all choices, n!/(n − k)! of them; or how many random orders stand for all. Drawn anew in every training
        step; afterwards always the same ones, so that predictions repeat, and differ when points are listed in another order
    phi, rho: widths of f⃗'s hidden layers and of ρ's; of a recurrent f⃗ the last is the size of its state
    seen: "coordinates", or of the k points only their "inner products", which no rotation about the origin changes: for
        k = 2 the distances of two neighbours from the centre and the angle between them
    sharpness: as for `DeepSets`
    """

    def __init__(self, outputs: int, dimension: int = 3, k: int | None = 2, samples: int | None = None,
                 phi: Sequence[int] = (64, 64), rho: Sequence[int] = (64,), seen: str = "coordinates",
                 sharpness: float = 4.0) -> None:
        super().__init__(outputs, dimension)
        self.k, self.samples, self.phi, self.rho = k, samples, phi, rho
        self.seen, self.sharpness = seen, sharpness
        if (samples is None and k is None) or (samples is not None and samples < 1) or (k is not None and k < 1):
            raise ValueError(f"k is {k} and samples is {samples}; both count from 1, and whole sets (k=None) need samples")
        n_seen = seen_features(k or 1, dimension, seen)
        self.standardised = Standardised(n_seen, sharpness)
        if k is None:
            self.ordered = torch.nn.GRU(n_seen, phi[-1], batch_first=True)
        else:
            self.ordered = torch.nn.Sequential(mlp(n_seen, *phi), torch.nn.SiLU())
        self.pooled, self.readout = Standardised(phi[-1]), mlp(phi[-1], *rho, outputs)

    @property
    def symmetry(self) -> Symmetry:
        return replace(O3_INVARIANT if self.seen == "inner products" else SetNetwork.symmetry, permutation=self.samples is None)

    def adapt(self, batches: Iterable[PointSets]) -> None:
        """Set the means and widths of what f⃗ sees, and of what fresh weights make of it."""
        batches = list(batches)
        self.standardised.learn(self._inputs(sets)[0] for sets in batches)
        self.pooled.learn(map(self.latent, batches))

    def forward(self, sets: PointSets) -> torch.Tensor:
        return self.readout(self.pooled(self.latent(sets)))

    def latent(self, sets: PointSets) -> torch.Tensor:
        """The mean of f⃗, (M, phi[-1])."""
        inputs, owners = self._inputs(sets)
        inputs = self.standardised(inputs)
        if self.k is None:
            orders = PointSets(inputs, owners, self.samples * sets.n_sets)
            dense, _ = orders.padded(inputs)
            sequences = pack_padded_sequence(dense, orders.sizes.cpu(), batch_first=True, enforce_sorted=False)
            terms, owners = self.ordered(sequences)[1][0], torch.arange(orders.n_sets, device=owners.device) % sets.n_sets
        else:
            terms = self.ordered(inputs)
        return pool(terms, owners, sets.n_sets, "mean")

    def _inputs(self, sets: PointSets) -> tuple[torch.Tensor, torch.Tensor]:
        """What f⃗ sees of each choice, and of which set that was; of whole sets, of each point, and in which order of which."""
        if self.k is None:
            rows = sets.orders(self.samples, always=not self.training)
            owners = sets.sets + sets.n_sets * torch.arange(self.samples, device=rows.device)[:, None]
            return seen_of(sets.values[rows.flatten(), None], self.seen), owners.flatten()
        rows = (sets.tuples(self.k) if self.samples is None
                else sets.sampled_tuples(self.k, self.samples, always=not self.training))
        return seen_of(sets.values[rows], self.seen), sets.sets[rows[:, 0]]
