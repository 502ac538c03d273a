"""Janossy pooling against the average over all permutations, written as a loop."""

from itertools import permutations

import numpy as np
import pytest
import torch

from course_lib.point_clouds import JanossyPooling, PointSets


def network(k, clouds, **options):
    torch.manual_seed(0)
    net = JanossyPooling(2, k=k, phi=(8, 8), rho=(8,), **options).double()
    net.adapt([net.batch(clouds, torch.float64)])
    return net.eval()


@pytest.mark.parametrize("seen", ["coordinates", "inner products"])
@pytest.mark.parametrize("k, n", [(1, 4), (2, 4), (3, 5), (3, 3), (4, 4)])
def test_it_is_the_average_over_the_symmetric_group(k, n, seen):
    rng = np.random.default_rng(k + n)
    clouds = [rng.normal(size=(n, 3)) for _ in range(2)]
    net = network(k, clouds, seen=seen)
    for points in clouds:
        terms = []
        for order in permutations(range(n)):  # f⃗ of the first k of all n! orders
            x = torch.from_numpy(points[list(order)][:k])
            flat = x.flatten() if seen == "coordinates" else (x @ x.T)[tuple(torch.triu_indices(k, k))]
            terms.append(net.ordered(net.standardised(flat)))
        expected = torch.stack(terms).mean(dim=0)
        torch.testing.assert_close(net.latent(net.batch([points], torch.float64))[0], expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("k", [1, 2, 3])
def test_tuples_are_all_ordered_choices_of_different_points_of_one_set(k):
    sets = PointSets(torch.zeros(9, 1), torch.tensor([0] * 4 + [1] * 5), 2)
    expected = [*permutations(range(4), k), *permutations(range(4, 9), k)]
    assert sorted(map(tuple, sets.tuples(k).tolist())) == sorted(expected)
    assert sets.sets[sets.tuples(k)[:, 0]].diff().min() >= 0


def test_random_orders_stay_within_their_set_and_choose_evenly():
    sets = PointSets(torch.zeros(7, 1), torch.tensor([0] * 3 + [1] * 4), 2)
    torch.manual_seed(0)
    orders = sets.orders(6000)
    assert torch.equal(orders.sort(dim=1).values, torch.arange(7).expand(6000, 7))
    assert (orders[:, :3] < 3).all()
    _, counts = orders[:, :3].unique(dim=0, return_counts=True)
    assert len(counts) == 6 and (counts - 1000).abs().max() < 5 * 1000**0.5
    _, pairs = sets.sampled_tuples(2, 6000).unique(dim=0, return_counts=True)
    assert len(pairs) == 6 + 12 and (pairs[6:] - 500).abs().max() < 5 * 500**0.5


@pytest.mark.parametrize("k", [2, None])
def test_training_draws_anew_and_follows_the_seed(k, clouds):
    net = network(k, clouds, samples=2).train()
    batch = net.batch(clouds, torch.float64)
    draws = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        draws.append(net(batch))
    assert torch.equal(draws[0], draws[1]) and not torch.equal(draws[0], draws[2])


def test_the_recurrent_network_reads_each_set_to_its_own_end():
    """Packed and padded sequences are those of a loop over sets and orders."""
    rng = np.random.default_rng(0)
    clouds = [rng.normal(size=(n, 3)) for n in (2, 5, 3)]
    net = network(None, clouds, samples=4)
    batch = net.batch(clouds, torch.float64)
    inputs, owners = net._inputs(batch)
    inputs = net.standardised(inputs)
    expected = torch.stack([torch.stack([net.ordered(inputs[owners == s * 3 + m][None])[1][0, 0] for s in range(4)]).mean(dim=0)
                            for m in range(3)])
    torch.testing.assert_close(net.latent(batch), expected, rtol=0, atol=1e-12)


def test_angles_tell_apart_what_radii_cannot():
    """Three unit vectors: at right angles, or in a plane at 120 degrees."""
    clouds = [np.eye(3), np.array([[np.cos(t), np.sin(t), 0] for t in 2 * np.pi / 3 * np.arange(3)])]
    by_k = {}
    for k in (1, 2):
        net = network(k, clouds, seen="inner products")
        said = net(net.batch(clouds, torch.float64))
        by_k[k] = (said[0] - said[1]).abs().max().item()
    assert by_k[1] < 1e-12 < 1e-3 < by_k[2]


@pytest.mark.parametrize("settings", [{"k": None}, {"k": 0}, {"k": 2, "samples": 0}])
def test_settings_without_meaning_are_refused(settings):
    with pytest.raises(ValueError, match="count from 1"):
        JanossyPooling(2, **settings)


@pytest.mark.parametrize("samples", [None, 2])
def test_a_set_smaller_than_k_is_refused_by_its_number(samples, clouds):
    net = JanossyPooling(2, k=4, samples=samples)
    with pytest.raises(ValueError, match="set 2 of the batch has 3 points, too few to choose k = 4"):
        net(net.batch(clouds))
