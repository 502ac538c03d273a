"""PointNet: what a maximum sees, and what learned alignment does not promise."""

import numpy as np
import pytest
import torch

from course_lib.learning import NetworkClassifier, Trainer
from course_lib.point_clouds import DeepSets, PointNet
from course_lib.symmetry.groups import random_rotations

SMALL = {"local": (8, 8), "deep": (16, 16), "head": (16,)}


def said(network, *arrays):
    with torch.no_grad():
        return network.double().eval()(network.batch(network.prepare(list(arrays)), torch.float64))


def test_a_maximum_cannot_count_and_a_sum_can():
    torch.manual_seed(0)
    one, two = np.array([[1.0], [1], [2]]), np.array([[1.0], [2], [2]])
    scores = said(PointNet(1, 1, **SMALL), one, two)
    assert (scores[0] - scores[1]).abs() < 1e-14
    scores = said(DeepSets(1, 1), one, two)
    assert (scores[0] - scores[1]).abs() > 1e-4


def test_only_critical_points_matter():
    """Of any set, at most as many points as features decide; what lies under their maxima can be taken away."""
    torch.manual_seed(0)
    network = PointNet(4, align_points=False, align_features=False, **SMALL).double()
    points = np.random.default_rng(0).normal(size=(99, 3))
    features = network.far(torch.nn.functional.silu(network.near(torch.from_numpy(points))))
    critical = features.argmax(dim=0).unique().numpy()
    assert len(critical) <= 16
    torch.testing.assert_close(said(network, points), said(network, points[critical]), rtol=0, atol=1e-12)


def test_alignment_begins_as_the_identity_and_turns_every_point_of_a_set_alike(clouds):
    torch.manual_seed(0)
    aligned = PointNet(3, **SMALL).double()
    bare = PointNet(3, align_points=False, align_features=False, **SMALL).double()
    bare.load_state_dict({k: v for k, v in aligned.state_dict().items() if "alignment" not in k})
    torch.testing.assert_close(said(aligned, *clouds), said(bare, *clouds))
    assert (aligned.penalty == 0).all()
    turn = torch.from_numpy(random_rotations(1, np.random.default_rng(0))[0])
    with torch.no_grad():
        aligned.point_alignment.matrix[-1].bias.copy_(turn.flatten())
    torch.testing.assert_close(said(aligned, *clouds), said(bare, *(points @ turn.numpy().T for points in clouds)))


def test_what_is_not_orthogonal_is_penalised(clouds):
    network = PointNet(2, orthogonality=0.1, **SMALL).double()
    with torch.no_grad():
        network.feature_alignment.matrix[-1].bias.copy_(2 * torch.eye(8).flatten())
    said(network, *clouds)
    torch.testing.assert_close(network.penalty, torch.full((5,), 0.1 * 9 * 8, dtype=torch.float64))
    fits = [NetworkClassifier(PointNet(2, orthogonality=weight, **SMALL), Trainer(epochs=20, batch_size=5, learning_rate=1e-2))
            .fit(clouds, [0, 1, 0, 1, 0], progress=False) for weight in (0.0, 10.0)]
    for fit in fits:
        fit.network_.orthogonality = 1.0
        fit.predict(clouds)
    assert fits[1].network_.penalty.mean() < 0.3 * fits[0].network_.penalty.mean()


def test_learned_alignment_is_no_invariance(clouds):
    """Trained upright, the T-nets do not turn a turned cloud back."""
    model = NetworkClassifier(PointNet(2, **SMALL), Trainer(epochs=30, batch_size=5, learning_rate=1e-2), dtype="float64")
    model.fit(clouds, [0, 1, 0, 1, 0], progress=False)
    turned = [points @ random_rotations(1, np.random.default_rng(0))[0].T for points in clouds]
    assert np.abs(model.predict_proba(turned) - model.predict_proba(clouds)).max() > 1e-2


def test_the_defaults_are_the_papers():
    network = PointNet(40)
    assert sum(p.numel() for p in network.parameters()) == pytest.approx(3.5e6, rel=0.02)
