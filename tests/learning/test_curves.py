import numpy as np
import pandas as pd
import pytest
from pair_potential import PairPotential
from sklearn.linear_model import Ridge, SGDRegressor

from course_lib.learning import CompositionBaseline, learning_curve, scores, slope

X = np.random.default_rng(0).normal(size=(64, 3))
Y = X @ [1.0, -2.0, 0.5]


def test_training_sets_are_nested_within_a_seed_the_same_for_all_models_and_new_for_another_seed():
    seen = {}

    def remember(name):
        def model(train, test, seed):
            seen[name, seed, len(train[0])] = train[0].tolist()
            return {"RMSE": 1.0}
        return model

    learning_curve({"a": remember("a"), "b": remember("b")}, (np.arange(64),), None, [4, 16, 64], [0, 1])
    for seed in (0, 1):
        assert seen["a", seed, 16][:4] == seen["a", seed, 4] and seen["a", seed, 64][:16] == seen["a", seed, 16]
        assert sorted(seen["a", seed, 64]) == list(range(64))
    assert all(seen["a", *key] == seen["b", *key] for _, *key in seen)
    assert seen["a", 0, 16] != seen["a", 1, 16]


def test_a_regressor_on_arrays_scores_what_it_scores_by_hand():
    table = learning_curve({"ridge": Ridge(alpha=1.0)}, (X[:40], Y[:40]), (X[40:], Y[40:]), [8], [3])
    rows = np.random.default_rng(3).permutation(40)[:8]
    x, y = X[rows] - X[rows].mean(0), Y[rows] - Y[rows].mean()
    w = np.linalg.solve(x.T @ x + np.eye(3), x.T @ y)  # ridge with an intercept, in closed form
    error = (X[40:] - X[rows].mean(0)) @ w + Y[rows].mean() - Y[40:]
    assert table.columns.tolist() == ["model", "n", "seed", "MAE", "RMSE"]
    assert table.loc[0, ["model", "n", "seed"]].tolist() == ["ridge", 8, 3]
    assert table.loc[0, ["MAE", "RMSE"]].tolist() == pytest.approx([np.abs(error).mean(), np.sqrt((error**2).mean())])


def test_potentials_learn_from_frames_and_report_their_scores(argon_frames):
    train, test, models = argon_frames[:30], argon_frames[30:], {"pair": PairPotential(), "counts": CompositionBaseline()}
    table = learning_curve(models, train, test, [2, 30], [0])
    assert table[["model", "n"]].values.tolist() == [["pair", 2], ["counts", 2], ["pair", 30], ["counts", 30]]
    expected = scores(PairPotential().fit(train).predict(test), test)["model"]  # lstsq in another order of frames
    np.testing.assert_allclose(table.iloc[2][expected.index].astype(float), expected, rtol=1e-6)
    assert not hasattr(models["pair"], "coefficients_")  # the models passed in are only read


def test_a_model_with_chance_in_it_gets_the_seed_and_repeats_itself():
    data = (X[:40], Y[:40]), (X[40:], Y[40:])
    curve = [learning_curve({"sgd": SGDRegressor(max_iter=5, tol=None)}, *data, [40], [0, 1]) for _ in range(2)]
    pd.testing.assert_frame_equal(*curve)
    assert curve[0]["RMSE"].nunique() == 2


def test_the_slope_of_a_power_law_is_its_exponent():
    n = np.array([10, 30, 100, 10, 30, 100])
    table = pd.DataFrame({"model": ["a"] * 3 + ["b"] * 3, "n": n, "seed": 0, "MAE": 5 * n**-0.5,
                          "RMSE": np.where(np.arange(6) < 3, 7.0 * n**-1.0, 2.0)})
    fitted = slope(table)
    assert fitted.index.tolist() == ["a", "b"] and fitted.columns.tolist() == ["MAE", "RMSE"]
    np.testing.assert_allclose(fitted, [[-0.5, -1], [-0.5, 0]], atol=1e-12)


def test_a_mean_is_learned_as_one_over_root_n():
    def mean(train, test, seed):
        return {"error": abs(train[0].mean() - 0.0)}

    noise = np.random.default_rng(1).normal(size=200_000)
    table = learning_curve({"mean": mean}, (noise,), None, [10, 40, 160, 640, 2560], range(60))
    assert slope(table).loc["mean", "error"] == pytest.approx(-0.5, abs=0.09)  # three standard errors, sd(log|z|) = 1.1


@pytest.mark.parametrize("sizes, seeds, words", [
    ([0, 4], [0], r"sizes \[0\].*from 1 to 64"), ([65], [0], r"sizes \[65\].*64"), ([], [0], "sizes"), ([4], [], "seeds")])
def test_sizes_that_cannot_be_drawn_are_refused(sizes, seeds, words):
    with pytest.raises(ValueError, match=words):
        learning_curve({"ridge": Ridge()}, (X, Y), (X, Y), sizes, seeds)


def test_slopes_that_do_not_exist_are_refused():
    with pytest.raises(ValueError, match="two sizes"):
        slope(pd.DataFrame({"model": "a", "n": [8, 8], "seed": [0, 1], "RMSE": 1.0}))
    with pytest.raises(ValueError, match="logarithm"):
        slope(pd.DataFrame({"model": "a", "n": [8, 16], "seed": 0, "RMSE": [1.0, 0.0]}))


def test_tables_are_read_by_position_and_shapes_must_agree():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 3))
    y = X @ [1.0, 2.0, 3.0]
    shuffled = pd.Series(y, index=rng.permutation(40))
    by_position = learning_curve({"ridge": Ridge(1e-6)}, (X, shuffled), (X, y), [20], [0])
    assert by_position["MAE"].max() < 1e-5
    with pytest.raises(ValueError, match="rows; all must have as many"):
        learning_curve({"ridge": Ridge()}, (X, y[:30]), (X, y), [20], [0])


def test_a_slope_needs_two_sizes_of_every_model():
    table = pd.DataFrame({"model": ["a", "a", "b"], "n": [10, 20, 10], "seed": 0, "error": [2.0, 1.0, 2.0]})
    with pytest.raises(ValueError, match="'b' has n"):
        slope(table)
