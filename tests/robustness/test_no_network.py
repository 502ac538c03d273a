"""Nothing in the library asks the network for anything, but for a benchmark that a reader asks it for."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GUARD = """
import sys

def refuse(event, arguments):  # before the system is asked, and whoever asks: no audit hook can be taken away again
    if event in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto", "socket.bind"):
        raise RuntimeError(f"the network was asked for: {event} {arguments[1:]}")

sys.addaudithook(refuse)
"""
EVERYTHING = """
import importlib, pkgutil, course_lib
for module in pkgutil.walk_packages(course_lib.__path__, "course_lib."):
    if not module.name.endswith("__main__"):
        room = importlib.import_module(module.name)
        [getattr(room, name) for name in getattr(room, "__all__", [])]
from course_lib.learning import Potential, checkpoints, pretrained
from course_lib.structures import benchmarks, datasets, load, load_images
from course_lib.survey import methods
benchmarks(), methods()
sets = {name: (load_images if name == "digits" else load)(name) for name in datasets().index}
table = checkpoints()
first = table[~table.index.str.replace(r"_\\d+$", "", regex=True).duplicated()]
for name, data in first["data set"].items():
    model = pretrained(name)
    test = sets[data].test
    model.predict(test.images[:1] if data == "digits" else test[:1]) if isinstance(model, Potential) else model.network_
print(len(sets), len(first))
"""


def run(code):
    return subprocess.run([sys.executable, "-c", GUARD + code], capture_output=True, text=True, cwd=ROOT,
                          env=os.environ | {"HOME": "/nonexistent", "COURSE_BENCHMARKS": "/nonexistent"})


def test_imports_data_checkpoints_and_predictions_open_no_connection_and_need_no_home():
    ran = run(EVERYTHING)
    assert ran.returncode == 0, ran.stderr[-2000:]
    sets, models = map(int, ran.stdout.split())
    assert sets > 5 and models > 5


@pytest.mark.parametrize("code", ["import urllib.request; urllib.request.urlopen('http://127.0.0.1:9')",
                                  "import socket; socket.create_connection(('192.0.2.1', 80))",
                                  "from course_lib.structures.downloads import fetch; from pathlib import Path\n"
                                  "fetch(Path('nowhere/x'), 'http://127.0.0.1:9/x')"])
def test_whoever_opens_one_is_caught(code, tmp_path):
    ran = run(f"import os; os.chdir({str(tmp_path)!r})\n{code}")
    assert ran.returncode != 0 and "the network was asked for" in ran.stderr
