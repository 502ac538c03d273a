"""Potentials made of networks: the network says what each atom is worth, autograd what the forces and the stress are.

E = Σ_i (ε_{s_i} + s f_i), F = −∂E/∂x, σ = (1/V) ∂E/∂strain: ε, the energies of the elements, come from least squares
(`CompositionBaseline`) and the scale s from the labels, so that fresh weights begin at the right size. Trained on the mean
over frames of w_E (ΔE/N)² + w_F mean (ΔF)² + w_S mean (Δσ V/N)², in units of s².
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from os import PathLike
from typing import NamedTuple, Self

import numpy as np
import torch
from ase import Atoms
from sklearn.utils.validation import check_is_fitted

from course_lib.learning.baseline import CompositionBaseline
from course_lib.learning.calculator import NetworkCalculator
from course_lib.learning.network import Network, NetworkEstimator
from course_lib.learning.potential import Potential
from course_lib.learning.prediction import Prediction, labels
from course_lib.learning.training import Errors, Progress, Trainer
from course_lib.structures import NeighbourGraph, check_structures, neighbour_graphs
from course_lib.structures.batches import AtomBatch
from course_lib.symmetry.declaration import Symmetry

Neighbours = Callable[[Sequence[Atoms]], list[NeighbourGraph]]


class Labelled(NamedTuple):
    """A frame to learn from: its graph, and what the network shall add to the baseline, or None where no label is wanted."""

    graph: NeighbourGraph
    energy: float
    forces: np.ndarray | None
    stress: np.ndarray | None


class NetworkPotential(NetworkEstimator, Potential):
    """A potential of any `Network` of atomic energies, trained on energies and, where frames have them, forces and stress.

    network: what to train; every fit builds it anew, its weights drawn from `random_state`, and leaves this one alone
    trainer: how to train, `Trainer()` by default
    energy_weight, force_weight, stress_weight: w_E, w_F, w_S; 0 leaves these labels out
    dtype, device: "float32" or "float64"; "cpu", "cuda", …; both may be changed after fitting and after loading
    warm_start: fit goes on from the weights, baseline and scale of the last fit, be it one that was interrupted
    atoms_at_once: `predict` takes frames together up to so many atoms, which bounds its memory

    Fitted: `baseline_`, `scale_` (s, eV), `weights_`, and, made of these, `network_` and `history_`.
    """

    def __init__(self, network: Network, trainer: Trainer | None = None, *, energy_weight: float = 1.0,
                 force_weight: float = 1.0, stress_weight: float = 1.0, dtype: str = "float32", device: str = "cpu",
                 random_state: int = 0, warm_start: bool = False, atoms_at_once: int = 1024) -> None:
        self.network, self.trainer = network, trainer
        self.energy_weight, self.force_weight, self.stress_weight = energy_weight, force_weight, stress_weight
        self.dtype, self.device, self.random_state, self.warm_start = dtype, device, random_state, warm_start
        self.atoms_at_once = atoms_at_once

    @property
    def symmetry(self) -> Symmetry:
        """The network's."""
        return self.network.symmetry

    def fit(self, frames: Sequence[Atoms], validation: Sequence[Atoms] | None = None, progress: Progress = True, *,
            resume: str | PathLike | None = None) -> Self:
        """Train, and raise, as `Potential.fit` does, with `progress` and `resume` as in `Trainer.train`: a fit that was
        killed goes on from the file `resume`, and ends with the same weights bit for bit.
        """
        return super().fit(frames, validation, progress, resume=resume)

    def _fit(self, frames: Sequence[Atoms], validation: Sequence[Atoms] | None, progress: Progress,
             resume: str | PathLike | None) -> None:
        weights = [self.energy_weight, self.force_weight, self.stress_weight]
        if not (np.isfinite(weights).all() and min(weights) >= 0 < max(weights)):
            raise ValueError(f"weights must be finite, 0 or more, and not all 0; got {weights}")
        check_structures(frames, self._described().species)
        if not self._warm():
            self.baseline_ = CompositionBaseline().fit(frames)
            self.scale_ = self._scale(frames)
        items = self._labelled(frames)
        if not self.energy_weight and items[0].forces is None and items[0].stress is None:
            raise ValueError("nothing to learn from: energy_weight is 0, and no other labels are wanted or there")
        self._train(items, self._labelled(validation) if validation is not None else None, progress, resume)

    def _scale(self, frames: Sequence[Atoms]) -> float:
        """Root mean square of the force components, times 1 Å; without forces, of what the baseline leaves an atom."""
        truth = labels(frames)
        left = (truth.energies - self.baseline_.predict(frames).energies) / [len(atoms) for atoms in frames]
        return float(np.sqrt(np.mean(np.square(left if truth.forces is None else np.concatenate(truth.forces))))) or 1.0

    def _labelled(self, frames: Sequence[Atoms]) -> list[Labelled]:
        truth, none = labels(frames), [None] * len(frames)
        return [Labelled(*parts) for parts in zip(
            neighbour_graphs(frames, self.network.cutoff), truth.energies - self.baseline_.predict(frames).energies,
            none if truth.forces is None or not self.force_weight else truth.forces,
            none if truth.stresses is None or not self.stress_weight else truth.stresses, strict=True)]

    def _batch(self, items: Sequence[Labelled]) -> AtomBatch:
        return AtomBatch.from_graphs([item.graph for item in items], getattr(torch, self.dtype), self.device)

    def _loss(self, network: Network, items: Sequence[Labelled]) -> Errors:
        batch = self._batch(items)
        atoms, new = torch.bincount(batch.structure), batch.positions.new_tensor
        have_forces, have_stress = items[0].forces is not None, items[0].stress is not None
        energies, forces, virials = self._derivatives(network, batch, have_forces, have_stress)
        energy_errors = (energies - new([item.energy for item in items])) / atoms
        loss, errors = self.energy_weight * energy_errors**2, {"energy MAE (meV/atom)": 1000 * energy_errors.abs()}
        if have_forces:
            force_errors = forces - new(np.concatenate([item.forces for item in items]))
            squares = torch.zeros_like(energies).index_add(0, batch.structure, (force_errors**2).mean(dim=1))
            loss = loss + self.force_weight * squares / atoms
            errors["force MAE (meV/Å)"] = 1000 * force_errors.abs()
        if have_stress:  # NaN where a frame among others has none
            stresses, volumes = new(np.array([item.stress for item in items])), batch.cell.det().abs()[:, None, None]
            known = stresses.isfinite()
            virial_errors = torch.where(known, virials - stresses * volumes, 0)
            loss = loss + self.stress_weight * (virial_errors**2).mean(dim=(1, 2)) / atoms**2
            errors["stress MAE (meV/Å³)"] = 1000 * (virial_errors / volumes)[known].abs()
        return {"loss": loss / self.scale_**2, **errors}

    def _derivatives(self, network: Network, batch: AtomBatch, forces: bool, virials: bool) -> tuple[torch.Tensor | None, ...]:
        """s Σ f_i (M,) eV, and if wanted minus its slope in positions (N, 3) eV/Å, and its slope in strain (M, 3, 3) eV."""
        positions = batch.positions.requires_grad_(forces)
        strain = torch.zeros_like(batch.cell, requires_grad=virials)
        with torch.enable_grad():
            each = network(batch.strained((strain + strain.mT) / 2) if virials else batch)
            if each.shape != batch.species.shape:
                raise ValueError(f"{type(network).__name__} gave energies of shape {tuple(each.shape)} for "
                                 f"{len(batch.species)} atoms; one number an atom is needed")
            energies = self.scale_ * each.new_zeros(batch.n_structures).index_add(0, batch.structure, each)
            wanted = [positions] * forces + [strain] * virials
            slopes = wanted and torch.autograd.grad(
                energies.sum(), wanted, create_graph=network.training, materialize_grads=True)
        return energies, -slopes[0] if forces else None, slopes[-1] if virials else None

    def predict(self, frames: Sequence[Atoms], neighbours: Neighbours | None = None) -> Prediction:
        """Predict, and raise, as `Potential.predict` does; `neighbours` makes the graphs of frames, by default
        `neighbour_graphs`.
        """
        return super().predict(frames, neighbours=neighbours)

    def _predict(self, frames: Sequence[Atoms], neighbours: Neighbours | None) -> Prediction:
        network, dtype = self.network_, getattr(torch, self.dtype)
        neighbours = neighbours or partial(neighbour_graphs, cutoff=network.cutoff)
        energies, forces = self.baseline_.predict(frames).energies, []
        volumes, sizes = np.array([atoms.cell.volume for atoms in frames]), [len(atoms) for atoms in frames]
        stresses = np.zeros((len(frames), 3, 3), self.dtype)
        for rows in chunks(frames, self.atoms_at_once):
            batch = AtomBatch.from_graphs(neighbours(frames[rows]), dtype, self.device)
            values, slopes, virials = self._derivatives(network, batch, True, bool(volumes[rows].any()))
            energies[rows] += values.numpy(force=True)
            forces += np.split(slopes.numpy(force=True), np.cumsum(sizes[rows])[:-1])
            if virials is not None:
                solid = volumes[rows] > 0
                stresses[rows][solid] = virials.numpy(force=True)[solid] / volumes[rows][solid, None, None]
        return Prediction(energies, forces, stresses)

    def calculator(self, skin: float = 0.5) -> NetworkCalculator:
        """An ASE calculator that looks for neighbours anew when an atom has moved by half the `skin` (Å), as `VerletList`
        does. Raises NotFittedError before `fit`.
        """
        check_is_fitted(self, "species_")
        return NetworkCalculator(self, skin)


def chunks(frames: Sequence[Atoms], most: int) -> Iterator[slice]:
    """Runs of frames with `most` atoms together or fewer; a larger frame stands alone."""
    first = total = 0
    for row, atoms in enumerate(frames):
        if total and total + len(atoms) > most:
            yield slice(first, row)
            first, total = row, 0
        total += len(atoms)
    yield slice(first, len(frames))
