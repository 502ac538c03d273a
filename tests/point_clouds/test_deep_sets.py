"""Linear maps that commute with permutations, and what a sum can and cannot hold."""

from functools import reduce
from itertools import permutations, product

import numpy as np
import pytest
import torch
from scipy.optimize import brentq

from course_lib.point_clouds import DeepSets, EquivariantSetLayer, PointSets


def commutant_dimension(n, k_in, k_out):
    """Of linear maps L of k_in-tensors to k_out-tensors of n points, those with L P = P L for two P that generate S_n."""
    conditions = []
    for order in (np.roll(np.arange(n), 1), np.r_[1, 0, 2:n]):
        P_in, P_out = (reduce(np.kron, [np.eye(n)[order]] * k, np.eye(1)) for k in (k_in, k_out))
        conditions.append(np.kron(np.eye(len(P_out)), P_in.T) - np.kron(P_out, np.eye(len(P_in))))
    equations = np.vstack(conditions)
    return equations.shape[1] - np.linalg.matrix_rank(equations)


@pytest.mark.parametrize("n, k_in, k_out, bell", [(3, 1, 1, 2), (5, 1, 1, 2), (3, 1, 0, 1), (3, 1, 2, 5), (4, 2, 2, 15)])
def test_linear_equivariant_maps_are_counted_by_bell_numbers(n, k_in, k_out, bell):
    assert commutant_dimension(n, k_in, k_out) == bell


def test_fewer_points_than_indices_admit_fewer_maps():
    assert commutant_dimension(3, 2, 2) == 14  # of the 15 partitions of four indices the one into four blocks has no place


def test_the_equivariant_layer_is_the_whole_commutant():
    """λ 1 + γ 11ᵀ: as a matrix it is those two, and any such matrix is a layer."""
    layer, sets = EquivariantSetLayer(1, 1, "sum").double(), PointSets(torch.eye(4).double(), torch.zeros(4).long(), 1)
    with torch.no_grad():
        matrix = torch.cat([layer(sets, column[:, None]) - layer.own.bias for column in torch.eye(4).double()], dim=1)
        expected = layer.own.weight * torch.eye(4) + layer.all.weight * torch.ones(4, 4)
    torch.testing.assert_close(matrix, expected.double())


@pytest.mark.parametrize("pooling", ["sum", "mean", "max"])
def test_the_layer_turns_permuted_sets_into_permuted_sets(pooling):
    torch.manual_seed(0)
    values, sets = torch.randn(9, 3, dtype=torch.float64), torch.tensor([0] * 4 + [1] * 5)
    layer = EquivariantSetLayer(3, 6, pooling).double()
    order = torch.tensor([2, 0, 3, 1, 8, 4, 5, 7, 6])
    said = layer(PointSets(values, sets, 2), values)
    moved = layer(PointSets(values[order], sets, 2), values[order])
    torch.testing.assert_close(moved, said[order], rtol=0, atol=1e-13)
    assert (moved - said).abs().max() > 0.1


def said(network, *lists):
    arrays = [np.array(points, dtype=float)[:, None] for points in lists]
    with torch.no_grad():
        return network.double().eval()(network.batch(network.prepare(arrays), torch.float64))


def test_a_maximum_and_a_mean_hide_counts_and_a_sum_keeps_them():
    torch.manual_seed(0)
    gaps = {pooling: said(DeepSets(1, 1, pooling=pooling), [1, 1, 2], [1, 2, 2], [1, 1, 2, 1, 1, 2]) for pooling in
            ("max", "mean", "sum")}
    assert (gaps["max"] - gaps["max"][0]).abs().max() < 1e-14
    assert (gaps["mean"][0] - gaps["mean"][2]).abs() < 1e-14 < 1e-6 < (gaps["mean"][0] - gaps["mean"][1]).abs()
    assert torch.pdist(gaps["sum"]).min() > 1e-6


@pytest.mark.parametrize("phi", [np.square, np.exp, lambda x: np.sin(3 * x), lambda x: x**3 - x])
def test_one_latent_dimension_confuses_two_sets_whatever_continuous_phi_is(phi):
    """Wagstaff et al. 2019: of sets {a, b} with the same φ(a) + φ(b) there are always two with different maxima.

    By the intermediate value theorem; so ρ(φ(a) + φ(b)) cannot be the maximum.
    """
    def partner(a, total):
        grid = np.linspace(-2, 2, 4001)
        gaps = phi(grid) + phi(a) - total
        places = np.flatnonzero(gaps[:-1] * gaps[1:] <= 0)
        return [brentq(lambda x: phi(x) + phi(a) - total, grid[i], grid[i + 1]) for i in places]

    a, b = 0.3, 0.7
    total = phi(a) + phi(b)
    confused = [(c, d) for c in np.linspace(-0.5, 1, 61) for d in partner(c, total) if abs(max(c, d) - max(a, b)) > 0.05]
    assert confused and all(phi(c) + phi(d) == pytest.approx(total, abs=1e-9) for c, d in confused)


def test_power_sums_of_as_many_degrees_as_points_tell_sets_apart():
    """The other half of the theorem: latent dimension n is enough, by Newton's identities."""
    grid = np.linspace(0, 1, 6)
    sums = {}
    for points in product(grid, repeat=3):
        key = tuple(np.round([np.sum(np.power(points, d)) for d in (1, 2, 3)], 9))
        sums.setdefault(key, set()).add(tuple(sorted(points)))
    assert all(len(sets) == 1 for sets in sums.values())
    fewer = {}
    for points in product(np.arange(0, 8), repeat=3):
        fewer.setdefault((sum(points), sum(x * x for x in points)), set()).add(tuple(sorted(points)))
    assert max(map(len, fewer.values())) > 1  # two power sums confuse some sets of three, {0, 4, 5} and {1, 2, 6}


def test_deep_sets_is_what_its_formula_says(clouds):
    torch.manual_seed(1)
    network = DeepSets(2, phi=(8, 8), rho=(8,)).double()
    network.adapt([network.batch(network.prepare(clouds), torch.float64)])
    with torch.no_grad():
        for points in clouds:
            total = 0
            for x in 4 * (torch.from_numpy(points) - network.standardised.mean) / network.standardised.width:
                for layer in network.layers:
                    x = torch.nn.functional.silu(layer(x))
                total = total + x
            expected = network.readout((total - network.pooled.mean) / network.pooled.width)
            torch.testing.assert_close(network(network.batch([points], torch.float64))[0], expected)


def test_unknown_options_are_named():
    with pytest.raises(ValueError, match="pooling is 'median'"):
        DeepSets(2, pooling="median")
    with pytest.raises(ValueError, match="seen is 'distances'"):
        DeepSets(2, seen="distances")


def test_inner_products_forget_everything_but_the_radius_of_a_point():
    torch.manual_seed(0)
    network = DeepSets(1, seen="inner products").double().eval()
    same_radii = [np.array([[1.0, 0, 0], [0, 2, 0]]), np.array([[0, 0.6, 0.8], [0, -1.2, -1.6]])]
    out = network(network.batch(same_radii, torch.float64))
    assert out[0].item() == pytest.approx(out[1].item(), abs=1e-13)


def test_permutations_of_a_set_are_all_tried():
    torch.manual_seed(0)
    network, points = DeepSets(1, 1), [0.1, 0.5, 0.9, 0.2]
    values = said(network, *permutations(points))
    assert values.std() < 1e-14
