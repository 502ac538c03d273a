"""The course from a shell."""

import subprocess
import sys

import pandas as pd
import pytest
import quick

from course_lib import survey
from course_lib.__main__ import main
from course_lib.learning import CompositionBaseline


def test_help_tells_every_command_and_gives_examples():
    shown = subprocess.run([sys.executable, "-m", "course_lib", "--help"], capture_output=True, text=True, check=True).stdout
    assert all(word in shown for word in ("data", "methods", "audit", "survey", "Exit codes", "python -m course_lib survey"))


def test_data_lists_all_sets_or_shows_one_card(capsys):
    assert main(["data"]) == 0 and "ethanol_xtb" in capsys.readouterr().out
    assert main(["data", "ethanol"]) == 0 and "PBE/def2-TZVP" in capsys.readouterr().out


def test_methods_lists_every_claim(capsys):
    assert main(["methods"]) == 0
    shown = capsys.readouterr().out
    assert all(name in shown for name in survey.METHODS)


def test_an_audit_passes_with_0_and_fails_with_1(tmp_path, methane, capsys):
    CompositionBaseline().fit(methane.train).save(tmp_path / "good")
    quick.NamesAtoms().fit(methane.train, progress=False).save(tmp_path / "bad")
    assert main(["audit", str(tmp_path / "good"), "--data", "methane_b3lyp", "--frames", "2"]) == 0
    assert main(["audit", str(tmp_path / "bad"), "--data", "methane_b3lyp", "--frames", "2"]) == 1
    assert "BROKEN" in capsys.readouterr().out


def test_a_survey_writes_its_table_and_tells_what_failed(tmp_path, monkeypatch, capsys):
    path = tmp_path / "table.csv"
    ask = ["survey", "composition", "--data", "methane_b3lyp", "--sizes", "3", "--seeds", "0", "1", "--table", str(path)]
    assert main(ask) == 0 and len(survey.read(path)) == 2
    assert "composition" in capsys.readouterr().out
    monkeypatch.setitem(survey.METHODS, "Broken", quick.method(quick.Broken))
    assert main([*ask[:2], "Broken", *ask[2:]]) == 1
    assert "no luck today" in capsys.readouterr().err


@pytest.mark.parametrize(("words", "complaint"), [
    (["survey", "Schnet"], "no method is called"),
    (["data", "nothing"], "no data set is called"),
    (["audit", "nothing"], "no checkpoint"),
    (["audit", "icosahedral_digits_0"], "is a NetworkClassifier"),
])
def test_a_command_without_sense_ends_with_2_and_says_why(words, complaint, capsys):
    assert main(words) == 2
    assert complaint in capsys.readouterr().err


def test_a_table_from_the_shell_is_one_from_python(tmp_path, methane):
    path = tmp_path / "table.csv"
    main(["survey", "composition", "--data", "methane_b3lyp", "--sizes", "3", "--seeds", "0", "--table", str(path)])
    here = survey.run(["composition"], "methane_b3lyp", [3], [0], progress=False)
    pd.testing.assert_series_equal(survey.read(path)["energy MAE (meV)"], here["energy MAE (meV)"], rtol=1e-5)
