"""Set Transformer: every point asks every other, and what it hears is a sum weighted by attention.

    MAB(X, Y)   = norm(H + rFF(H)),  H = norm(X + Multihead(X, Y, Y))
    SAB(X)      = MAB(X, X)
    ISAB_m(X)   = MAB(X, MAB(I, X))   with m learned points I: n m instead of n² answers
    PMA_k(X)    = MAB(S, rFF(X))      with k learned seeds S: pooling

Lee, Lee, Kim, Kosiorek, Choi & Teh, ICML 2019 (arXiv 1810.00825). Multihead is PyTorch's. SAB and ISAB are equivariant under
permutations of X, PMA is invariant.
"""

from collections.abc import Iterable

import torch

from course_lib.point_clouds.point_sets import PointSets, SetNetwork, Standardised, mlp


class MAB(torch.nn.Module):
    """Multihead attention block of `width` channels: x (M, n, c) asks y (M, l, c), but not its rows `absent` (M, l)."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.attention = torch.nn.MultiheadAttention(width, heads, batch_first=True)
        self.feed_forward = torch.nn.Sequential(torch.nn.Linear(width, width), torch.nn.ReLU())
        self.first, self.second = torch.nn.LayerNorm(width), torch.nn.LayerNorm(width)

    def forward(self, x: torch.Tensor, y: torch.Tensor, absent: torch.Tensor | None = None) -> torch.Tensor:
        h = self.first(x + self.attention(x, y, y, key_padding_mask=absent, need_weights=False)[0])
        return self.second(h + self.feed_forward(h))


class SAB(torch.nn.Module):
    """Set attention block: x (M, n, c) asks itself."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.block = MAB(width, heads)

    def forward(self, x: torch.Tensor, absent: torch.Tensor | None = None) -> torch.Tensor:
        return self.block(x, x, absent)


class ISAB(torch.nn.Module):
    """Induced set attention block: `m` learned points ask x (M, n, c), and x asks them."""

    def __init__(self, width: int, heads: int, m: int) -> None:
        super().__init__()
        self.points = torch.nn.Parameter(torch.empty(m, width))
        torch.nn.init.xavier_uniform_(self.points)
        self.inducing, self.answering = MAB(width, heads), MAB(width, heads)

    def forward(self, x: torch.Tensor, absent: torch.Tensor | None = None) -> torch.Tensor:
        return self.answering(x, self.inducing(self.points.expand(len(x), -1, -1), x, absent))


class PMA(torch.nn.Module):
    """Pooling by attention: `k` learned seeds ask x (M, n, c), and get (M, k, c)."""

    def __init__(self, width: int, heads: int, k: int) -> None:
        super().__init__()
        self.seeds = torch.nn.Parameter(torch.empty(k, width))
        torch.nn.init.xavier_uniform_(self.seeds)
        self.feed_forward = torch.nn.Sequential(torch.nn.Linear(width, width), torch.nn.ReLU())
        self.block = MAB(width, heads)

    def forward(self, x: torch.Tensor, absent: torch.Tensor | None = None) -> torch.Tensor:
        return self.block(self.seeds.expand(len(x), -1, -1), self.feed_forward(x), absent)


class SetTransformer(SetNetwork):
    """rFF(SAB(PMA_k(encoder(rFF(X))))), of sets of any size; smaller sets of a batch are padded and masked.

    outputs: numbers a set
    dimension: d, numbers a point
    width, heads: channels, and how many attentions share them
    blocks: encoder blocks
    inducing: m of an ISAB; None takes SABs, which cost n² a set
    seeds: k of the pooling
    sharpness: as for `DeepSets`
    """

    def __init__(self, outputs: int, dimension: int = 3, width: int = 64, heads: int = 4, blocks: int = 2,
                 inducing: int | None = 16, seeds: int = 1, sharpness: float = 4.0) -> None:
        super().__init__(outputs, dimension)
        self.width, self.heads, self.blocks, self.inducing = width, heads, blocks, inducing
        self.seeds, self.sharpness = seeds, sharpness
        if width % heads:
            raise ValueError(f"{heads} heads cannot share {width} channels equally; take a multiple")
        self.standardised, self.embedding = Standardised(dimension, sharpness), mlp(dimension, width, width)
        self.encoder = torch.nn.ModuleList(
            SAB(width, heads) if inducing is None else ISAB(width, heads, inducing) for _ in range(blocks))
        self.pooling, self.decoder = PMA(width, heads, seeds), SAB(width, heads)
        self.readout = mlp(seeds * width, width, outputs)

    def adapt(self, batches: Iterable[PointSets]) -> None:
        """Set the means and widths of the coordinates."""
        self.standardised.learn(sets.values for sets in batches)

    def forward(self, sets: PointSets) -> torch.Tensor:
        x, absent = sets.padded(self.embedding(self.standardised(sets.values)))
        for block in self.encoder:
            x = block(x, absent)
        return self.readout(self.decoder(self.pooling(x, absent)).flatten(1))
