"""`results/stability.csv`: how long dynamics last with potentials of the survey. Chapter 16 draws it.

A row a fit, as `course_lib.survey.measure` explains, of every method that predicts forces there, from the fewest and from the
most frames of `ethanol`, seed 0: 5000 steps, 2.5 ps. Finished fits are kept.

    OMP_NUM_THREADS=1 .venv/bin/python data/generate/stability.py      # 40 core-minutes
"""

from publish import DATA

from course_lib.survey import METHODS, run

TABLE = DATA / "results/stability.csv"
STEPS = 5000
LEFT_OUT = "composition", "Coulomb matrix", "bag of bonds", "scattering"  # no forces, or all of them zero
CHOSEN = [name for name in METHODS if name not in LEFT_OUT]

if __name__ == "__main__":
    for n in (50, 800):
        table = run(CHOSEN, "ethanol", [n], [0], table=TABLE, steps=STEPS)
        print(table[["method", "n", "survived (ps)", "drift (meV/atom/ps)"]].to_string(index=False))
