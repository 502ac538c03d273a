"""Checks of chapter 16: curves extrapolated, fronts found, fair draws, lives cut short, and a method of the reader's own."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from course_lib.exercises.core import register, require
from course_lib.learning import CompositionBaseline, Potential, scores
from course_lib.structures import Dataset, load
from course_lib.survey import Method, measure


@register("16.1", "On logarithmic axes the curve is a straight line: log e = log a − b log n. Two points give its slope.",
          "b = log(e₁/e₂) / log(n₂/n₁); then target = e₂ (n/n₂)^(−b), to be solved for n.")
def frames_needed(answer: Callable) -> str:
    for n_1, n_2, b, a in ((100, 800, 0.75, 900.0), (50, 200, 0.5, 300.0)):
        e_1, e_2, target = (a * n**-b for n in (n_1, n_2, 5000))
        found = tuple(float(number) for number in answer(n_1, e_1, n_2, e_2, target))
        require(len(found) == 2, f"two numbers are asked for, the slope b and how many frames; you gave {len(found)}.")
        slope, n = found
        require(not np.isclose(slope, -b), "b is counted positive where the error falls: e = a n^(−b).")
        require(not np.isclose(slope, (e_1 - e_2) / (n_2 - n_1)), "this is the slope on linear axes; there the curve is none.")
        require(not np.isclose(slope, np.log(e_1 / e_2) / (n_2 - n_1)), "only the error is logarithmic in your slope: that is "
                                                                        "an exponential, e = a exp(−bn).")
        require(np.isclose(slope, b), f"errors {e_1:.1f} at n = {n_1}, {e_2:.1f} at {n_2} mean b = {b}; yours is {slope:.3g}.")
        require(not np.isclose(n, n_2 + (e_2 - target) * (n_2 - n_1) / (e_1 - e_2)), "the number of frames comes from a "
                "straight line on linear axes; this promises too much, for the curve flattens.")
        require(not np.isclose(n, 5000 / n_2), "this is n over n₂; the frames themselves are asked for.")
        require(np.isclose(n, 5000), f"for an error of {target:.2f} it takes 5000 frames; yours are {n:.4g}.")
    return "At b = ½ half the error costs four times the frames: a curve's slope is its price list."


@register("16.2", "A point is out if another is at least as good in both numbers, and better in one.",
          "Compare all with all: cost[:, None] <= cost and error[:, None] <= error, and one of the two strictly.")
def front(answer: Callable) -> str:
    rng = np.random.default_rng(162)
    many = rng.uniform(size=40)
    cases = {"four points": ([1, 2, 3, 4], [9, 5, 6, 1]), "ties": ([1, 1, 2, 2, 3], [5, 5, 4, 6, 4]),
             "a curve that bulges": ([1, 2, 3, 4], [10, 9.5, 8, 1]),
             "forty points": (many, 1 - many + 0.3 * rng.uniform(size=40))}
    for name, (cost, error) in cases.items():
        cost, error = np.asarray(cost, float), np.asarray(error, float)
        found = np.asarray(answer(cost.copy(), error.copy()))
        require(found.dtype == bool and found.shape == cost.shape, "a mask is asked for: True or False for every point.")
        better = (cost[:, None] <= cost) & (error[:, None] <= error) & ((cost[:, None] < cost) | (error[:, None] < error))
        right = ~better.any(axis=0)
        if name == "ties":
            require(found[:2].all(), "the first two points are alike, and nothing beats either: both are on the front.")
            require(not found[4], "(3, 4) is on your front; (2, 4) is as good and costs less.")
        if name == "a curve that bulges":
            require(found.all(), "(2, 9.5) is above the line from (1, 10) to (4, 1), yet nothing beats it: fronts need not be "
                                 "convex.")
        require(not (found & ~right).any(), f"{name}: point {np.flatnonzero(found & ~right)[:1]} is beaten in both, and yet on "
                                            "your front.")
        require((found == right).all(), f"{name}: point {np.flatnonzero(right & ~found)[:1]} is missing; nothing beats it.")
    return "Everything beside the front is a bad bargain, whatever you pay with."


@register("16.3", "One permutation for each seed; a training set of n frames is its first n entries.",
          "np.random.default_rng(seed).permutation(rows)[:n], a generator of its own.")
def draws(answer: Callable) -> str:
    sets = {seed: {n: np.asarray(rows) for n, rows in answer(60, [5, 20, 60], seed).items()} for seed in (0, 1, 0)}
    for drawn in sets.values():
        require(list(drawn) == [5, 20, 60], f"a dictionary with the sizes 5, 20 and 60 is asked for; yours has {list(drawn)}.")
        for n, rows in drawn.items():
            require(rows.shape == (n,), f"for n = {n} there must be {n} rows; yours have shape {rows.shape}.")
            require(len(set(rows.tolist())) == n, "a frame is drawn twice: two copies of a frame teach no more than one.")
            require(rows.min() >= 0 and rows.max() < 60, f"row {rows.max()} does not exist; rows are 0 to 59.")
        require(set(drawn[5]) <= set(drawn[20]), "the 5 frames are not among the 20: a curve over sets that are not nested "
                                                 "goes up and down by the luck of the draw.")
        require(set(drawn[5]) != set(range(5)), "these are the first frames of the file, which follow each other in time.")
    require(set(sets[0][20]) != set(sets[1][20]), "both seeds give the same frames: a band over them would have no width.")
    require(np.array_equal(sets[0][20], np.asarray(answer(60, [5, 20, 60], 0)[20])), "asked again, seed 0 gives other frames.")
    return "Nested, without return, the same for every method: what is left is the method."


@register("16.4", "A run that did not break says that the life is longer than its length; it must count, but not as a life.",
          "If runs break at a constant rate, the likelihood of all runs is rate^(broken) · exp(−rate · total time).")
def mean_life(answer: Callable) -> str:
    times, broke = np.array([0.1, 0.3, 0.5, 0.5, 0.5, 0.5]), np.array([True, True, False, False, False, False])
    found = float(answer(times.copy(), broke.copy()))
    require(not np.isclose(found, times.mean()), "this is the mean of all times; four of these runs were stopped while alive.")
    require(not np.isclose(found, times[broke].mean()), "this is the mean of those that broke: it forgets the long-lived ones.")
    require(not np.isclose(found, np.median(times)), "this is the median, which here says how long you were willing to wait.")
    require(not np.isclose(found, 2 / times.sum()), "this is the rate, breaks a picosecond; its inverse is asked for.")
    require(np.isclose(found, 1.2), f"six runs, 2.4 ps together, two breaks: 1.2 ps; you say {found:.3g}.")
    with np.errstate(divide="ignore"):
        unbroken = float(answer(times.copy(), np.zeros(6, dtype=bool)))
    require(unbroken == np.inf, f"where nothing broke the data set no bound: infinity; you say {unbroken:.3g}.")
    return "Total time over breaks. With no break in time T one may still say: at 95 %, no shorter than T/3."


class Watched(list):
    """Frames that notice when they are looked at."""

    seen = False

    def __iter__(self) -> Iterator:
        self.seen = True
        return super().__iter__()

    def __getitem__(self, index):
        self.seen = True
        return super().__getitem__(index)


def small_methane() -> Dataset:
    """Forty frames to learn from, thirty to be judged by; energies and forces of B3LYP."""
    data = load("methane_b3lyp")
    return replace(data, train=data.train[:60], validation=data.validation[:10], test=data.test[:30])


@register("16.5", "Make numbers of distances that do not care who is who: sums over all pairs of one kind, or a sorted list.",
          "Sums over C–H pairs of exp(−r/ρ) for a few ρ, and the same of H–H pairs, then sklearn's Ridge on them.")
def own_method(answer: Method) -> str:
    require(isinstance(answer, Method), f"a survey.Method is asked for, not a {type(answer).__name__}.")
    claims = answer.symmetry
    require(claims.permutation and claims.translation and claims.rotation,
            "your method claims less than permutations, translations and rotations; here this is what it must keep.")
    data, hidden = small_methane(), Watched(load("methane_b3lyp").test[:30])
    made = answer.make(replace(data, test=hidden), 40)
    require(isinstance(made, Potential), f"make must give a learning.Potential; it gave a {type(made).__name__}.")
    row = measure(replace(answer, make=lambda *_: made), data, 40, 0, steps=0)
    require(not hidden.seen, "your method looked at the test frames; whatever it says of them is worth nothing.")
    require(row["verdict"] == "kept", f"the audit finds broken: {row['verdict']}.")
    composition = scores(CompositionBaseline().fit(data.train[:40]).predict(data.test), data.test)["model"]["energy MAE (meV)"]
    mine = row["energy MAE (meV)"]
    require(mine < 0.5 * composition, f"its energies are off by {mine:.0f} meV, the composition's by {composition:.0f}: it "
                                      "must do better than half of that.")
    return f"It keeps its word, and errs by {mine:.0f} meV where the composition errs by {composition:.0f}."
