"""The public benchmarks that papers compare themselves on: QM7, QM9, MD17, revised MD17 and 3BPA.

They are not in this repository: `benchmark(name)` fetches one from its publisher, once, and nothing else here uses the
network. What is known of them, addresses, lengths, checksums, units and splits, is in benchmarks.json beside this file.
"""

import hashlib
import json
import os
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from course_lib.structures.datasets import SPLITS, Card, Dataset
from course_lib.structures.writing import unwritable

FACTS = Path(__file__).with_name("benchmarks.json")


def benchmark(name: str, fold: int = 1, checksum: str | None = None) -> Dataset:
    """The benchmark `name`, one of those in the table `benchmarks()`.

    fold: which of the five official splits, 1 to 5, for qm7 and rmd17; the others have one
    checksum: "sha256:…" or "md5:…" that the main file must have, in place of the one known here. The file that was read
        has `card.sha256`, by which one whose publisher states no checksum can be pinned
    Energies (eV) and forces (eV/Å) are in each frame's calculator, other labels in `info`, in the units of the card. Files
    are kept in the folder that the environment variable COURSE_BENCHMARKS names, else in the user's cache; one put there by
    hand serves as well. A transfer that breaks off is continued by the next call.
    Raises ValueError for an unknown name or fold and for a file that is not the published one, OSError where the folder
    cannot be written, and ConnectionError when a file cannot be fetched: with its address, the place to put it, and the
    shipped set that plays the same part.
    """
    from requests import RequestException

    from course_lib.structures import benchmark_files  # readers and network only when asked for
    from course_lib.structures.downloads import fetch

    known = _known(fold)
    if name not in known:
        near = get_close_matches(str(name), known, n=1)
        raise ValueError(f"no benchmark is called {name!r}; {f'did you mean {near[0]!r}? ' if near else ''}"
                         f"There are: {', '.join(known)}.")
    facts = known[name]
    if fold not in range(1, facts["folds"] + 1):
        raise ValueError(f"benchmark {name!r} has {facts['folds']} official split(s), counted from 1; got fold={fold!r}.")
    files = {_folder(facts) / file["name"]: file for file in facts["files"]}
    main, *_ = files
    files[main]["checksum"] = checksum or files[main]["checksum"]
    for path, file in files.items():
        try:
            fetch(path, file["url"], file["checksum"], file["bytes"])
        except RequestException as reason:
            raise ConnectionError(
                f"benchmark {name!r}: {file['url']} could not be fetched ({reason}). Call again where there is a network, what "
                f"has come is kept; or download it elsewhere and put it at {path}. load({facts['stand_in']!r}) plays the "
                "same part and needs no network.") from reason
        except OSError as reason:
            raise unwritable(path, reason, "let the environment variable COURSE_BENCHMARKS name another folder. Then call "
                             "again: what has come is kept") from reason
    try:
        read = getattr(benchmark_files, facts["reader"])
        parts = read(list(files), [file["count"] for file in files.values()], fold, facts["sizes"])
    except MemoryError:
        raise
    except Exception as reason:  # what is no such file fails in as many ways as there are libraries
        raise ValueError(f"benchmark {name!r}: a file in {main.parent} is not what its publisher describes ({reason}); "
                         f"delete {', '.join(path.name for path in files)} there and call again.") from reason
    frames = {split: len(part) for split, part in zip(SPLITS, parts, strict=True)}
    with main.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    card = facts["card"] | dict(frames=frames, file=main.name, sha256=digest)
    return Dataset(name, Card(**card | {"references": tuple(card["references"])}), *parts)


def benchmarks() -> "pandas.DataFrame":  # noqa: F821
    """One row a benchmark: title, level of theory, frames in the file, labels, licence, MB to fetch, which checksum guards
    the main file, whether all is here already, and the shipped set that plays the same part; empty where not known."""
    import pandas

    table = {}
    for name, facts in _known(fold=1).items():
        card, (main, *_) = facts["card"], facts["files"]
        table[name] = {
            "title": card["title"], "level of theory": card["level_of_theory"], "frames": main["count"],
            "labels": ", ".join(label for label in card["units"] if label != "positions"), "licence": card["licence"],
            "MB": main["bytes"] and round(sum(file["bytes"] or 0 for file in facts["files"]) / 1e6, 1),
            "checksum": main["checksum"] and main["checksum"].split(":")[0],
            "here": all((_folder(facts) / file["name"]).exists() for file in facts["files"]), "stand-in": facts["stand_in"]}
    return pandas.DataFrame.from_dict(table, orient="index").rename_axis("name")


def _known(fold: int) -> dict[str, dict[str, Any]]:
    """The facts of every benchmark by its name, `rmd17_ethanol` or, of a family of one, `qm7`."""
    families, files = json.loads(FACTS.read_text(encoding="utf-8")).values()
    known = {}
    for family, facts in families.items():
        for member in facts["members"]:
            own = json.loads(json.dumps(facts).replace("{member}", member).replace("{fold}", str(fold)))
            own["files"] = [{"name": file} | files.get(file, {}) for file in own["files"]]
            known[f"{family}_{member}" if member else family] = own | {"family": family}
    return known


def _folder(facts: dict[str, Any]) -> Path:
    import pooch

    return Path(os.environ.get("COURSE_BENCHMARKS") or pooch.os_cache("course_lib")) / facts["family"]
