"""The loop in which every network learns: shuffled minibatches, a step of AdamW for each, and the best weights kept.

θ ← θ − a m̂ / (√v̂ + ε) − a w θ, with m̂ and v̂ running means of the loss's gradient and of its square, a the learning rate
and w the weight decay (Kingma & Ba, ICLR 2015; Loshchilov & Hutter, ICLR 2019). The loop knows neither atoms nor classes,
only items and a loss, so that potentials and classifiers learn in the same one.
"""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from math import inf
from os import PathLike
from time import perf_counter
from typing import Any

import torch
from sklearn.base import BaseEstimator
from torch.optim.lr_scheduler import ConstantLR, CosineAnnealingLR, ReduceLROnPlateau
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from tqdm import tqdm

from course_lib.learning.resuming import identified, keep, recall

if "OMP_NUM_THREADS" not in os.environ:
    torch.set_num_threads(1)  # batches are small: a second thread gains little, and on a busy machine it loses much

Errors = Mapping[str, torch.Tensor]
Loss = Callable[[torch.nn.Module, Sequence[Any]], Errors]
Progress = bool | Callable[[list[dict[str, Any]]], object]


class Trainer(BaseEstimator):
    """How to learn; `train` does it.

    epochs: how often every item is seen; 0 trains nothing
    batch_size: items a step
    learning_rate, weight_decay: a and w of AdamW
    schedule: how a falls: "cosine", to zero at the last epoch; "plateau", halved whenever `plateau` epochs in a row brought
        no lower loss (of validation, or else of training); None, not at all
    patience: stop after so many epochs in a row without a lower validation loss; None never stops early
    clip: a gradient of a larger norm is shortened to this one; None leaves it
    ema: judge and keep running means of the weights, with this decay a step; None judges and keeps the weights themselves
    """

    def __init__(self, epochs: int = 100, batch_size: int = 16, learning_rate: float = 1e-3, weight_decay: float = 0.0,
                 schedule: str | None = "cosine", plateau: int = 10, patience: int | None = None, clip: float | None = 10.0,
                 ema: float | None = None) -> None:
        self.epochs, self.batch_size, self.learning_rate, self.weight_decay = epochs, batch_size, learning_rate, weight_decay
        self.schedule, self.plateau, self.patience, self.clip, self.ema = schedule, plateau, patience, clip, ema

    def train(self, network: torch.nn.Module, loss: Loss, items: Sequence[Any], validation: Sequence[Any] | None = None,
              progress: Progress = True, resume: str | PathLike | None = None,
              settings: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        """Train `network` in place; a row an epoch: learning rate, mean errors and norm of the gradient, whether it was
        kept, and its seconds.

        `loss(network, items)` says how wrong the network is on some items: under "loss" a value an item, whose mean is made
        small; under other names errors of any shape, whose means are reported. At the end, and when anything interrupts,
        the network has the weights of the epoch with the lowest validation loss; without validation, of the last one.
        Shuffling follows torch's global seed. `progress` draws a bar, or is a function called with the rows so far.
        `resume` is a file that is written after every epoch; a training which finds it goes on there, and ends with the bits
        it would have had without interruption; `settings` are those of the loss, to know it again by. Raises what `check`
        raises, FloatingPointError where a loss or a gradient is not finite, and ValueError for a file of another training.
        """
        self.check(validation)
        identity = identified(self.get_params() | dict(settings or {}), network, items=items, validation=validation) \
            if resume else {}
        optimizer = torch.optim.AdamW(network.parameters(), self.learning_rate, weight_decay=self.weight_decay, fused=True)
        averaged = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(self.ema)) if self.ema else None
        judged = averaged.module if averaged else network
        scheduler, plateau = self._scheduler(optimizer), self.schedule == "plateau"
        history, kept, best, best_epoch = [], _weights(judged), inf, 0
        parts = {"network": network, "optimizer": optimizer, "scheduler": scheduler}
        parts |= {"averaged": averaged} if averaged else {}
        if resume and (saved := recall(resume, identity)):
            for name, part in parts.items():
                part.load_state_dict(saved[name])
            history, kept, best, best_epoch = (saved[name] for name in ("history", "kept", "best", "best_epoch"))
            torch.set_rng_state(saved["random"])
        bar = tqdm(range(len(history) + 1, self.epochs + 1), initial=len(history), total=self.epochs,
                   disable=progress is not True, unit="epoch")
        try:
            for epoch in bar:
                if self.patience and epoch - 1 - best_epoch >= self.patience:
                    break
                start, rate = perf_counter(), optimizer.param_groups[0]["lr"]
                row = {"epoch": epoch, "learning rate": rate}
                row |= _means("training", self._steps(network, averaged, optimizer, loss, items), epoch, rate)
                if validation:
                    row |= _means("validation", self._evaluations(judged, loss, validation), epoch, rate)
                watched = row["validation loss" if validation else "training loss"]
                row["kept"] = not validation or watched < best
                if row["kept"]:
                    kept, best, best_epoch = _weights(judged), watched, epoch
                history.append(row | {"seconds": perf_counter() - start})
                bar.set_postfix({name: f"{row[name]:.3g}" for name in row if name.endswith("loss")}, refresh=False)
                scheduler.step(watched) if plateau else scheduler.step()
                if resume:
                    keep(resume, identity, {name: part.state_dict() for name, part in parts.items()} | {
                        "history": history, "kept": kept, "best": best, "best_epoch": best_epoch,
                        "random": torch.get_rng_state()})
                if callable(progress):
                    progress(history)
        finally:
            bar.close()
            network.load_state_dict(kept)
            network.eval()
        return history

    def _steps(self, network, averaged, optimizer, loss: Loss, items: Sequence[Any]) -> Iterator[Errors]:
        network.train()
        for rows in torch.randperm(len(items)).split(self.batch_size):
            errors = loss(network, [items[row] for row in rows])
            optimizer.zero_grad()
            errors["loss"].mean().backward()
            norm = torch.nn.utils.clip_grad_norm_(network.parameters(), self.clip or inf)
            yield {**errors, "gradient norm": norm}  # what is not finite ends here, before it spoils the weights
            optimizer.step()
            if averaged:
                averaged.update_parameters(network)

    @torch.no_grad()
    def _evaluations(self, network, loss: Loss, items: Sequence[Any]) -> Iterator[Errors]:
        network.eval()
        for start in range(0, len(items), self.batch_size):
            yield loss(network, items[start:start + self.batch_size])

    def _scheduler(self, optimizer: torch.optim.Optimizer):
        match self.schedule:
            case "cosine":
                return CosineAnnealingLR(optimizer, max(self.epochs, 1))
            case "plateau":
                return ReduceLROnPlateau(optimizer, factor=0.5, patience=self.plateau - 1, threshold=0)
        return ConstantLR(optimizer, 1)

    def check(self, validation: Sequence[Any] | None = None) -> None:
        """Raises ValueError for settings without meaning."""
        if self.schedule not in ("cosine", "plateau", None):
            raise ValueError(f"schedule is {self.schedule!r}; it must be 'cosine', 'plateau' or None")
        for name, least in {"epochs": 0, "batch_size": 1, "weight_decay": 0, "plateau": 1, "patience": 1}.items():
            if (value := getattr(self, name)) is not None and not value >= least:
                raise ValueError(f"{name} is {value}; it must be {least} or more")
        if not self.learning_rate > 0 or (self.clip is not None and not self.clip > 0):
            raise ValueError(f"learning_rate and clip must be positive; got {self.learning_rate} and {self.clip}")
        if self.ema is not None and not 0 < self.ema < 1:
            raise ValueError(f"ema is {self.ema}; a decay lies between 0 and 1, as 0.99 does")
        if self.patience and not validation:
            raise ValueError(f"patience={self.patience} waits for a lower validation loss, and there are no validation data; "
                             "give some to fit, or set patience=None")


def _means(part: str, batches: Iterator[Errors], epoch: int, rate: float) -> dict[str, float]:
    """Mean of every error over the items of an epoch."""
    seen: dict[str, list[torch.Tensor]] = {}
    for errors in batches:
        for name, values in errors.items():
            seen.setdefault(name, []).append(values.detach().flatten())
            if not values.isfinite().all():
                raise FloatingPointError(
                    f"the {part} {name} is {values.mean():g} in epoch {epoch}, at learning rate {rate:g}: take a smaller "
                    "rate, clip gradients (`clip`), and look for data with absurd labels")
    return {f"{part} {name}": torch.cat(values).mean().item() for name, values in seen.items()}


def _weights(network: torch.nn.Module) -> dict[str, torch.Tensor]:
    return {name: tensor.detach().clone() for name, tensor in network.state_dict().items()}
