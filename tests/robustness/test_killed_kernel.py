"""A kernel that dies in the middle of a cell: after a restart the chapter goes on, the training where it stood."""

import json
import signal

import pytest
from jupyter_client.manager import start_new_kernel

TRAIN = """
import json, os, signal
from course_lib.learning import NetworkPotential, Trainer
from course_lib.point_clouds import SchNet
from course_lib.structures import load
data, seen = load("methane_b3lyp"), []

def progress(history):
    seen.append(len(history))
    if len(history) == {die_at}:
        os.kill(os.getpid(), signal.SIGKILL)

network = SchNet([1, 6], n_features=8, n_rbf=8, n_interactions=1)
potential = NetworkPotential(network, Trainer(epochs=4, batch_size=5))
potential.fit(data.train[:10], data.validation[:5], progress, resume={resume!r})
print(json.dumps([seen, potential.predict(data.test[:3]).energies.tolist()]))
"""
EXERCISE = "from course_lib.exercises import check, exercises\ncheck(list(exercises('11'))[0], ...)"


@pytest.fixture
def jupyter(tmp_path, monkeypatch):
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "runtime"))
    manager, client = start_new_kernel(kernel_name="python3")
    yield manager, client
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def run(client, code):
    """What a cell prints; raises RuntimeError where it ends in an error or its kernel dies."""
    printed = []

    def keep(message):
        if message["msg_type"] == "stream" and message["content"]["name"] == "stdout":
            printed.append(message["content"]["text"])

    reply = client.execute_interactive(code, timeout=120, output_hook=keep, allow_stdin=False)
    if reply["content"]["status"] != "ok":
        raise RuntimeError("\n".join(reply["content"]["traceback"]))
    return "".join(printed)


def test_a_kernel_killed_in_the_middle_of_a_training_goes_on_after_its_restart(jupyter, tmp_path):
    manager, client = jupyter
    whole = json.loads(run(client, TRAIN.format(die_at=None, resume=None)))
    client.execute(TRAIN.format(die_at=2, resume=str(tmp_path / "state")))
    assert manager.provisioner.process.wait(120) == -signal.SIGKILL
    manager.restart_kernel(now=True)
    client.wait_for_ready(timeout=120)
    seen, energies = json.loads(run(client, TRAIN.format(die_at=None, resume=str(tmp_path / "state"))))
    assert whole[0] == [1, 2, 3, 4] and seen == [3, 4] and energies == whole[1]
    assert "is waiting for your answer" in run(client, EXERCISE)
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["state"]
