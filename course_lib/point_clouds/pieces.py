"""Energies of many atoms piece by piece, so that memory does not grow with the cell.

Where E_i depends on nothing but the rows R_ij of atom i's own neighbours, the slopes ∂E_i/∂R_ij of a piece are found as soon
as its energies are, and kept in place of all that lay between, which is a hundred times as much. What a derivative asks for
later is then g_i ∂E_i/∂R_ij. No second derivative exists, so that training does not go this way.
"""

from collections.abc import Callable

import torch

Energies = Callable[[torch.Tensor, slice, slice], torch.Tensor]


class _InPieces(torch.autograd.Function):
    @staticmethod
    def forward(context, rows: torch.Tensor, receivers: torch.Tensor, energies: Energies, atoms: list[slice]) -> torch.Tensor:
        values, slopes = [], []
        ends = torch.searchsorted(receivers, torch.tensor([piece.stop for piece in atoms], device=receivers.device)).tolist()
        for piece, start, end in zip(atoms, [0, *ends], ends, strict=False):
            edges = slice(start, end)
            with torch.enable_grad():
                part = rows[edges].detach().requires_grad_(True)
                each = energies(part, piece, edges)
                slopes.append(torch.autograd.grad(each.sum(), part)[0])
            values.append(each.detach())
        context.save_for_backward(torch.cat(slopes), receivers)
        return torch.cat(values)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(context, weights: torch.Tensor):
        slopes, receivers = context.saved_tensors
        return slopes * weights[receivers, None], None, None, None


def in_pieces(energies: Energies, rows: torch.Tensor, receivers: torch.Tensor, N: int, most: int) -> torch.Tensor:
    """E (N,) of atoms, `most` at a time, once differentiable in `rows` (E, K) of edges whose `receivers` (E,) are in order.

    `energies(rows, atoms, edges)` gives those of the atoms of the slice `atoms`, from the rows of the slice `edges`. Raises
    ValueError for receivers that are not in order.
    """
    if (receivers.diff() < 0).any():
        raise ValueError("edges must be ordered by their receivers, as `neighbour_graphs` has them, to be taken in pieces")
    atoms = [slice(start, min(start + most, N)) for start in range(0, N, most)]
    return _InPieces.apply(rows, receivers, energies, atoms)
