"""Shipped checkpoints: whole, small, of the data sets as they are, and as good as their headers say."""

from itertools import combinations

import numpy as np
import pytest

from course_lib.learning import NetworkPotential, checkpoints, pretrained, scores
from course_lib.structures import load, load_images, project_images
from course_lib.structures.datasets import data_folder

ERRORS = ["energy MAE (meV)", "force MAE (meV/Å)", "force RMSE (meV/Å)"]
OF_DIGITS = checkpoints()["data set"] == "digits"


def test_every_header_says_how_its_network_came_about():
    table, wanted = checkpoints(), ["network", "data set", "frames", "seed", "epochs", "minutes", "data SHA-256", "versions"]
    assert table[wanted].notna().all(axis=None) and table.loc[~OF_DIGITS, ERRORS].notna().all(axis=None) and len(table) > 0
    for name, row in table.iterrows():
        data = (load_images if OF_DIGITS[name] else load)(row["data set"])
        assert name.endswith(f"_{row.seed}") and row["data SHA-256"] == data.card.sha256
        assert (data_folder() / f"checkpoints/{name}.safetensors").stat().st_size < 2e6


@pytest.mark.parametrize("name", checkpoints().index[OF_DIGITS])
def test_a_checkpoint_of_digits_is_as_accurate_as_its_header_says(name):
    model, test = pretrained(name), load_images("digits").test
    signals = project_images(test.images, model.network.directions) / 255
    assert 100 * model.score(list(signals), test.labels) == pytest.approx(checkpoints().loc[name, "accuracy (%)"], abs=0.21)


@pytest.mark.parametrize("name", checkpoints().index[~OF_DIGITS])
def test_a_checkpoint_is_as_good_as_its_header_says(name):
    row = checkpoints().loc[name]
    frames = load(row["data set"]).test
    found = scores(pretrained(name).predict(frames), frames)["model"]
    np.testing.assert_allclose(found[ERRORS], row[ERRORS].astype(float), rtol=1e-3)


def test_seeds_differ_in_weights_and_hardly_in_errors():
    table = checkpoints()[~OF_DIGITS]
    for _, seeds in table.groupby(table.index.str.replace(r"_\d+$", "", regex=True)):
        models = [pretrained(name) for name in seeds.index]
        assert all(isinstance(model, NetworkPotential) for model in models)
        names = [name for name, _ in models[0].network_.named_parameters()]
        for first, second in combinations(models, 2):  # in every matrix that training moves
            assert not any(np.array_equal(first.weights_[n], second.weights_[n]) for n in names if first.weights_[n].ndim > 1)
        errors = seeds["force MAE (meV/Å)"].astype(float)
        assert errors.max() < 1.3 * errors.min()


def test_a_name_that_is_not_there_is_answered_with_one_that_is(tmp_path, monkeypatch):
    with pytest.raises(ValueError, match="no checkpoint 'schnet_etanol_0'; did you mean 'schnet_ethanol_0'"):
        pretrained("schnet_etanol_0")
    with pytest.raises(ValueError, match=r"no checkpoint 'zzz'; there are .*schnet_ethanol_0"):
        pretrained("zzz")
    monkeypatch.setenv("COURSE_DATA", str(tmp_path))
    with pytest.raises(ValueError, match="there are none: run `make checkpoints`"):
        pretrained("schnet_ethanol_0")
