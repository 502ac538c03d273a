"""Attention blocks: their equations written out, their symmetry, and masks that let no padding through."""

import numpy as np
import pytest
import torch

from course_lib.point_clouds import SetTransformer
from course_lib.point_clouds.set_transformer import ISAB, MAB, PMA, SAB


def norm(x, layer):
    return torch.nn.functional.layer_norm(x, x.shape[-1:], layer.weight, layer.bias)


def multihead(x, y, layer):
    """Softmax((x W_Q)(y W_K)ᵀ/√d) (y W_V), heads side by side, then W_O; from PyTorch's weights, in a loop."""
    (wq, wk, wv), (bq, bk, bv) = layer.in_proj_weight.chunk(3), layer.in_proj_bias.chunk(3)
    q, k, v = x @ wq.T + bq, y @ wk.T + bk, y @ wv.T + bv
    heads = []
    for a, b, c in zip(q.chunk(layer.num_heads, -1), k.chunk(layer.num_heads, -1), v.chunk(layer.num_heads, -1), strict=True):
        heads.append(torch.softmax(a @ b.mT / a.shape[-1] ** 0.5, dim=-1) @ c)
    return torch.cat(heads, dim=-1) @ layer.out_proj.weight.T + layer.out_proj.bias


def mab(x, y, block):
    h = norm(x + multihead(x, y, block.attention), block.first)
    return norm(h + block.feed_forward(h), block.second)


@pytest.fixture(autouse=True)
def double():
    torch.manual_seed(0)
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def test_blocks_are_what_the_paper_writes():
    x, y = torch.randn(2, 5, 8), torch.randn(2, 7, 8)
    block = MAB(8, 2)
    torch.testing.assert_close(block(x, y), mab(x, y, block))
    induced = ISAB(8, 2, 3)
    expected = mab(x, mab(induced.points.expand(2, -1, -1), x, induced.inducing), induced.answering)
    torch.testing.assert_close(induced(x), expected)
    pooling = PMA(8, 2, 4)
    torch.testing.assert_close(pooling(x), mab(pooling.seeds.expand(2, -1, -1), pooling.feed_forward(x), pooling.block))


@pytest.mark.parametrize("block", [SAB(8, 2), ISAB(8, 2, 3)], ids=["SAB", "ISAB"])
def test_attention_blocks_are_equivariant(block):
    block, x, order = block.double(), torch.randn(2, 6, 8), torch.tensor([3, 0, 5, 1, 4, 2])
    torch.testing.assert_close(block(x[:, order]), block(x)[:, order], rtol=0, atol=1e-13)
    assert (block(x[:, order]) - block(x)).abs().max() > 0.1


def test_pooling_by_attention_is_invariant():
    block, x = PMA(8, 2, 3), torch.randn(2, 6, 8)
    torch.testing.assert_close(block(x[:, [3, 0, 5, 1, 4, 2]]), block(x), rtol=0, atol=1e-13)


@pytest.mark.parametrize("block", [SAB(8, 2), ISAB(8, 2, 3), PMA(8, 2, 3)], ids=["SAB", "ISAB", "PMA"])
def test_what_stands_in_padded_rows_does_not_matter(block):
    block, x = block.double(), torch.randn(1, 6, 8)
    absent = torch.arange(6)[None] >= 4
    padded = [block(torch.where(absent[..., None], junk, x), absent) for junk in (0.0, 1e6)]
    rows = min(4, padded[0].shape[1])
    torch.testing.assert_close(padded[0][:, :rows], padded[1][:, :rows], rtol=0, atol=1e-12)
    torch.testing.assert_close(padded[0][:, :rows], block(x[:, :4])[:, :rows], rtol=0, atol=1e-12)
    unmasked = [block(torch.where(absent[..., None], junk, x)) for junk in (0.0, 1.0)]
    assert (unmasked[0][:, :rows] - unmasked[1][:, :rows]).abs().max() > 1e-2  # without the mask it would


@pytest.mark.parametrize("inducing", [None, 4])
def test_padding_by_a_large_set_does_not_change_a_small_one(inducing):
    rng = np.random.default_rng(0)
    small, large = rng.normal(size=(3, 3)), rng.normal(size=(50, 3))
    network = SetTransformer(2, width=8, heads=2, inducing=inducing).eval()
    alone, together = network(network.batch([small])), network(network.batch([small, large]))
    torch.testing.assert_close(together[:1], alone, rtol=0, atol=1e-13)


def test_heads_that_cannot_share_the_channels_are_refused():
    with pytest.raises(ValueError, match="3 heads cannot share 64 channels"):
        SetTransformer(2, heads=3)
