"""A classifier made of a network: scikit-learn's manners, the checkpoint's care, and the training every network shares."""

import numpy as np
import pytest
import torch
from ase import Atoms
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV, cross_val_score

from course_lib.learning import Network, NetworkClassifier, Potential, Trainer
from course_lib.symmetry import E3_INVARIANT

WORDS = ["close", "far", "middling"]


class Extent(Network):
    """Linear in the powers of the largest distance from the origin: enough to tell near from far, and nothing else."""

    def __init__(self, outputs=3, degree=3):
        super().__init__()
        self.outputs, self.degree = outputs, degree
        self.linear = torch.nn.Linear(degree, outputs)

    def prepare(self, items):
        return [np.linalg.norm(item.positions if isinstance(item, Atoms) else item, axis=1).max() for item in items]

    def batch(self, prepared, dtype=None, device=None):
        radii = torch.as_tensor(np.array(prepared), dtype=dtype, device=device)
        return torch.stack([radii**k for k in range(1, self.degree + 1)], dim=1)

    def forward(self, batch):
        return self.linear(batch)


@pytest.fixture(scope="module")
def pairs():
    """90 pairs of points at a distance from 0 to 2 whose label tells in which third; the labels and the same as frames."""
    rng = np.random.default_rng(0)
    radii = np.tile([0.35, 1.65, 1.0], 30) + rng.uniform(-0.25, 0.25, 90)
    arrays = [np.array([[0, 0, 0], [r, 0, 0]]) for r in radii]
    labels = np.tile(WORDS, 30)
    return arrays, labels, [Atoms("X2", a, info={"kind": str(k)}) for a, k in zip(arrays, labels, strict=True)]


def classifier(epochs=60, **settings):
    return NetworkClassifier(Extent(), Trainer(epochs=epochs, batch_size=10, learning_rate=0.1), **settings)


@pytest.fixture(scope="module")
def fitted(pairs):
    return classifier().fit(*pairs[:2], progress=False)


def test_it_learns_what_can_be_learned(fitted, pairs):
    arrays, labels, _ = pairs
    assert fitted.score(arrays, labels) > 0.97
    assert fitted.classes_.tolist() == WORDS and set(fitted.predict(arrays)) <= set(WORDS)
    assert fitted.symmetry == E3_INVARIANT


def test_probabilities_are_a_softmax_and_the_loss_their_logarithm(fitted, pairs):
    arrays, labels, _ = pairs
    model = classifier(dtype="float64").fit(arrays, labels, (arrays, labels), progress=False)
    p = model.predict_proba(arrays)
    assert p.shape == (90, 3) and p.dtype == np.float64
    scores = model.network_(model.network_.batch(model.network_.prepare(arrays), torch.float64)).detach().numpy()
    np.testing.assert_allclose(p, np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True), rtol=1e-12)
    history = model.history_
    best = history["validation loss"].idxmin()
    assert history["validation loss"][best] == pytest.approx(log_loss(labels, p), rel=1e-9)
    assert history["validation error rate (%)"][best] == pytest.approx(100 * (1 - model.score(arrays, labels)))


def test_labels_may_be_a_name_in_info(fitted, pairs):
    arrays, labels, frames = pairs
    by_name = classifier().fit(frames, "kind", (frames, "kind"), progress=False)
    assert by_name.score(frames, "kind") == by_name.score(arrays, labels) > 0.97
    with pytest.raises(ValueError, match="item 0 has no 'sort' in its info"):
        by_name.score(frames, "sort")
    with pytest.raises(ValueError, match="item 0 has no 'kind'"):
        classifier().fit(arrays, "kind", progress=False)


@pytest.mark.parametrize("labels", [[0, 1, 2], [-7, 5, 6], [0.0, 1.0, 2.0], [False, True, True]], ids=str)
def test_classes_come_back_as_they_were_given(labels, pairs, tmp_path):
    arrays = pairs[0][:9]
    y = np.tile(labels, 3)
    model = NetworkClassifier(Extent(len(set(labels))), Trainer(epochs=1)).fit(arrays, y, progress=False)
    model.save(tmp_path / "model")
    assert NetworkClassifier.load(tmp_path / "model").classes_.tolist() == sorted(set(labels))
    assert model.predict(arrays).dtype == y.dtype


def test_one_seed_one_fit(pairs):
    arrays, labels, _ = pairs
    first, again, other = (classifier(2, random_state=seed).fit(arrays, labels, progress=False).predict_proba(arrays)
                           for seed in (3, 3, 4))
    assert np.array_equal(first, again) and not np.array_equal(first, other)
    assert torch.get_default_dtype() == torch.float32


def test_what_was_saved_predicts_the_same_bits(fitted, pairs, tmp_path):
    fitted.save(tmp_path / "model.safetensors")
    loaded = NetworkClassifier.load(tmp_path / "model.safetensors")
    assert np.array_equal(loaded.predict_proba(pairs[0]), fitted.predict_proba(pairs[0]))
    assert repr(loaded) == repr(fitted) and loaded.history_.equals(fitted.history_)
    with pytest.raises(ValueError, match=r"holds a .*NetworkClassifier, not a Potential"):
        Potential.load(tmp_path / "model.safetensors")


def test_chunks_do_not_change_predictions(fitted, pairs):
    whole = fitted.predict_proba(pairs[0])
    np.testing.assert_allclose(clone_with(fitted, items_at_once=7).predict_proba(pairs[0]), whole, rtol=1e-6)


def clone_with(model, **settings):
    copy = clone(model).set_params(**settings)
    vars(copy).update({k: v for k, v in vars(model).items() if k.endswith("_")})
    return copy


def test_scikit_learn_searches_and_crosses(pairs):
    arrays, labels, _ = pairs
    assert cross_val_score(classifier(30), arrays, labels, cv=2, params={"progress": False}).min() > 0.8
    search = GridSearchCV(classifier(), {"network__degree": [1, 3], "trainer__epochs": [1, 30]}, cv=2)
    search.fit(arrays, labels, progress=False)
    assert search.best_params_ == {"network__degree": 3, "trainer__epochs": 30}
    assert clone(classifier()).get_params()["network__degree"] == 3


def test_it_goes_on_from_where_it_was(pairs):
    arrays, labels, _ = pairs
    model = classifier(20, warm_start=True).fit(arrays, labels, progress=False)
    before = model.history_["training loss"].iloc[-1]
    again = model.set_params(trainer__learning_rate=1e-3).fit(arrays, labels, progress=False).history_
    assert again["training loss"].iloc[0] < 1.1 * before
    with pytest.raises(ValueError, match=r"warm_start goes on with the classes \['close', 'far', 'middling'\]"):
        model.fit(arrays, np.tile(["a", "b", "c"], 30), progress=False)


class Silent(Extent):
    def forward(self, batch):
        return self.linear(batch)[:, :1]


class Endless(Extent):
    def forward(self, batch):
        return self.linear(batch) * torch.inf


@pytest.mark.parametrize("network, labels, error, words", [
    (Extent(2), WORDS, ValueError, r"3 classes, \['close', 'far', 'middling'\], for a Extent with 2 outputs"),
    (Extent(1), ["close"] * 3, ValueError, "two or more"),
    (Extent(3), WORDS[:2], ValueError, r"labels have shape \(2,\) for 3 items"),
    (Extent(3), [0.5, 1.5, 2.5], ValueError, "continuous"),
    (Silent(3), WORDS, ValueError, r"Silent gave scores of shape \(3, 1\) for 3 items; 3 an item"),
    (Endless(3), WORDS, FloatingPointError, "loss is"),
    (torch.nn.Linear(1, 1), WORDS, TypeError, "is a Linear; it must derive from"),
])
def test_what_cannot_be_learned_is_refused_in_words(network, labels, error, words, pairs):
    model = NetworkClassifier(network, Trainer(epochs=1))
    with pytest.raises(error, match=words):
        model.fit(pairs[0][:3], labels, progress=False)
    with pytest.raises(NotFittedError):
        model.predict(pairs[0])


def test_validation_may_not_hold_a_class_of_its_own(pairs):
    arrays, labels, _ = pairs
    with pytest.raises(ValueError, match=r"validation has classes \['huge'\] that training has not"):
        classifier().fit(arrays, labels, (arrays[:2], ["huge", "far"]), progress=False)
