"""A regressor of vectors and tensors made of a network: its constants and scale, scikit-learn's manners, the audit."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from ase import Atoms
from ase.build import molecule
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import cross_val_score

from course_lib.learning import GraphNetwork, NetworkPotential, NetworkRegressor, Trainer
from course_lib.symmetry import E3_INVARIANT, audit


class Charges(GraphNetwork):
    """Σ q_Z (x − mean), or Σ of q_Z times its outer square and of c_Z 1: enough for fixed charges, and nothing else."""

    def __init__(self, species=(1, 8), output="vector", shift=0.0):
        super().__init__(species, 3.0)
        self.output, self.shift = output, shift
        self.charges = torch.nn.Parameter(torch.randn(len(species)))
        self.constants = torch.nn.Parameter(torch.zeros(len(species)))

    @property
    def symmetry(self):
        return replace(E3_INVARIANT, output=self.output)

    def forward(self, batch):
        new = batch.positions.new_zeros
        centre = new(batch.n_structures, 3).index_add(0, batch.structure, batch.positions)
        x = batch.positions - (centre / batch.structure.bincount()[:, None])[batch.structure]
        q = self.charges[self.elements(batch)][:, None]
        if self.output == "vector":
            return self.shift + new(batch.n_structures, 3).index_add(0, batch.structure, q * x)
        squares = (q * x)[:, :, None] * x[:, None] + self.constants[self.elements(batch)][:, None, None] * torch.eye(3).to(x)
        return new(batch.n_structures, 3, 3).index_add(0, batch.structure, squares)


@pytest.fixture(scope="module")
def waters():
    """30 shaken molecules of water, every third with one H more; dipoles of charges and a tensor with a constant."""
    rng, frames = np.random.default_rng(0), []
    for number in range(30):
        atoms = molecule("H2O") + (Atoms() if number % 3 else Atoms("H", [[0, 0, 2.0]]))
        atoms.positions += rng.normal(scale=0.3, size=atoms.positions.shape)
        atoms.rotate(rng.uniform(0, 360), rng.normal(size=3))
        frames.append(atoms)
    x = [atoms.positions - atoms.positions.mean(axis=0) for atoms in frames]
    q = [np.where(atoms.numbers == 8, -0.8, 0.3) for atoms in frames]
    counts = np.array([[(atoms.numbers == z).sum() for z in (1, 8)] for atoms in frames])
    squares = np.array([np.einsum("i,ia,ib->ab", a, b, b) for a, b in zip(q, x, strict=True)])
    return frames, {"vector": np.array([a @ b for a, b in zip(q, x, strict=True)]),
                    "tensor": squares + (counts @ [0.5, 9.0])[:, None, None] * np.eye(3)}


def regressor(output="vector", epochs=60, **settings):
    return NetworkRegressor(Charges(output=output), Trainer(epochs=epochs, batch_size=15, learning_rate=0.2), **settings)


@pytest.fixture(scope="module")
def fitted(waters):
    frames, y = waters
    return {output: regressor(output, epochs=150, dtype="float64").fit(frames, y[output], progress=False) for output in y}


def test_it_learns_what_can_be_learned(fitted, waters):
    frames, y = waters
    assert fitted["vector"].score(frames, y["vector"]) > 0.999
    assert fitted["tensor"].score(frames, y["tensor"]) > 0.999
    assert fitted["tensor"].predict(frames).shape == (30, 3, 3)
    history = fitted["vector"].history_
    assert history["training loss"].iloc[-1] < 1e-3 * history["training loss"].iloc[0]


def test_errors_are_in_the_unit_of_the_labels(waters):
    frames, y = waters
    model = regressor(epochs=1, dtype="float64").fit(frames, 1000 * y["vector"], (frames, 1000 * y["vector"]), progress=False)
    expected = np.abs(model.predict(frames) - 1000 * y["vector"]).mean()
    assert model.history_["validation MAE"].iloc[0] == pytest.approx(expected, rel=1e-12)
    assert model.scale_ == pytest.approx(1000 * np.sqrt(np.mean(y["vector"] ** 2)))


def test_constants_of_tensors_are_isotropic_and_those_of_vectors_zero(fitted, waters):
    frames, y = waters
    assert fitted["vector"].constants_.tolist() == [0, 0]
    counts = np.array([[(atoms.numbers == z).sum() for z in (1, 8)] for atoms in frames])
    expected = np.linalg.lstsq(counts, np.trace(y["tensor"], axis1=1, axis2=2) / 3)[0]
    np.testing.assert_allclose(fitted["tensor"].constants_, expected)
    left = y["tensor"] - (counts @ expected)[:, None, None] * np.eye(3)
    assert fitted["tensor"].scale_ == pytest.approx(np.sqrt(np.mean(left**2)))


@pytest.mark.parametrize("output", ["vector", "tensor"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_it_keeps_the_symmetry_of_its_network(output, dtype, waters):
    frames, y = waters
    model = regressor(output, epochs=2, dtype=dtype).fit(frames, y[output], progress=False)
    assert model.symmetry.output == output and model.predict(frames).dtype == dtype
    table = audit(model, frames[:4])
    assert table.verdict.tolist() == ["kept"] * 4 + ["not tested: no frame can tell"], table


def test_a_network_that_adds_a_constant_vector_is_caught(waters):
    frames, y = waters
    model = regressor(epochs=1).set_params(network__shift=0.5).fit(frames, y["vector"], progress=False)
    assert audit(model, frames[:4]).set_index("element").verdict["proper rotation"] == "BROKEN"


def test_what_was_saved_predicts_the_same_bits(fitted, waters, tmp_path):
    frames, _ = waters
    for output, model in fitted.items():
        model.save(tmp_path / "model")
        loaded = NetworkRegressor.load(tmp_path / "model")
        assert np.array_equal(loaded.predict(frames), model.predict(frames)) and repr(loaded) == repr(model), output
    with pytest.raises(ValueError, match=r"holds a .*NetworkRegressor, not a NetworkPotential"):
        NetworkPotential.load(tmp_path / "model")


def test_an_interrupted_fit_goes_on_bit_for_bit(waters, tmp_path):
    frames, y = waters

    def stop(history):
        if len(history) == 3:
            raise KeyboardInterrupt

    whole = regressor(epochs=6).fit(frames, y["vector"], progress=False)
    with pytest.raises(KeyboardInterrupt):
        regressor(epochs=6).fit(frames, y["vector"], progress=stop, resume=tmp_path / "unfinished")
    resumed = regressor(epochs=6).fit(frames, y["vector"], progress=False, resume=tmp_path / "unfinished")
    assert np.array_equal(resumed.predict(frames), whole.predict(frames))


def test_scikit_learn_clones_and_crosses(waters):
    frames, y = waters
    scores = cross_val_score(regressor(), frames, y["vector"], cv=2, params={"progress": False})
    assert scores.min() > 0.99 and repr(clone(regressor())) == repr(regressor())


def test_warm_start_keeps_constants_and_scale(waters):
    frames, y = waters
    model = regressor(warm_start=True).fit(frames, y["vector"], progress=False)
    scale, before = model.scale_, model.history_["training loss"].iloc[-1]
    model.fit(frames[:10], 2 * y["vector"][:10], progress=False)
    assert model.scale_ == scale and before < 0.1


skew = np.tile(np.eye(3), (30, 1, 1))
skew[7, 0, 1] = 0.5


@pytest.mark.parametrize("output, y, words", [
    ("vector", np.zeros((29, 3)), "29 labels beside 30 frames"), ("vector", np.zeros((30, 2)), r"shape \(30, 2\)"),
    ("vector", np.zeros((30, 3, 3)), r"\(M, 3\)"), ("tensor", skew, "tensor 7 is not symmetric"),
    ("vector", np.full((30, 3), np.nan), "label 0 is not finite"),
    ("scalar", np.zeros((30, 3)), "output is a scalar learns neither vectors nor tensors; energies are learned by"),
])
def test_labels_without_meaning_are_refused_with_their_place(output, y, words, waters):
    with pytest.raises(ValueError, match=words):
        regressor(output, epochs=1).fit(waters[0], y, progress=False)


def test_strangers_and_haste_are_refused(waters):
    frames, y = waters
    with pytest.raises(NotFittedError):
        regressor().predict(frames)
    with pytest.raises(ValueError, match="does not know; its species are H, O"):
        regressor(epochs=1).fit([*frames[:-1], Atoms("C")], y["vector"], progress=False)
