"""A survey is run once, whatever happens to it."""

import subprocess
import sys
from multiprocessing import Process
from pathlib import Path
from time import sleep

import numpy as np
import pandas as pd
import pytest
import quick
from filelock import FileLock
from joblib import parallel_config

from course_lib import survey

TIMES = ["training (s)", "prediction (µs/atom)", "memory (MB)"]


@pytest.fixture
def counted(tmp_path, monkeypatch):
    """How many fits there were so far."""
    monkeypatch.setenv("COUNTED", str(tmp_path / "fits"))
    return lambda: (tmp_path / "fits").read_text().split("\n")[:-1]


def test_a_row_for_every_method_size_and_seed_in_the_order_asked_for(methane, counted):
    table = survey.run([quick.method(quick.Steady), "PIP"], methane, [2, 4], [1, 0], steps=10, progress=False)
    assert list(zip(table["method"], table["n"], table["seed"], strict=True)) == [
        (name, n, seed) for name in ("Steady", "PIP") for n in (2, 4) for seed in (1, 0)]
    assert len(counted()) == 4


def test_training_sets_are_nested_within_a_seed_and_the_same_for_every_method(methane, counted):
    survey.run([quick.method(quick.Steady, "a"), quick.method(quick.Steady, "b")], methane, [2, 4], [0, 1], progress=False)
    first_energy = {}
    for line in counted():
        first_energy.setdefault(line.split()[1], []).append(line.split()[0])
    assert sorted(map(sorted, first_energy.values())) == [["2", "2", "4", "4"]] * 2


def test_equal_fits_give_equal_rows_but_for_time(methane):
    ask = dict(methods=["PIP", "GAP"], dataset=methane, sizes=[5], seeds=[3], steps=20, progress=False)
    one, other = (survey.run(**ask).drop(columns=TIMES) for _ in range(2))
    pd.testing.assert_frame_equal(one, other)


def test_what_is_in_the_table_is_not_run_again_and_what_is_new_is(methane, counted, tmp_path):
    steady, path = quick.method(quick.Steady), tmp_path / "table.csv"
    first = survey.run([steady], methane, [2, 3], [0], table=path, progress=False)
    again = survey.run([steady], methane, [2, 3], [0, 1], table=path, progress=False)
    assert len(counted()) == 4 and len(again) == 4
    assert np.allclose(again[again.seed == 0]["energy MAE (meV)"], first["energy MAE (meV)"], rtol=1e-5)
    assert len(survey.read(path)) == 4


def test_a_fit_that_fails_leaves_its_reason_does_not_stop_others_and_is_tried_again(methane, counted, tmp_path):
    path, both = tmp_path / "table.csv", [quick.method(quick.Broken), quick.method(quick.Steady)]
    for _ in range(2):
        table = survey.run(both, methane, [2], [0], table=path, progress=False).set_index("method")
        assert table.error["Broken"] == "ArithmeticError: no luck today" and pd.isna(table.error["Steady"])
    assert len(counted()) == 1 and len(survey.read(path)) == 2
    mended = quick.method(quick.Steady, "Broken")
    survey.run([mended], methane, [2], [0], table=path, progress=False)
    assert survey.read(path).error.isna().all()


def test_a_killed_worker_costs_only_the_fit_it_was_at(methane, counted, tmp_path):
    table = survey.run([quick.method(quick.Mortal)], methane, [2, 3, 4], [0], table=tmp_path / "table.csv", jobs=2,
                       progress=False)
    assert table["n"].tolist() == [2, 3, 4] and (tmp_path / "fits.died").exists()
    assert len(survey.read(tmp_path / "table.csv")) == 3


def test_a_fit_that_kills_every_worker_ends_the_run_with_its_name_and_keeps_the_others(methane, tmp_path, counted):
    with pytest.raises(RuntimeError, match=r"died 3 times.*Poison"):
        survey.run([quick.method(quick.Poison)], methane, [2], [0], table=tmp_path / "table.csv", jobs=2, progress=False)


def killed(path, data):
    survey.run([quick.method(quick.Steady)], data, [2, 3, 4, 5, 6], range(40), table=path, progress=False)


def test_a_run_killed_at_any_moment_leaves_a_whole_table_and_goes_on(methane, counted, tmp_path):
    path = tmp_path / "table.csv"
    running = Process(target=killed, args=(path, methane))
    running.start()
    while not (path.exists() and len(survey.read(path)) > 3):
        sleep(0.02)
    running.kill()
    running.join()
    before = survey.read(path)
    assert 3 < len(before) < 200
    killed(path, methane)
    after = survey.read(path)
    assert len(after) == 200 and not after.duplicated(["method", "n", "seed"]).any()
    assert len(counted()) <= 200 + 1  # the fit in flight
    pd.testing.assert_frame_equal(after.iloc[:len(before)], before)


def test_two_runs_do_not_write_one_table(methane, tmp_path):
    with FileLock(tmp_path / ".table.csv.lock"), pytest.raises(RuntimeError, match="another run is writing"):
        survey.run(["composition"], methane, [2], [0], table=tmp_path / "table.csv", progress=False)


@pytest.mark.parametrize("content", ["", "a,b\n1,2\n", "\x00\x01", "data set,method,n,seed,memory (MB)\nwater,GAP,5,0,much\n"])
def test_a_file_that_is_no_table_is_refused_and_left_alone(methane, tmp_path, content):
    path = tmp_path / "table.csv"
    path.write_text(content)
    with pytest.raises(ValueError, match=r"table\.csv"):
        survey.run(["composition"], methane, [2], [0], table=path, progress=False)
    assert path.read_text() == content


def test_progress_sees_the_table_grow(methane):
    seen = []
    survey.run(["composition"], methane, [2, 3], [0], progress=lambda table: seen.append(len(table)))
    assert seen == [1, 2]


@pytest.mark.parametrize(("ask", "complaint"), [
    (dict(methods=["Schnet"]), "no method is called 'Schnet'"),
    (dict(methods=["PIP", "PIP"]), "two methods have one name"),
    (dict(methods=[]), "needs methods"),
    (dict(seeds=[]), "needs methods, sizes and seeds"),
    (dict(sizes=[0]), r"sizes \[0\]"),
    (dict(sizes=[10**6]), "training frames of methane"),
    (dict(dataset="silicon", methods=["PIP"]), "PIP cannot learn silicon"),
    (dict(dataset="nothing"), "no data set is called"),
])
def test_what_cannot_be_run_is_refused(methane, ask, complaint):
    with pytest.raises(ValueError, match=complaint):
        survey.run(**dict(methods=["composition"], dataset=methane, sizes=[2], seeds=[0], progress=False) | ask)


def test_on_a_dask_cluster_the_rows_are_the_same_though_a_worker_is_killed(methane, counted, tmp_path, monkeypatch):
    distributed = pytest.importorskip("distributed")
    monkeypatch.setenv("PYTHONPATH", str(Path(quick.__file__).parent))
    ask = dict(dataset=methane, sizes=[2, 3, 4], seeds=[0, 1], progress=False)
    expected = survey.run([quick.method(quick.Steady, "Mortal")], **ask).drop(columns=TIMES)
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster, \
            distributed.Client(cluster), parallel_config(backend="dask", n_jobs=2):
        table = survey.run([quick.method(quick.Mortal)], **ask, table=tmp_path / "table.csv")
    assert (tmp_path / "fits.died").exists()
    pd.testing.assert_frame_equal(table.drop(columns=TIMES), expected)
    assert len(survey.read(tmp_path / "table.csv")) == 6


def test_importing_the_survey_draws_nothing():
    loaded = subprocess.run([sys.executable, "-c", "import course_lib.survey, sys; print(*sys.modules)"], check=True,
                            capture_output=True, text=True).stdout.split()
    assert not {"matplotlib.pyplot", "nglview", "ipywidgets", "distributed"} & set(loaded)
