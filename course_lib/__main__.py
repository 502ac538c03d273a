"""The course from a shell: `python -m course_lib --help`.

Exit codes: 0, all is well; 1, an audit found a broken promise, or a fit failed; 2, the command makes no sense.
"""

import argparse
import sys
from contextlib import ExitStack
from pathlib import Path

EPILOG = """examples:
  python -m course_lib data                         every data set, a row each
  python -m course_lib data ethanol                 what one must know before using it
  python -m course_lib methods                      every method, and what it claims
  python -m course_lib audit schnet_ethanol_0       does a trained potential keep its word?
  python -m course_lib survey SchNet GAP --data ethanol --sizes 50 100 --seeds 0 1 2 --table mine.csv
"""


def data(arguments: argparse.Namespace) -> int:
    from course_lib.structures import datasets
    from course_lib.structures.datasets import verified

    columns = ["method", "train", "validation", "test", "labels", "kB"]
    print(verified(arguments.name)[0] if arguments.name else datasets()[columns].to_string())
    return 0


def methods(arguments: argparse.Namespace) -> int:
    from course_lib.survey import methods

    print(methods().to_string())
    return 0


def audit(arguments: argparse.Namespace) -> int:
    from course_lib.learning import NetworkPotential, Potential, checkpoints, pretrained
    from course_lib.structures import load
    from course_lib.symmetry import audit

    path = Path(arguments.potential)
    potential = Potential.load(path) if path.is_file() else pretrained(arguments.potential)
    if not isinstance(potential, Potential):
        raise ValueError(f"{arguments.potential} is a {type(potential).__name__}; the audit here moves atoms of a potential")
    if isinstance(potential, NetworkPotential):
        potential.set_params(dtype="float64")
    name = arguments.data or checkpoints().loc[arguments.potential, "data set"]
    table = audit(potential, load(name).test[:arguments.frames])
    print(f"{arguments.potential} claims {potential.symmetry.name}; {arguments.frames} frames of {name}, float64")
    print(table.to_string(index=False, float_format="{:.1e}".format))
    return int((table.verdict == "BROKEN").any())


def survey(arguments: argparse.Namespace) -> int:
    from joblib import parallel_config

    from course_lib.survey import METHODS, run

    with ExitStack() as stack:
        if arguments.dask:
            try:
                from distributed import Client
            except ModuleNotFoundError:
                raise ValueError("--dask needs the package distributed: pip install 'course_lib[dask]'") from None
            stack.enter_context(Client(arguments.dask))
            stack.enter_context(parallel_config(backend="dask", n_jobs=-1))
        table = run(arguments.methods or list(METHODS), arguments.data, arguments.sizes, arguments.seeds,
                    table=arguments.table, jobs=None if arguments.dask else arguments.jobs, steps=arguments.steps)
    columns = [name for name in ("energy MAE (meV)", "force MAE (meV/Å)", "training (s)") if name in table]
    print(table.pivot_table(columns, ["method", "n"], aggfunc="median", sort=False).round(1).to_string())
    failed = table[table["error"].notna()] if "error" in table else table[:0]
    for _, row in failed.iterrows():
        print(f"failed: {row['method']}, n = {row['n']}, seed {row['seed']}: {row['error']}", file=sys.stderr)
    return int(len(failed) > 0)


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser("python -m course_lib", description=__doc__, epilog=EPILOG,
                                  formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = top.add_subparsers(title="commands", required=True)
    show = commands.add_parser("data", help="the data sets", description="A row a data set, or one set's card.")
    show.set_defaults(do=data)
    show.add_argument("name", nargs="?", help="of one data set")
    claims = commands.add_parser("methods", help="the methods of the survey", description="What every method claims.")
    claims.set_defaults(do=methods)
    check = commands.add_parser("audit", help="measure what a trained potential claims",
                                description="Moves frames by every class of group element, in float64; exit code 1 if the "
                                            "potential breaks its word.")
    check.set_defaults(do=audit)
    check.add_argument("potential", help="name of a shipped checkpoint, or a file that a potential was saved to")
    check.add_argument("--data", help="data set whose test frames are moved; by default that of the checkpoint")
    check.add_argument("--frames", type=int, default=3, help="how many of them (default %(default)s)")
    compare = commands.add_parser("survey", help="fit and measure methods, resumably",
                                  description="Every method, size and seed once; run it again after any interruption.")
    compare.set_defaults(do=survey)
    compare.add_argument("methods", nargs="*", help="names as `methods` lists them; all where none is given")
    compare.add_argument("--data", default="ethanol", help="data set (default %(default)s)")
    compare.add_argument("--sizes", nargs="+", type=int, default=[50, 100, 200, 400, 800], help="training frames")
    compare.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2], help="which draw the frames")
    compare.add_argument("--table", type=Path, help="CSV file that keeps every finished fit; without, nothing is kept")
    compare.add_argument("--jobs", type=int, default=1, help="processes (default %(default)s)")
    compare.add_argument("--dask", metavar="ADDRESS", help="of a Dask scheduler, whose workers do the fits instead")
    compare.add_argument("--steps", type=int, default=1000, help="of dynamics a fit, 0.5 fs each (default %(default)s)")
    return top


def main(words: list[str] | None = None) -> int:
    arguments = parser().parse_args(words)
    try:
        return arguments.do(arguments)
    except (ValueError, OSError, RuntimeError, KeyError) as error:
        print(f"course_lib: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.stdout.reconfigure(errors="replace")  # a terminal without Å shows "?" in its place
    sys.exit(main())
