"""Checks of chapter 05: the size of a power spectrum, a kernel between atoms, stress from slopes, a GAP well chosen."""

from collections.abc import Callable

import numpy as np
from ase.build import bulk
from sklearn.base import clone

from course_lib.exercises.core import register, require
from course_lib.kernels import GAP, SOAP
from course_lib.learning import labels
from course_lib.structures import load


@register("05.1", "A channel is an element and a radial function, (a, n): 3 · 8 of them. How many (l, m) are there to l = 6?",
          "A feature is an unordered pair of channels, equal ones included, for each of the 7 degrees.")
def sizes(answer: tuple[int, int]) -> str:
    coefficients, features = answer
    require(coefficients != 168, "168 = 3 · 8 · 7 counts the degrees, but each degree l has 2l + 1 coefficients.")
    require(coefficients != 312, "312 = 3 · 8 · 13 are the coefficients of l = 6 alone; sum over all degrees.")
    require(coefficients == 1176, f"{coefficients} is not 3 elements times 8 radial functions times all (l, m).")
    require(features != 4032, "4032 = 24² · 7 counts each pair of different channels twice; their product is the same number.")
    require(features != 1512, "1512 takes elements and n as unordered pairs one by one; but with C and O, (C 1, O 2) and "
                              "(C 2, O 1) are two different features.")
    require(features != 2688, "2688 takes all 64 pairs (n, n′) within one element too, where n, n′ and n′, n are the same.")
    require(features != 1800, "1800 has six degrees; l = 0 is a degree too.")
    require(features != 756, "756 are the pairs within one element; pairs of two elements are features as well.")
    require(features == 2100, f"24 channels do not have {features} unordered pairs for each of 7 degrees.")
    return "1176 that turn, 24 · 25 / 2 · 7 = 2100 that do not."


@register("05.2", "Divide every row by its own length, then multiply with all other rows.",
          "numbers[:, None] == others is the table of who is of the same element as whom.")
def atom_kernel(answer: Callable) -> str:
    rng = np.random.default_rng(52)
    p, q = rng.uniform(0.1, 1, (5, 7)), rng.uniform(0.1, 1, (4, 7))
    numbers, others = np.array([1, 6, 6, 1, 8]), np.array([6, 1, 6, 8])
    like = numbers[:, None] == others
    unit, unit_q = (f / np.linalg.norm(f, axis=1, keepdims=True) for f in (p, q))
    right = (unit @ unit_q.T) ** 3 * like
    found = np.asarray(answer(p, numbers, q, others, 3))
    require(found.shape == (5, 4), f"for 5 and 4 atoms your kernel has shape {found.shape}, it must be (5, 4).")
    require(not np.allclose(found, (unit @ unit_q.T) ** 3), "atoms of different elements are compared; their kernel is zero.")
    require(not np.allclose(found, (p @ q.T) ** 3 * like), "the features are not normalised: doubling those of an atom "
                                                           "changes your kernel.")
    whole = (p / np.linalg.norm(p)) @ (q / np.linalg.norm(q)).T
    require(not np.allclose(found, whole**3 * like), "the whole array is divided by one length; each atom, a row, has its own.")
    require(not np.allclose(found, (unit @ unit_q.T) * like), "the power zeta is missing.")
    require(not np.allclose(found, (unit**3 @ (unit_q**3).T) * like), "raise the dot product to the power, not the features.")
    require(np.allclose(found, right), f"the kernel of the first two carbons should be {right[1, 0]:.3f}, yours is "
                                       f"{found[1, 0]:.3f}.")
    require(np.allclose(answer(p, numbers, q, others, 2), (unit @ unit_q.T) ** 2 * like),
            "for zeta = 3 it is right, for zeta = 2 it is not: use the zeta that is given.")
    return "Positive semidefinite: an average of squares over all rotations, made sharp."


@register("05.3", "dE/dε_xy = Σ over pairs (∂E/∂r)_x r_y; what is ∂E/∂r of a pair in terms of values and g of its centre?",
          "Divide by the volume. No minus sign: energy that rises on stretching is positive stress.")
def stress(answer: Callable) -> str:
    atoms = bulk("SiC", "zincblende", a=4.5)
    atoms.positions[1] += [0.2, -0.1, 0.15]
    atoms.set_cell(atoms.cell[:] @ [[1.03, 0.02, 0], [0, 0.98, 0.01], [0, 0, 1]], scale_atoms=True)
    soap = SOAP(4.5, 3, 2).fit([atoms])
    slopes, volume = soap.derivatives([atoms]), atoms.cell.volume
    g = np.random.default_rng(53).normal(size=(2, slopes.values.shape[-1]))
    pull = np.einsum("pxf,pf->px", slopes.values, g[slopes.centres])
    right = np.einsum("px,py->xy", pull, slopes.vectors) / volume
    found = np.asarray(answer(slopes.centres, slopes.vectors, slopes.values, g, volume))
    require(found.shape == (3, 3), f"the stress has shape (3, 3), yours {found.shape}.")
    require(not np.allclose(found, -right), "the sign is the other one: forces are minus the slope, stress is the slope.")
    require(not np.allclose(found, right * volume), "this is the virial dE/dε, in eV; divide by the volume.")
    require(not np.allclose(found, right / 2), "pairs are ordered: i sees j and j sees i, two different slopes; no factor ½.")
    swapped = np.einsum("pxf,pf->xp", slopes.values, g[1 - slopes.centres]) @ slopes.vectors / volume
    require(not np.allclose(found, swapped), "g belongs to the centre, whose features change, not to the neighbour.")
    summed = np.einsum("pxf,pf->px", slopes.values, np.broadcast_to(g.sum(axis=0), (len(pull), g.shape[1])))
    require(not np.allclose(found, summed.T @ slopes.vectors / volume),
            "each pair takes g of its own centre, g[centres]; yours adds up all centres.")
    require(np.allclose(found, right), "not the slope of the energy under strain: compare with a finite difference.")
    return "Symmetric, as it must be: turning the crystal costs nothing."


@register("05.4", "Three settings matter most: SOAP's width and cutoff, and the power zeta. Change one at a time.",
          "Hydrogens move by a tenth of an Å: try a width of 0.3 Å. Which neighbours make most of a force?")
def chosen(answer: GAP) -> str:
    require(isinstance(answer, GAP), f"give a GAP(SOAP(…), …), not a {type(answer).__name__}.")
    model, soap = clone(answer), answer.descriptor
    require(soap is not None and isinstance(soap, SOAP), "give the GAP a SOAP of your choice: its default is for any material.")
    require(isinstance(model.selection, str) and model.n_sparse <= 100, "at most 100 sparse points an element, chosen by the "
                                                                        "model itself: more points are another game.")
    require(soap.n_max <= 10 and soap.l_max <= 8, "keep n_max ≤ 10 and l_max ≤ 8; this can be done with fewer.")
    require(soap.cutoff > 2.2, f"within {soap.cutoff:g} Å a hydrogen does not see the other hydrogens of its group well: "
                               "the angles between bonds are lost.")
    require(soap.width < 0.5, f"Gaussians {soap.width:g} Å wide blur what moves by a tenth of an Å.")
    data = load("ethanol")
    test = data.test[::8]
    said = model.fit(data.train[::20], progress=False).predict(test)
    error = np.sqrt(np.mean((np.concatenate(said.forces) - np.concatenate(labels(test).forces)) ** 2))
    require(error < 0.15, f"{error:.3f} eV/Å on the test frames, not below 0.15.")
    return f"{error:.2f} eV/Å on test frames, from forty."
