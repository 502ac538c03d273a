"""What every network of this room promises: no order, no influence of the rest of the batch, and its own declared group."""

import numpy as np
import pytest
import torch
from ase import Atoms
from every_network import EXACT, NETWORKS
from sklearn.base import clone

from course_lib.learning import NetworkClassifier, Trainer
from course_lib.point_clouds import DeepSets
from course_lib.symmetry import audit

DTYPES = {torch.float64: 1e-12, torch.float32: 2e-4}


def ready(name, clouds, dtype=torch.float64):
    """Fresh weights, adapted to the clouds, in evaluation mode."""
    torch.manual_seed(0)
    network = (clone(NETWORKS[name]) if isinstance(name, str) else name).to(dtype)
    network.adapt([network.batch(network.prepare(clouds), dtype)])
    return network.eval()


@torch.no_grad()
def scores(network, clouds, dtype=torch.float64):
    return network(network.batch(network.prepare(clouds), dtype))


def largest_change(network, clouds, moved, dtype=torch.float64):
    before = scores(network, clouds, dtype)
    return ((scores(network, moved, dtype) - before).abs().max() / before.abs().max()).item()


def shuffled(clouds, seed=1):
    rng = np.random.default_rng(seed)
    return [rng.permutation(points) for points in clouds]


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("name", EXACT)
def test_the_order_of_points_does_not_matter(name, dtype, clouds):
    assert largest_change(ready(name, clouds, dtype), clouds, shuffled(clouds), dtype) < DTYPES[dtype]


class InOrder(DeepSets):
    """Weighs points by their place in the list: what must not happen."""

    def latent(self, sets):
        places = torch.arange(len(sets.sets)).to(sets.values)
        return sets.pool(super()._inputs(sets) @ sets.values.new_ones(3, self.phi[-1]) * places[:, None], "sum")


def test_a_network_that_weighs_points_by_their_place_is_caught(clouds):
    torch.manual_seed(0)
    assert largest_change(ready(InOrder(3, phi=(16,)), clouds), clouds, shuffled(clouds)) > 1e-2


@pytest.mark.parametrize("name", ["Janossy, sampled", "Janossy, recurrent"])
def test_a_few_random_orders_are_invariant_only_on_average(name, clouds):
    network = ready(name, clouds)
    assert not network.symmetry.permutation
    assert torch.equal(scores(network, clouds), scores(network, clouds))  # predictions repeat
    errors = [largest_change(ready(clone(network).set_params(samples=samples), clouds), clouds, shuffled(clouds))
              for samples in (3, 3000)]
    assert errors[0] > 1e-3 and errors[1] < errors[0] / 8  # 1/√1000 is 1/32


@pytest.mark.parametrize("name", NETWORKS)
def test_what_is_said_of_a_set_does_not_depend_on_the_others_in_its_batch(name, clouds):
    network = ready(name, clouds)
    alone = torch.cat([scores(network, [points]) for points in clouds])
    torch.testing.assert_close(alone, scores(network, clouds), rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", EXACT)
def test_gradients_in_the_points_are_slopes(name, clouds):
    network = ready(name, clouds)
    batch = network.batch(network.prepare(clouds), torch.float64)
    field = "positions" if hasattr(batch, "positions") else "values"
    points = getattr(batch, field).requires_grad_()
    (slopes,) = torch.autograd.grad(network(batch).square().sum(), points)
    assert slopes.isfinite().all()
    direction = torch.randn(points.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    values = []
    with torch.no_grad():
        for step in (-2e-5, -1e-5, 1e-5, 2e-5):
            points.add_(step * direction)
            values.append(network(batch).square().sum().item())
            points.sub_(step * direction)
    numeric = np.dot([1, -8, 8, -1], values) / 12e-5
    assert (slopes * direction).sum().item() == pytest.approx(numeric, rel=1e-6, abs=1e-7)


@pytest.mark.parametrize("name", NETWORKS)
def test_the_audit_finds_what_each_network_declares_and_nothing_more(name, clouds):
    frames = [Atoms(f"X{len(points)}", points) for points in clouds]
    network = clone(NETWORKS[name])
    classifier = NetworkClassifier(network, Trainer(epochs=3, batch_size=2, learning_rate=1e-2), dtype="float64")
    classifier.fit(frames, [0, 1, 2, 0, 1], progress=False)
    table = audit(classifier.predict_proba, frames, symmetry=classifier.symmetry)
    assert not (table.verdict == "BROKEN").any(), table
    told = table[table.verdict.isin(["kept", "not claimed", "kept, not claimed"])]
    assert len(told) == 4 and not (told.verdict == "kept, not claimed").any(), table


def test_rotations_are_kept_only_by_those_that_see_inner_products_or_distances():
    turn_as_they_like = {name for name, network in NETWORKS.items() if network.symmetry.rotation}
    assert turn_as_they_like == {"Deep Sets, radii", "Janossy, angles", "radial convolution"}


@pytest.mark.parametrize("name", NETWORKS)
def test_networks_are_cloned_and_shown_by_their_arguments(name):
    network = NETWORKS[name]
    assert repr(clone(network)) == repr(network)


@pytest.mark.parametrize("bad, error, words", [
    ([], ValueError, "empty"),
    (Atoms("X"), TypeError, r"write \[atoms\]"),
    ([Atoms("X"), Atoms("OH")], ValueError, "item 1, OH, has several elements"),
    ([Atoms("Cu", cell=[3, 3, 3], pbc=True)], ValueError, "item 0, Cu, is periodic"),
    ([np.zeros((2, 3)), np.zeros((2, 4))], ValueError, r"item 1 is of shape \(2, 4\).*row of 3 numbers"),
    ([np.zeros((0, 3))], ValueError, "one or more points"),
    ([np.zeros(3)], ValueError, r"item 0 is of shape \(3,\)"),
    ([[["a", "b", "c"]]], ValueError, "item 0"),
    ([np.zeros((2, 3)), [[0, 0, 0], [1, np.nan, 0]]], ValueError, "item 1, point 1 is not finite"),
])
def test_sets_without_meaning_are_refused_with_their_place(bad, error, words):
    with pytest.raises(error, match=words):
        DeepSets(2).prepare(bad)
