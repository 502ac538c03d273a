"""Models which took longer to train than a chapter may: shipped in `data/checkpoints`, made by what is in `data/generate`."""

from difflib import get_close_matches

import pandas as pd
from sklearn.base import BaseEstimator

from course_lib.learning import checkpoint
from course_lib.structures.datasets import data_folder


def checkpoints() -> pd.DataFrame:
    """A row a shipped checkpoint, by name: what was trained on which data, seed, minutes, and errors on the test frames."""
    notes = {path.stem: checkpoint.notes(path) for path in sorted((data_folder() / "checkpoints").glob("*.safetensors"))}
    return pd.DataFrame.from_dict(notes, orient="index").rename_axis("checkpoint")


def pretrained(name: str) -> BaseEstimator:
    """The shipped potential, or classifier, of that name. Raises ValueError for a name that `checkpoints` has not, and as
    `Potential.load`.
    """
    path = data_folder() / f"checkpoints/{name}.safetensors"
    known = sorted(other.stem for other in path.parent.glob("*.safetensors"))  # whether or not the others are sound
    if name not in known:
        close = get_close_matches(name, known, 1)
        raise ValueError(f"there is no checkpoint {name!r}" + (f"; did you mean {close[0]!r}?" if close else
                         f"; there are {', '.join(known) or 'none: run `make checkpoints`'}"))
    return checkpoint.load(path, BaseEstimator)
