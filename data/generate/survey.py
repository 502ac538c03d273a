"""`results/survey.csv`: every method of the survey on the same frames, with what it costs. Chapter 16 draws it.

A row a fit, as `course_lib.survey.measure` explains: errors on the test frames, processor seconds, memory, the audit, and for
seed 0 500 steps of dynamics. Data sets are `ethanol` (all methods, three seeds), and fewer methods on
`silicon` and `qm9_small`. What takes seconds comes first, then every method with seed 0, then the other seeds, so that the
table is of use at any moment. Finished fits are kept: start it again after an interruption, and when nothing is left to do it
prints the table's medians.

    OMP_NUM_THREADS=1 .venv/bin/python data/generate/survey.py      # about four hours on one core
"""

from publish import DATA

from course_lib.survey import METHODS, read, run

TABLE = DATA / "results/survey.csv"
STEPS = 500
ETHANOL, SILICON, QM9 = ("ethanol", [50, 100, 200, 400, 800]), ("silicon", [30, 60, 120]), ("qm9_small", [100, 400, 1600])
QUICK = ["composition", "Coulomb matrix", "bag of bonds", "PIP"]
NETWORKS = ["SchNet", "Behler–Parrinello", "DeepPot-SE", "PaiNN", "NequIP", "Allegro", "tensor field network", "MACE"]
SOLIDS = ["composition", "GAP", "ACE", "Behler–Parrinello", "DeepPot-SE"]
PLAN = [(QUICK, *ETHANOL, [0], STEPS),
        (["GAP", "ACE"], *ETHANOL, [0], STEPS),
        (["composition", "Coulomb matrix", "bag of bonds"], *QM9, [0], 0),
        (SOLIDS[:3], *SILICON, [0], STEPS),
        ([*QUICK, "GAP", "ACE"], *ETHANOL, [0, 1, 2], 0),
        (["scattering", *NETWORKS], *ETHANOL, [0], STEPS),
        (list(METHODS), *ETHANOL, [0, 1], 0),
        (list(METHODS), *ETHANOL, [0, 1, 2], 0),
        (SOLIDS, *SILICON, [0], STEPS),
        (["composition", "Coulomb matrix", "bag of bonds"], *QM9, [0, 1, 2], 0),
        (SOLIDS, *SILICON, [0, 1, 2], 0),
        (["GAP", "scattering"], *QM9, [0], 0)]

if __name__ == "__main__":
    for methods, data, sizes, seeds, steps in PLAN:
        run(methods, data, sizes, seeds, table=TABLE, steps=steps)
    columns = ["energy MAE (meV)", "force MAE (meV/Å)", "training (s)"]
    print(read(TABLE).pivot_table(columns, ["data set", "method", "n"], aggfunc="median", sort=False).round(1).to_string())
