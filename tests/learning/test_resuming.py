"""A training that is killed at any moment goes on from its file and ends with the bits it would have had."""

import json
import os
import signal
from multiprocessing import get_context

import numpy as np
import pytest
import torch
from argon import label
from lennard_jones import LennardJonesNetwork

from course_lib.learning import NetworkPotential, Trainer
from course_lib.learning.resuming import TrainingState

EPOCHS, STEPS = 6, 4  # of 5 items each
SCHEDULES = ["cosine", "plateau", None]


def network():
    torch.manual_seed(1)
    return torch.nn.Sequential(torch.nn.Linear(3, 8), torch.nn.Dropout(0.2), torch.nn.Tanh(), torch.nn.Linear(8, 1))


def items(seed=0):
    x = np.random.default_rng(seed).normal(size=(5 * STEPS, 3)).astype(np.float32)
    return list(zip(torch.tensor(x), torch.tensor(np.sin(x.sum(axis=1))), strict=True))


def trainer(**settings):
    return Trainer(**{"epochs": EPOCHS, "batch_size": 5, "learning_rate": 0.02, "schedule": "plateau", "plateau": 1,
                      "ema": 0.8} | settings)


def squared(net, rows, counted=None, die_at=None):
    if net.training and counted is not None:
        counted.append(1)
        if len(counted) == die_at:
            os.kill(os.getpid(), signal.SIGKILL)
    x, y = (torch.stack(part) for part in zip(*rows, strict=True))
    return {"loss": (net(x)[:, 0] - y) ** 2}


def live(file, results, schedule, die_at=None, die_writing=False):
    """The life of one process: trains, and tells the final weights, the history and its steps, unless it dies before."""
    if die_writing:
        os.fsync = lambda _: len(counted) > STEPS and os.kill(os.getpid(), signal.SIGKILL)
    counted, net = [], network()
    torch.manual_seed(7)
    history = trainer(schedule=schedule).train(net, lambda n, rows: squared(n, rows, counted, die_at), items(), items(1),
                                               False, file)
    results.write_text(json.dumps({"losses": [row["validation loss"] for row in history], "steps": len(counted), "weights": {
        name: tensor.numpy().tobytes().hex() for name, tensor in net.state_dict().items()}}))


@pytest.fixture(scope="module")
def processes(tmp_path_factory):
    live(None, tmp_path_factory.mktemp("warm") / "result", None)  # what torch imports late is then imported once

    def run(*arguments, **settings):
        process = get_context("fork").Process(target=live, args=arguments, kwargs=settings)
        process.start()
        process.join()
        return process.exitcode
    return run


@pytest.fixture(scope="module")
def uninterrupted(processes, tmp_path_factory):
    folder, whole = tmp_path_factory.mktemp("whole"), {}
    for schedule in SCHEDULES:
        assert processes(None, folder / "result", schedule) == 0
        whole[schedule] = json.loads((folder / "result").read_text())
    return whole


def same_bits(one, other):
    return one["losses"] == other["losses"] and one["weights"] == other["weights"]


def test_killed_at_ten_random_steps_it_ends_with_the_same_bits(processes, uninterrupted, tmp_path):
    for case, die_at in enumerate(np.random.default_rng(0).choice(EPOCHS * STEPS, 10, replace=False) + 1):
        file, result, schedule = tmp_path / f"{case}.state", tmp_path / f"{case}", SCHEDULES[case % 3]
        assert processes(file, result, schedule, int(die_at)) == -signal.SIGKILL and not result.exists()
        assert file.exists() == (die_at > STEPS)  # an epoch was finished
        assert processes(file, result, schedule) == 0
        ended = json.loads(result.read_text())
        assert same_bits(ended, uninterrupted[schedule])
        assert ended["steps"] == (EPOCHS - (die_at - 1) // STEPS) * STEPS  # it did go on, and not begin again
    assert not same_bits(uninterrupted["plateau"], uninterrupted["cosine"])  # bits can differ


def test_killed_while_writing_it_goes_on_from_the_epoch_before(processes, uninterrupted, tmp_path):
    file, result = tmp_path / "state", tmp_path / "result"
    assert processes(file, result, "cosine", die_writing=True) == -signal.SIGKILL
    assert len(list(tmp_path.iterdir())) == 2  # the state of the first epoch, and a part of that of the second
    assert processes(file, result, "cosine") == 0
    assert same_bits(json.loads(result.read_text()), uninterrupted["cosine"])
    assert json.loads(result.read_text())["steps"] == (EPOCHS - 1) * STEPS


@pytest.fixture
def file(tmp_path):
    """Three epochs of six."""
    def stop(net, rows, seen=[]):  # noqa: B006
        seen.append(net.training)
        if sum(seen) > 3 * STEPS:
            raise KeyboardInterrupt
        return squared(net, rows)
    with pytest.raises(KeyboardInterrupt):
        trainer().train(network(), stop, items(), items(1), False, tmp_path / "state")
    return tmp_path / "state"


@pytest.mark.parametrize("other, words", [
    (dict(trainer=trainer(batch_size=4)), "batch_size was 5, now it is 4"),
    (dict(trainer=trainer(epochs=9)), "epochs was 6, now it is 9"),
    (dict(net=torch.nn.Linear(3, 1)), "first weights was"),
    (dict(items=items(2)), "items was"),
    (dict(items=items()[:-1]), "items was"),
    (dict(validation=items(2)), "validation was"),
    (dict(validation=None), "validation was"),
    (dict(settings={"force_weight": 2.0}), r"force_weight was none, now it is 2\.0"),
])
def test_the_training_of_something_else_is_refused_and_told_what_differs(file, other, words):
    this = {"trainer": trainer(), "net": network(), "items": items(), "validation": items(1), "settings": None} | other
    with pytest.raises(ValueError, match=f"unfinished training of another kind: {words}.*or delete this one"):
        this["trainer"].train(this["net"], squared, this["items"], this["validation"], False, file, this["settings"])


def test_what_was_trained_to_the_end_is_not_trained_again(file):
    first, again, steps = network(), network(), []
    history = trainer().train(first, squared, items(), items(1), False, file)
    assert len(history) == EPOCHS
    assert trainer().train(again, lambda n, rows: squared(n, rows, steps), items(), items(1), False, file) == history
    assert not steps and all(torch.equal(first.state_dict()[name], tensor) for name, tensor in again.state_dict().items())


def test_patience_that_was_at_an_end_stays_at_an_end(tmp_path):
    patient, steps = trainer(patience=2, epochs=50, learning_rate=0.3), []
    history = patient.train(network(), squared, items(), items(1), False, tmp_path / "state")
    assert len(history) < 50
    assert patient.train(network(), lambda n, rows: squared(n, rows, steps), items(), items(1), False,
                         tmp_path / "state") == history and not steps


def test_a_loss_that_is_no_number_leaves_the_last_good_state(tmp_path):
    def breaks(net, rows, seen=[]):  # noqa: B006
        seen.append(net.training)
        return {"loss": squared(net, rows)["loss"] * (torch.nan if sum(seen) > 2 * STEPS + 1 else 1)}
    with pytest.raises(FloatingPointError, match="training loss is nan in epoch 3"):
        trainer().train(network(), breaks, items(), items(1), False, tmp_path / "state")
    assert len(trainer().train(network(), squared, items(), items(1), False, tmp_path / "state")) == EPOCHS


def test_a_damaged_file_is_refused(file):
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    with pytest.raises(ValueError, match="SHA-256"):
        trainer().train(network(), squared, items(), items(1), False, file)
    assert TrainingState().get_params() == {}


def test_a_function_follows_the_training_epoch_by_epoch(file):
    seen = []
    trainer().train(network(), squared, items(), items(1), lambda history: seen.append(len(history)), file)
    assert seen == [4, 5, 6]


def test_a_potential_goes_on_bit_for_bit_too(argon_frames, tmp_path):
    def fit(stop_after, **settings):
        def progress(history):
            if len(history) == stop_after:
                raise KeyboardInterrupt
        model = NetworkPotential(LennardJonesNetwork(), Trainer(epochs=4, batch_size=8, learning_rate=0.01), **settings)
        return model.fit(argon_frames[:20], argon_frames[30:], progress, resume=tmp_path / "state")
    with pytest.raises(KeyboardInterrupt):
        fit(2)
    with pytest.raises(ValueError, match=r"force_weight was 1\.0, now it is 2\.0"):
        fit(None, force_weight=2.0)
    with pytest.raises(ValueError, match="random_state was 0, now it is 1"):
        fit(None, random_state=1)
    resumed = fit(None)
    whole = NetworkPotential(LennardJonesNetwork(), Trainer(epochs=4, batch_size=8, learning_rate=0.01)).fit(
        argon_frames[:20], argon_frames[30:], False)
    assert all(np.array_equal(resumed.weights_[name], array) for name, array in whole.weights_.items())
    moved = [label(atoms.copy(), energy=atoms.get_potential_energy() + 1e-9, forces=atoms.get_forces())
             for atoms in argon_frames[:20]]
    with pytest.raises(ValueError, match="items was"):
        NetworkPotential(LennardJonesNetwork(), Trainer(epochs=4, batch_size=8, learning_rate=0.01)).fit(
            moved, argon_frames[30:], False, resume=tmp_path / "state")
