"""The registry: every method of the course that predicts energies, with what it claims before it is measured.

A `Method` makes an unfitted potential for a data set, and says under which group its energy does not change, how many atoms
one of its terms sees together, and how its cost grows. Settings were chosen on validation data. Networks get a small budget,
the same for all: 2000 steps of five frames, whatever the number of training frames, so that small sets are not trained less.
That is a minute or two of one core and short of convergence; what they reach with patience stands in their own chapters. Their
learning rate is the better of 0.005 and 0.01 on validation frames of `ethanol`, tried with 480 steps; of MACE, PaiNN, Allegro
and the tensor field network only 0.01 was tried.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import reduce
from math import ceil
from operator import or_

import numpy as np
import pandas as pd

from course_lib.equivariant import MACE, Allegro, NequIP, PaiNN, TensorFieldNetwork
from course_lib.kernels import (
    GAP,
    SOAP,
    AtomicClusterExpansion,
    BagOfBonds,
    BehlerParrinello,
    CoulombMatrix,
    GaussianProcess,
    KernelPotential,
    Laplacian,
)
from course_lib.learning import CompositionBaseline, Network, NetworkPotential, Potential, Trainer
from course_lib.point_clouds import DeepPotSE, SchNet
from course_lib.polynomials import PIP
from course_lib.scattering import ScatteringRegression, SolidHarmonicScattering
from course_lib.structures import Dataset
from course_lib.symmetry import E3_INVARIANT, Symmetry

WIDE = GaussianProcess(Laplacian(1.0, 1000.0), 1e-2)
UP_TO_A_GRID = replace(E3_INVARIANT, rotation=False, inversion=False)


def anything(data: Dataset) -> bool:
    return True


def molecules(data: Dataset) -> bool:
    return not any(atoms.pbc.any() for atoms in data.train)


def one_molecule(data: Dataset) -> bool:
    """Whether all frames are of one composition."""
    return molecules(data) and len({tuple(np.sort(atoms.numbers)) for atoms in data.train}) == 1


def largest(data: Dataset) -> Counter[str]:
    """How many atoms of each element a molecule of any part has at the most: room in a descriptor, read off without labels."""
    return reduce(or_, (Counter(atoms.symbols) for part in (data.train, data.validation, data.test) for atoms in part))


@dataclass(frozen=True, kw_only=True)
class Method:
    """One method of the survey.

    name: as it stands in tables
    make: an unfitted potential for a data set and a number n of training frames
    body_order, cost: in words, as in the map of chapter 00
    symmetry: what its energy claims to rounding; the survey's audit holds it to that
    suits: whether it can learn a data set at all
    """

    name: str
    make: Callable[[Dataset, int], Potential]
    body_order: str
    cost: str
    symmetry: Symmetry = E3_INVARIANT
    suits: Callable[[Dataset], bool] = anything


METHODS: dict[str, Method] = {}
"""By name, in the order of the chapters."""


def register(method: Method) -> Method:
    """Put a method, yours for one, among those that names stand for. Raises ValueError for a name that is taken."""
    if METHODS.setdefault(method.name, method) is not method:
        raise ValueError(f"a method named {method.name!r} is registered already; give yours another name")
    return method


def methods() -> pd.DataFrame:
    """A row a registered method: what it claims."""
    return pd.DataFrame([{"method": m.name, "group": m.symmetry.name, "body order": m.body_order, "cost of an atom": m.cost}
                         for m in METHODS.values()]).set_index("method")


def network(build: Callable[..., Network], steps: int = 2000, batch_size: int = 5, learning_rate: float = 1e-2,
            energy_weight: float = 10.0, stress_weight: float = 10.0) -> Callable[[Dataset, int], NetworkPotential]:
    """`Method.make` of a network, `build(species)`, that takes about `steps` steps in all, in whole epochs."""

    def make(data: Dataset, n: int) -> NetworkPotential:
        species = sorted({int(number) for atoms in data.train for number in atoms.numbers})
        epochs = max(1, round(steps / ceil(n / batch_size)))
        trainer = Trainer(epochs=epochs, batch_size=batch_size, learning_rate=learning_rate, ema=0.99)
        return NetworkPotential(build(species), trainer, energy_weight=energy_weight, stress_weight=stress_weight)

    return make


for entry in [
    Method(name="composition", make=lambda data, n: CompositionBaseline(), body_order="1", cost="constant"),
    Method(name="PIP", make=lambda data, n: PIP(3, length=1.0), suits=one_molecule, body_order="n, the whole molecule",
           cost="all invariants; factorial in like atoms"),
    Method(name="Coulomb matrix", suits=molecules, body_order="2 an entry", cost="n, then M kernel values",
           make=lambda data, n: KernelPotential(CoulombMatrix("sorted", n_atoms=largest(data).total()), WIDE)),
    Method(name="bag of bonds", suits=molecules, body_order="2", cost="n, then M kernel values",
           make=lambda data, n: KernelPotential(BagOfBonds(counts=largest(data)), WIDE)),
    Method(name="GAP", make=lambda data, n: GAP(SOAP(cutoff=4.0, n_max=6, l_max=4)), body_order="3",
           cost="k, then M kernel values"),
    Method(name="Behler–Parrinello", make=network(lambda species: BehlerParrinello(species, cutoff=5.0), learning_rate=5e-3),
           body_order="3", cost="k², pairs of neighbours"),
    Method(name="ACE", make=lambda data, n: AtomicClusterExpansion(4.0, (8, 4, 2), (0, 4, 2)), body_order="4",
           cost="k, for every ν"),
    Method(name="scattering", suits=molecules, symmetry=UP_TO_A_GRID,  # no q = 1/2: a root near 0 costs half the digits
           make=lambda data, n: ScatteringRegression(SolidHarmonicScattering(2, 2, (1, 2, 3, 4)), forces=False),
           body_order="none finite: moduli", cost="convolutions on a grid"),
    Method(name="SchNet", make=network(lambda species: SchNet(species, n_features=64, n_rbf=32)),
           body_order="2 a message, grows with depth", cost="k a layer"),
    Method(name="DeepPot-SE", body_order="3, then a network", cost="k", make=network(
        lambda species: DeepPotSE(species, 5.0, 0.5, (12, 24, 48), 8, (64, 64, 64)), learning_rate=5e-3)),
    Method(name="tensor field network", make=network(lambda species: TensorFieldNetwork(species, 4.0, n_features=16)),
           body_order="2 a message, grows with depth", cost="k × coupling paths, a layer"),
    Method(name="NequIP", make=network(lambda species: NequIP(species, 4.0, n_features=16, n_layers=2)),
           body_order="2 a message, grows with depth", cost="k × coupling paths, a layer"),
    Method(name="MACE", make=network(lambda species: MACE(species, 4.0, n_features=16, radial=(32, 32))),
           body_order="4 a message", cost="k × coupling paths, then products at the atom"),
    Method(name="PaiNN", make=network(lambda species: PaiNN(species, 4.0, n_features=64, n_interactions=2)),
           body_order="3 a layer, grows with depth", cost="k a layer"),
    Method(name="Allegro", make=network(lambda species: Allegro(species, 4.0, n_scalars=32, n_tensors=8, n_layers=2)),
           body_order="3, one more a layer", cost="k × a product of tensors, a layer"),
]:
    register(entry)
