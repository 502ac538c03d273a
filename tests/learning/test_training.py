"""The loop, on items that are neither atoms nor energies, against closed forms."""

import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from sklearn.base import clone

from course_lib.learning import Trainer


class Ramp(torch.nn.Module):
    """One weight; with the loss −w Adam's step is exactly the learning rate (m̂ / √v̂ = 1)."""

    def __init__(self, start=0.0):
        super().__init__()
        self.w = torch.nn.Parameter(torch.tensor(start, dtype=torch.float64))


def uphill(judge=lambda w: w, seen=None):
    """Training makes w larger by the learning rate; validation says judge(w)."""
    def loss(network, items):
        if seen is not None and network.training:
            seen.append(list(items))
        value = -network.w if network.training else judge(network.w)
        return {"loss": value.expand(len(items))}
    return loss


def trainer(**settings):
    return Trainer(**{"epochs": 6, "batch_size": 10, "learning_rate": 1.0, "schedule": None} | settings)


def rates(history):
    return [row["learning rate"] for row in history]


def squared(network, items):
    x, y = (torch.stack(part) for part in zip(*items, strict=True))
    residual = (network(x) - y)[:, 0]
    return {"loss": residual**2, "MAE": residual.abs()}


def test_it_finds_the_least_squares_line():
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    x, noise = rng.normal(size=(64, 2)), 0.1 * rng.normal(size=(64, 1))
    y = x @ [[2.0], [-1.0]] + 0.5 + noise
    torch.manual_seed(0)
    network = torch.nn.Linear(2, 1, dtype=torch.float64)
    items = list(zip(torch.tensor(x), torch.tensor(y), strict=True))
    history = Trainer(epochs=40, batch_size=8, learning_rate=0.1).train(network, squared, items, progress=False)
    solution, residual, *_ = np.linalg.lstsq(np.hstack([x, np.ones((64, 1))]), y)
    np.testing.assert_allclose(torch.cat([network.weight[0], network.bias]).detach(), solution[:, 0], atol=2e-3)
    assert history[-1]["training loss"] == pytest.approx(residual[0] / 64, rel=1e-3)


def test_the_same_loop_trains_a_classifier():
    torch.manual_seed(0)
    x = torch.cat([torch.randn(40, 2) + 3, torch.randn(40, 2) - 3])
    items = list(zip(x, [0] * 40 + [1] * 40, strict=True))

    def loss(network, items):
        points, classes = torch.stack([p for p, _ in items]), torch.tensor([c for _, c in items])
        logits = network(points)
        return {"loss": torch.nn.functional.cross_entropy(logits, classes, reduction="none"),
                "accuracy": (logits.argmax(dim=1) == classes).float()}

    history = Trainer(epochs=20, learning_rate=0.1).train(torch.nn.Linear(2, 2), loss, items, items, progress=False)
    assert history[-1]["validation accuracy"] == 1


def test_every_epoch_sees_every_item_once_in_an_order_of_its_own():
    seen = []
    torch.manual_seed(0)
    trainer(epochs=3, batch_size=4).train(Ramp(), uphill(seen=seen), range(10), progress=False)
    assert [len(batch) for batch in seen] == [4, 4, 2] * 3
    epochs = [sum(seen[i:i + 3], []) for i in (0, 3, 6)]
    assert all(sorted(epoch) == list(range(10)) for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) == 3


def test_reported_errors_are_means_over_items_not_over_batches():
    def loss(network, items):
        return {"loss": network.w * 0 + torch.tensor(items, dtype=torch.float64)}
    for batch_size in (3, 5, 7):  # none divides 8
        row, = trainer(epochs=1, batch_size=batch_size).train(Ramp(), loss, range(8), range(4), progress=False)
        assert row["training loss"] == 3.5 and row["validation loss"] == 1.5


def test_the_learning_rate_falls_as_its_schedule_says():
    train = dict(network=Ramp(), items=range(3), progress=False)
    assert rates(trainer().train(loss=uphill(), **train)) == [1] * 6
    cosine = trainer(schedule="cosine").train(loss=uphill(), **train)
    np.testing.assert_allclose(rates(cosine), [(1 + np.cos(np.pi * n / 6)) / 2 for n in range(6)])
    stuck = uphill(judge=lambda w: w * 0)
    plateau = trainer(schedule="plateau", plateau=2).train(loss=stuck, validation=range(2), **train)
    assert rates(plateau) == [1, 1, 1, 0.5, 0.5, 0.25]  # the first epoch is better than nothing, then two by two are not
    assert rates(trainer(schedule="plateau", plateau=2).train(loss=uphill(), **train)) == [1] * 6  # training's falls


def test_the_weights_of_the_best_epoch_are_kept_and_training_stops_when_it_waited_long_enough():
    network = Ramp()
    history = trainer(epochs=50, patience=4).train(network, uphill(lambda w: (w - 3) ** 2), range(5), range(5), progress=False)
    assert network.w.item() == pytest.approx(3) and not network.training
    assert len(history) == 3 + 4 and [row["kept"] for row in history] == [True] * 3 + [False] * 4
    last = Ramp()
    trainer().train(last, uphill(), range(5), progress=False)
    assert last.w.item() == pytest.approx(6)  # nothing to judge by: the last


def test_averaged_weights_are_judged_and_kept():
    network, averages = Ramp(), []
    history = trainer(ema=0.75).train(network, uphill(lambda w: -w), range(5), range(5), progress=False)
    for w in range(1, 7):
        averages.append(0.75 * averages[-1] + 0.25 * w if averages else w)
    np.testing.assert_allclose([-row["validation loss"] for row in history], averages)
    assert network.w.item() == pytest.approx(averages[-1])


def test_long_gradients_are_shortened_and_short_ones_are_not():
    for steep, clip, norm in [(1e6, 2.0, 2.0), (1e6, None, 1e6), (0.5, 2.0, 0.5)]:
        network = Ramp()
        trainer(epochs=1, clip=clip).train(network, lambda n, items, s=steep: {"loss": s * n.w[None]}, [0], progress=False)
        assert network.w.grad.item() == pytest.approx(norm, rel=1e-5)


def test_weights_decay_apart_from_the_gradient():
    network = Ramp(start=1.0)
    flat = trainer(learning_rate=0.1, weight_decay=0.5)
    flat.train(network, lambda n, items: {"loss": 0 * n.w[None]}, [0], progress=False)
    assert network.w.item() == pytest.approx(0.95**6)


@pytest.mark.parametrize("part, epoch", [("training", 4), ("validation", 3)])  # w is 3 when epoch 4 begins, and 3 ends
def test_a_loss_that_is_no_number_stops_it_at_once_and_names_the_epoch(part, epoch):
    def loss(network, items):
        broken = network.w > 2.5 and (part == "training") == network.training
        return {"loss": (torch.nan if broken else 1) * uphill(lambda w: -w)(network, items)["loss"]}
    network = Ramp()
    with pytest.raises(FloatingPointError, match=rf"{part} loss is nan in epoch {epoch}, at learning rate 1: .*smaller rate"):
        trainer().train(network, loss, range(5), range(5), progress=False)
    assert network.w.item() == pytest.approx(3 if part == "training" else 2)  # the best before


def test_a_gradient_that_is_no_number_is_noticed_though_the_loss_is_one():
    network = Ramp(start=0.0)
    with pytest.raises(FloatingPointError, match="training gradient norm is nan in epoch 1"):
        trainer().train(network, lambda n, items: {"loss": n.w.abs().sqrt()[None] + n.w.sign() - n.w}, [0], progress=False)
    assert network.w.item() == 0


def test_an_interruption_keeps_the_best_so_far_and_is_passed_on():
    def loss(network, items):
        if network.training and network.w > 4.5:
            raise KeyboardInterrupt
        return uphill(lambda w: (w - 3) ** 2)(network, items)
    network = Ramp()
    with pytest.raises(KeyboardInterrupt):
        trainer().train(network, loss, range(5), range(5), progress=False)
    assert network.w.item() == pytest.approx(3)


def test_no_epochs_change_nothing():
    network = Ramp(start=0.3)
    assert trainer(epochs=0).train(network, uphill(), range(3), range(3), progress=False) == []
    assert network.w.item() == 0.3


@pytest.mark.parametrize("settings, words", [
    (dict(schedule="linear"), "schedule is 'linear'"), (dict(epochs=-1), "epochs is -1"),
    (dict(batch_size=0), "batch_size is 0"), (dict(weight_decay=-1), "weight_decay is -1"),
    (dict(patience=0), "patience is 0"), (dict(patience=3), "no validation data"), (dict(ema=1.0), "between 0 and 1"),
    (dict(learning_rate=0), "must be positive"), (dict(learning_rate=np.nan), "must be positive"),
    (dict(clip=0), "must be positive"),
])
def test_settings_without_meaning_are_refused(settings, words):
    with pytest.raises(ValueError, match=words):
        trainer(**settings).train(Ramp(), uphill(), range(3), progress=False)


def test_it_is_cloned_and_shown_as_estimators_are():
    assert clone(trainer(ema=0.9)).get_params() == trainer(ema=0.9).get_params()
    assert repr(Trainer(epochs=7)) == "Trainer(epochs=7)"


def test_progress_is_shown_only_when_wanted(capsys):
    trainer().train(Ramp(), uphill(), range(3), range(3))
    assert "validation loss=6" in capsys.readouterr().err.replace("-", "")
    trainer().train(Ramp(), uphill(), range(3), progress=False)
    assert capsys.readouterr().err == ""


def test_a_function_for_progress_sees_every_epoch_and_no_bar_is_drawn(capsys):
    seen = []
    history = trainer().train(Ramp(), uphill(), range(3), progress=lambda rows: seen.append([row["epoch"] for row in rows]))
    assert seen == [list(range(1, n + 1)) for n in range(1, 7)] and len(history) == 6
    assert capsys.readouterr().err == ""


def test_the_room_opens_without_torch_which_then_uses_one_thread_unless_told_otherwise():
    code = """
import os, sys, importlib
import course_lib.learning
print("torch" in sys.modules)
course_lib.learning.Trainer
import torch
print(torch.get_num_threads())
os.environ["OMP_NUM_THREADS"] = "2"
torch.set_num_threads(2)
importlib.reload(course_lib.learning.training)
print(torch.get_num_threads())"""
    quiet = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
    answer = subprocess.run([sys.executable, "-c", code], env=quiet, capture_output=True, text=True, check=True)
    assert answer.stdout.split() == ["False", "1", "2"]
