"""The table of chapter 16: whole, honest, and what a survey says today."""

from pathlib import Path

import numpy as np
import pytest

from course_lib import survey
from course_lib.structures import datasets

TABLE = Path(__file__).parents[2] / "data/results/survey.csv"


@pytest.fixture(scope="module")
def table():
    return survey.read(TABLE)


def test_every_fit_is_finished_once_and_kept_its_word(table):
    assert not table.duplicated(["data set", "method", "n", "seed"]).any()
    assert "error" not in table or table["error"].isna().all()
    assert (table["verdict"] == "kept").all() and (table["audit"] < 1).all()


def test_it_knows_only_methods_and_data_sets_that_exist_and_names_its_makers(table):
    assert set(table["method"]) <= set(survey.METHODS) and set(table["data set"]) <= set(datasets().index)
    assert table["made by"].str.contains("Python .*torch .*numpy ").all()


def test_no_method_is_worse_than_the_composition_on_the_molecule_it_is_made_for(table):
    ethanol = table[table["data set"] == "ethanol"].groupby(["method", "n"])["energy MAE (meV)"].median().unstack("n")
    assert (ethanol.drop("composition")[800].dropna() < ethanol[800]["composition"]).all()


@pytest.mark.parametrize(("name", "data", "n"), [("composition", "ethanol", 800), ("bag of bonds", "ethanol", 50),
                                                 ("Coulomb matrix", "qm9_small", 100), ("PIP", "ethanol", 50)])
def test_rows_are_what_a_survey_says_today(table, name, data, n):
    row = survey.run([name], data, [n], [0], steps=0, progress=False).iloc[0]
    shipped = table[(table["data set"] == data) & (table["method"] == name) & (table["n"] == n) & (table["seed"] == 0)].iloc[0]
    errors = [column for column in row.index if "MAE" in column or "RMSE" in column]
    assert len(errors) >= 4 and np.allclose(row[errors].astype(float), shipped[errors].astype(float), rtol=1e-2)
