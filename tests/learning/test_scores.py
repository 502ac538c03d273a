import math

import numpy as np
import pytest
from argon import label
from ase import Atoms

from course_lib.learning import Prediction, labels, scores


def test_a_score_by_hand_in_the_units_its_name_says():
    frames = [label(Atoms("H2"), energy=1.0, forces=np.zeros((2, 3))),
              label(Atoms("H4"), energy=5.0, forces=np.full((4, 3), 3.0))]
    prediction = Prediction(np.array([1.1, 4.6]), [np.full((2, 3), 0.3), np.full((4, 3), 3.0)])
    table = scores(prediction, frames)
    by_hand = {  # errors +0.1, −0.4 eV; the mean energy 3 eV misses by 2 eV; the mean force 2 eV/Å by 2 and 1
        "energy MAE (meV)": (250, 2000), "energy RMSE (meV)": (1000 * math.sqrt(0.085), 2000),
        "energy MAE (meV/atom)": (75, 375), "energy RMSE (meV/atom)": (1000 * math.sqrt((0.05**2 + 0.1**2) / 2), 375),
        "force MAE (meV/Å)": (100, 4000 / 3), "force RMSE (meV/Å)": (1000 * math.sqrt(0.09 / 3), 1000 * math.sqrt(2)),
    }
    assert table.index.tolist() == list(by_hand)
    np.testing.assert_allclose(table[["model", "mean predictor"]], list(by_hand.values()), rtol=1e-12)


def test_a_stress_that_has_no_label_is_left_out():
    cell = np.eye(3)
    frames = [label(Atoms("H", cell=cell), energy=0.0, stress=np.zeros(6)), label(Atoms("H", cell=cell), energy=0.0)]
    table = scores(Prediction(np.zeros(2), None, np.stack([np.full((3, 3), 0.002), np.full((3, 3), 9.0)])), frames)
    assert table.loc["stress MAE (meV/Å³)", "model"] == pytest.approx(2)
    assert not table.index.str.startswith("force").any()


def test_a_prediction_of_other_frames_is_refused():
    with pytest.raises(ValueError, match="2 structures beside 1 frames"):
        scores(Prediction(np.zeros(2)), [label(Atoms("H"), energy=0.0)])


def test_frames_without_labels_and_no_frames_are_refused():
    with pytest.raises(ValueError, match="frame 0 carries no energy"):
        scores(Prediction(np.zeros(1)), [Atoms("H")])
    with pytest.raises(ValueError, match="empty"):
        scores(Prediction(np.zeros(0)), [])


def test_a_model_that_diverged_scores_nan_rather_than_something_pleasant():
    frames = [label(Atoms("H"), energy=0.0), label(Atoms("H"), energy=1.0)]
    assert scores(Prediction(np.array([0.0, np.nan])), frames)["model"].isna().all()


def test_a_stress_label_may_be_a_matrix_or_six_numbers():
    stress = np.array([[1.0, 6, 5], [6, 2, 4], [5, 4, 3]])
    cells = [Atoms("Ar", cell=[5, 5, 5], pbc=True) for _ in range(2)]
    for atoms, given in zip(cells, (stress, np.arange(1.0, 7)), strict=True):
        label(atoms, energy=0.0, stress=given)
    assert np.array_equal(labels(cells).stresses, [stress, stress])
