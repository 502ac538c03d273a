"""Checks of chapter 17: a sigmoid's ends, farthest points of a kernel, calibrated error bars, forty questions at once."""

from collections.abc import Callable
from functools import cache

import numpy as np
from ase import Atoms
from ase.calculators.emt import EMT

from course_lib.exercises.core import register, require
from course_lib.kernels import RBF, SOAP
from course_lib.structures import load

ASKED = 40


@register("17.1", "At r = σ the bracket is 2^(a/b). For small u, (1 + u)^(−b/a) ≈ 1 − (b/a) u.",
          "Far away the 1 in the bracket is negligible, and a power of a power is left.")
def sigmoid_facts(answer: tuple[float, float, float]) -> str:
    require(np.size(answer) == 3, f"three numbers are asked for, not {np.size(answer)}.")
    at_sigma, near, far = (float(number) for number in answer)
    require(not np.isclose(at_sigma, 1 - 2 ** (-1 / 3)), "at σ the bracket is 1 + 2^(a/b) − 1 = 2³, and its power is −1/3: the "
                                                         "prefactor is there to make this one half whatever a and b.")
    require(np.isclose(at_sigma, 0.5), f"s(σ) is not {at_sigma:g}: put r = σ into the formula.")
    require((near, far) != (2, 6), "near and far are exchanged: it is a that rules near zero, b far away.")
    require(near != 5, "5 is the power of the slope s′; s itself rises one power faster.")
    require(near == 6, f"near zero s does not rise as r to the power {near:g}: expand the bracket for small r.")
    require(far != -2, "1 − s falls with the power 2 of 1/r, which is r to the power −2: give the power of 1/r.")
    require(far != 6, "the bracket grows as r⁶, but it is raised to the power −b/a = −1/3.")
    require(far == 2, f"far away 1 − s does not fall as 1/r to the power {far:g}: leave out the 1 in the bracket.")
    return "½, r⁶, r⁻²: a makes heat vanish, b says how soon far is far."


@register("17.2", "The distances to one row need K[row], K.diagonal() and K[row, row].",
          "Keep, for every row, the smallest distance to any that is chosen; np.minimum brings it up to date.")
def kernel_farthest(answer: Callable) -> str:
    rng = np.random.default_rng(172)
    phi = rng.normal(size=(60, 5)) * rng.uniform(0.3, 3, size=(60, 1))
    K = phi @ phi.T
    found = np.asarray(answer(K.copy(), 8))
    require(found.shape == (8,), f"8 rows are asked for; your result has shape {found.shape}.")
    require(found.dtype.kind in "iu", f"rows are whole numbers, yours are {found.dtype}.")
    require(len(set(found.tolist())) == 8, f"row {max(found.tolist(), key=found.tolist().count)} is chosen more than once: the "
                                           "farthest from the last one goes to and fro; remember all that are chosen.")
    require(found[0] == 0, f"the first row shall be 0, yours is {found[0]}.")
    squares = K.diagonal()[:, None] + K.diagonal() - 2 * K
    for table, how, reason in [
        (squares, np.max, "each was the farthest from some chosen row, not from its nearest one: take the minimum."),
        (squares, np.sum, "the sum of distances to the chosen goes for the rim twice; take the smallest of them."),
        (-K, np.min, "the least alike by k alone is not the farthest: without the diagonal, long vectors are forgotten."),
        (2 - 2 * K, np.min, "the diagonal is not 1 here: d² = k(A,A) + k(B,B) − 2k(A,B)."),
    ]:
        require(not np.array_equal(found, _greedy(table, how, 8)), reason)
    right = _greedy(squares, np.min, 8)
    require(np.array_equal(found, right), f"the rows should be {right.tolist()}, yours are {found.tolist()}.")
    return "A kernel is a distance: no feature was needed."


def _greedy(squares: np.ndarray, how: Callable, n: int) -> np.ndarray:
    chosen = [0]
    while len(chosen) < n:
        worth = how(squares[:, chosen], axis=1)
        worth[chosen] = -np.inf
        chosen.append(int(worth.argmax()))
    return np.array(chosen)


@register("17.3", "The spread of the members of validation data, and the errors of their mean, give α².",
          "α² is the mean of (error / spread)², each with its own spread; then α times the spread on test data.")
def error_bars(answer: Callable) -> str:
    rng = np.random.default_rng(173)
    width = rng.uniform(0.05, 0.6, size=200)
    y = rng.normal(size=200)
    centre = y + 2.5 * width * rng.normal(size=200)
    validation = centre + width * rng.normal(size=(8, 200))
    test = rng.normal(size=50) + rng.uniform(0.05, 0.6, size=50) * rng.normal(size=(8, 50))
    error, spread = validation.mean(axis=0) - y, validation.std(axis=0)
    alpha, claimed = np.sqrt((error**2 / spread**2).mean()), test.std(axis=0)
    found = np.asarray(answer(validation.copy(), y.copy(), test.copy()), float)
    require(found.shape == (50,), f"for 50 test structures your result has shape {found.shape}, it must be (50,).")
    members = np.sqrt(((validation - y) ** 2 / spread**2).mean())
    for reason, value in {
        "the spread is not calibrated: it is too narrow, the validation errors say by how much.": claimed,
        "this is the variance: take its root.": alpha**2 * claimed**2,
        "this is α² times the spread; take the root of α².": alpha**2 * claimed,
        "⟨e²⟩ / ⟨σ²⟩ lets the largest errors decide alone; average the ratio e²/σ².": np.sqrt((error**2).mean()
                                                                                          / (spread**2).mean()) * claimed,
        "⟨|e|/σ⟩ is not α: square the ratios, average, take the root.": (np.abs(error) / spread).mean() * claimed,
        "these are the errors of single members; the prediction is their mean.": members * claimed,
        "one width for all: the RMSE of the validation set. The committee knows more, which ones are unsure.":
            np.full(50, np.sqrt((error**2).mean())),
    }.items():
        require(not any(np.allclose(found, factor * value) for factor in (1, np.sqrt(8 / 7))), reason)
    require(np.allclose(found, alpha * claimed), f"the first should be {alpha * claimed[0]:.3f}, yours is {found[0]:.3f}.")
    return "Whether you divide by K or K − 1 does not matter: α takes it up."


@register("17.4", "Errors are large where nothing near was calculated. Which choice leaves nothing far from all the chosen?",
          "Farthest points, in the descriptor as it is: melts lie far out, so they are taken, and the crystals are covered.")
def forty_questions(answer: Callable) -> str:
    pool, test, melt, Q, Q_test = _copper()
    order = np.random.default_rng(174).permutation(len(Q))
    found = np.asarray(answer(Q[order], ASKED))
    require(found.shape == (ASKED,) and found.dtype.kind in "iu", f"{ASKED} rows are asked for, whole numbers; yours are "
                                                                   f"{found.dtype} of shape {found.shape}.")
    require(found.min() >= 0 and found.max() < len(Q), f"rows go from 0 to {len(Q) - 1}; yours from {found.min()} to "
                                                       f"{found.max()}.")
    different = len(np.unique(found))
    require(different == ASKED, f"only {different} of your rows differ: the same question twice is paid for twice.")
    rows = order[found]
    y = np.array([_removal(pool[row]) for row in rows])
    kernel = RBF(1.0, 2 * np.sqrt(((Q - Q.mean(axis=0)) ** 2).sum(axis=1).mean()))
    c = np.linalg.solve(kernel(Q[rows], Q[rows]) + 1e-4 * np.eye(ASKED), y - y.mean())
    error = kernel(Q_test, Q[rows]) @ c + y.mean() - test
    everywhere, molten = np.sqrt((error**2).mean()), np.sqrt((error[melt] ** 2).mean())
    share = np.mean([pool[row].info["phase"] == "liquid" for row in rows])
    require(molten < 0.11, f"{molten:.3f} eV in the melt, not below 0.11; {share:.0%} of your questions were melts. What is "
                           "rare in the pool is rare in a random draw, and in the middles of clusters.")
    require(everywhere < 0.07, f"the melt is fine, but {everywhere:.3f} eV over all, not below 0.07; {share:.0%} of your "
                               "questions were melts. The rim alone is not the pool: the crystals need a few questions too.")
    worst = np.abs(error).max()
    require(worst < 0.3, f"good on average, but one frame is off by {worst:.2f} eV, more than 0.3: something unlike all "
                         "that you chose was left out. That is luck, not choice.")
    return (f"{everywhere:.2f} eV over all and {molten:.2f} eV in the melt, without one label to choose by; "
            f"{share:.0%} were melts.")


def _copper_atoms(frame: Atoms) -> Atoms:
    return Atoms(f"Cu{len(frame)}", frame.positions * frame.info["spacing"])


def _removal(frame: Atoms) -> float:
    """The energy (eV) by EMT to take the middle atom out of its neighbours."""
    whole = _copper_atoms(frame)
    rest = whole[1:]
    whole.calc, rest.calc = EMT(), EMT()
    return rest.get_potential_energy() - whole.get_potential_energy()


@cache
def _copper() -> tuple[list[Atoms], np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The pool, labels of the test frames, which of these are melts, descriptors of both."""
    data = load("crystal_environments")
    pool, held = ([frame for frame in split if frame.info["element"] == "Cu"] for split in (data.train, data.test))
    soap = SOAP(cutoff=5.0, n_max=6, l_max=4, width=0.5, smoothing=1.0, species=[29]).fit()
    Q, Q_test = (soap.transform([_copper_atoms(frame) for frame in frames])[::33] for frames in (pool, held))
    melt = np.array([frame.info["phase"] == "liquid" for frame in held])
    return pool, np.array([_removal(frame) for frame in held]), melt, Q, Q_test
