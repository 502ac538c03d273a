"""Where the library writes, a full disk or a closed folder is told in words, and what was there before stays whole."""

import hashlib
import json
import re
import threading
from contextlib import ExitStack, suppress
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
import torch
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator

from course_lib import survey
from course_lib.__main__ import main
from course_lib.learning import CompositionBaseline, Trainer
from course_lib.structures import benchmark
from course_lib.structures.writing import whole
from course_lib.survey.results import Results

ROOM = 100  # bytes, less than any of the files


def text(path, number):
    with whole(path) as file:
        file.write(b"x" * 1000 + str(number).encode())


def checkpoint(path, number):
    atoms = Atoms("H2")
    atoms.calc = SinglePointCalculator(atoms, energy=float(number))
    CompositionBaseline().fit([atoms]).save(path)


def training(path, number):
    """`number` + 1 epochs in all, the first of them in an earlier life."""
    def stop(history):
        if len(history) > number:
            raise KeyboardInterrupt
    torch.manual_seed(0)
    network, x = torch.nn.Linear(3, 1), torch.eye(3)
    with suppress(KeyboardInterrupt):
        Trainer(epochs=4).train(network, lambda net, rows: {"loss": net(torch.stack(rows)).square()[:, 0]}, list(x),
                                progress=stop, resume=path)


def table(path, number):
    with Results(path) as results:
        results.add({"data set": "ethanol", "method": "SchNet", "n": number, "seed": 0, "made by": "x" * 100})


WRITERS = {writer.__name__: writer for writer in (text, checkpoint, training, table)}
each_writer = pytest.mark.parametrize("write", WRITERS.values(), ids=WRITERS)


def told(path):
    return f"{re.escape(str(path))} cannot be written .*as it was.*Make room on that disk, or give a path in a folder"


def visible(folder):
    return [path.name for path in folder.iterdir() if not path.name.startswith(".")]


@each_writer
def test_a_full_disk_is_told_with_path_and_cure_and_the_file_before_stays(write, tmp_path, full_disk):
    path = tmp_path / "a file"
    write(path, 1)
    before = path.read_bytes()
    assert len(before) > ROOM
    with full_disk(ROOM), pytest.raises(OSError, match=told(path)):
        write(path, 2)
    assert path.read_bytes() == before and visible(tmp_path) == [path.name]
    write(path, 2)
    assert path.read_bytes() != before


@each_writer
def test_a_closed_folder_is_told_with_path_and_cure_and_the_file_in_it_stays(write, tmp_path, closed):
    path = tmp_path / "closed" / "a file"
    path.parent.mkdir()
    write(path, 1)
    before = path.read_bytes()
    closed(path.parent)
    with pytest.raises(OSError, match=told(path)):
        write(path, 2)
    assert path.read_bytes() == before and visible(path.parent) == [path.name]


@pytest.mark.parametrize("write", [text, checkpoint, training])
def test_a_folder_that_is_not_there_and_a_file_in_its_place_are_told(write, tmp_path):
    (tmp_path / "file").touch()
    for folder in ("nowhere", "file"):
        with pytest.raises(OSError, match=told(tmp_path / folder / "a")):
            write(tmp_path / folder / "a", 1)
    assert visible(tmp_path) == ["file"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, ZeroDivisionError])
def test_whatever_else_stops_a_write_passes_as_it_is_and_leaves_the_file_before(error, tmp_path):
    text(tmp_path / "a", 1)
    before = (tmp_path / "a").read_bytes()
    with pytest.raises(error), whole(tmp_path / "a") as file:
        file.write(b"half")
        raise error
    assert (tmp_path / "a").read_bytes() == before and visible(tmp_path) == ["a"]


def test_rows_of_a_survey_from_before_the_disk_was_full_are_kept(tmp_path, full_disk):
    path = tmp_path / "table.csv"
    ask = dict(methods=["composition"], dataset="methane_b3lyp", sizes=[2], seeds=[0, 1], table=path)
    with ExitStack() as stack, pytest.raises(OSError, match=told(path)):
        survey.run(**ask, progress=lambda rows: stack.enter_context(full_disk(ROOM)))
    assert len(survey.read(path)) == 1
    assert len(survey.run(**ask, progress=False)) == len(survey.read(path)) == 2


def test_from_a_shell_a_closed_folder_is_one_line_and_code_2(tmp_path, closed, capsys):
    (tmp_path / "closed").mkdir()
    closed(tmp_path / "closed")
    for path in (tmp_path / "closed/table.csv", tmp_path / "closed/new/table.csv"):
        assert main(["survey", "composition", "--data", "methane_b3lyp", "--sizes", "2", "--table", str(path)]) == 2
        assert re.search(told(path), capsys.readouterr().err.splitlines()[-1])


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture
def published(tmp_path, monkeypatch):
    """A benchmark that a server on this machine publishes, and the place where its file would be kept."""
    content = np.random.default_rng(0).bytes(300_000)
    (tmp_path / "served").mkdir()
    (tmp_path / "served/payload").write_bytes(content)
    facts = json.loads(benchmark.__globals__["FACTS"].read_text(encoding="utf-8"))
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=tmp_path / "served")) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        facts["files"]["md17_ethanol.npz"] = dict(url=f"http://127.0.0.1:{server.server_port}/payload", bytes=len(content),
                                                  checksum=f"md5:{hashlib.md5(content).hexdigest()}", count=1)
        (tmp_path / "facts.json").write_text(json.dumps(facts), encoding="utf-8")
        monkeypatch.setitem(benchmark.__globals__, "FACTS", tmp_path / "facts.json")
        monkeypatch.setenv("COURSE_BENCHMARKS", str(tmp_path / "cache"))
        yield tmp_path / "cache/md17/md17_ethanol.npz"
        server.shutdown()


def test_a_download_onto_a_full_disk_keeps_what_came_and_blames_no_network(published, full_disk):
    words = f"{re.escape(str(published))} cannot be written .*COURSE_BENCHMARKS.*what has come is kept"
    with full_disk(100_000), pytest.raises(OSError, match=words) as raised:
        benchmark("md17_ethanol")
    assert not isinstance(raised.value, ConnectionError) and not published.exists()
    assert published.with_name("md17_ethanol.npz.part").stat().st_size == 100_000
    with pytest.raises(ValueError, match="not what its publisher describes"):  # these bytes are no npz, but they are whole
        benchmark("md17_ethanol")
    assert published.stat().st_size == 300_000


def test_a_download_into_a_closed_folder_says_where_else_it_could_go(published, closed):
    published.parent.mkdir(parents=True)
    closed(published.parent)
    with pytest.raises(OSError, match=f"{re.escape(str(published))} cannot be written .*COURSE_BENCHMARKS"):
        benchmark("md17_ethanol")
