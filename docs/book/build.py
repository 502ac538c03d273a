"""Make the book: every chapter as stored, the API from its docstrings, data, conventions and glossary, as one static site.

    python docs/book/build.py [--folder build/book]

Nothing is run and nothing is fetched: the site works from a folder (file://), with its search and its formulas. Sources are
gathered beside it, where Sphinx then finds the links between chapters as they stand in the notebooks.
"""

import argparse
import re
import shutil
import sys
from importlib import import_module
from pathlib import Path

import nbformat

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PARTS = {"I · Symmetry": range(0, 4), "II · Kernels": range(4, 8), "III · Scattering": range(8, 10),
         "IV · Sets and point clouds": range(10, 13), "V · Equivariant networks": range(13, 16), "VI · Survey": range(16, 19)}
REFERENCE = ["docs/conventions", "docs/glossary", "docs/workshop", "data/README", "api/index", "CONTRIBUTING"]
ROOMS = ["structures", "symmetry", "learning", "polynomials", "kernels", "scattering", "point_clouds", "equivariant", "survey",
         "show", "exercises"]


def toctree(caption: str, pages: list[str]) -> str:
    return "\n".join(["```{toctree}", ":hidden:", f":caption: {caption}", "", *pages, "```", ""])


def without_dead_links(text: str, page: Path, sources: Path) -> str:
    """Links to files that are no page of the book, such as the licence or a chapter to come, become plain words."""
    def kept(link: re.Match) -> str:
        target = link[2].split("#")[0]
        return link[0] if not target or ":" in target or (page.parent / target).exists() else link[1]
    return re.sub(r"(?<![!\\\w$^}])\[([^\]]+)\]\(([^)\s]+)\)", kept, text)


def home(name: str, value: object, room: str) -> str:
    """The module that defines a constant, where the words below it are."""
    files = [module for module in sys.modules if module.startswith(f"course_lib.{room}.")]
    return next((module for module in files if vars(sys.modules[module]).get(name) is value), f"course_lib.{room}")


def api(room: str) -> str:
    """The page of one room: its docstring, then every public name; each is asked for, since rooms load torch's late."""
    module = import_module(f"course_lib.{room}")
    lines = [module.__name__, "=" * len(module.__name__), "", f".. automodule:: {module.__name__}", "   :no-members:", ""]
    for name in sorted(module.__all__, key=lambda name: (not name[0].isupper(), name)):
        value = getattr(module, name)
        if isinstance(value, type):
            lines += [f".. autoclass:: {module.__name__}.{name}", "   :members:", ""]
        elif callable(value):
            lines += [f".. autofunction:: {module.__name__}.{name}", ""]
        else:
            lines += [f".. autodata:: {home(name, value, room)}.{name}", "   :no-value:", ""]
    return "\n".join(lines)


def gather(sources: Path) -> None:
    """Lay the pages out in `sources` as they lie in the repository."""
    shutil.rmtree(sources, ignore_errors=True)
    for folder, pattern in [("notebooks", "*.ipynb"), ("docs", "*.md"), ("docs", "cover.png"), ("docs/data", "*.png"),
                            ("data", "README.md"), (".", "*.md")]:
        (sources / folder).mkdir(parents=True, exist_ok=True)
        for path in (ROOT / folder).glob(pattern):
            shutil.copy(path, sources / folder)
    (sources / "README.md").rename(sources / "index.md")
    (sources / "api").mkdir()
    for room in ROOMS:
        (sources / f"api/{room}.rst").write_text(api(room), encoding="utf-8")
    rooms = "\n".join(ROOMS)
    (sources / "api/index.md").write_text(
        f"# The library\n\nWhat every room of `course_lib` offers, from its docstrings.\n\n```{{toctree}}\n{rooms}\n```\n",
        encoding="utf-8")


def finish(sources: Path) -> None:
    """Add the table of contents, fold the solutions, and cut the links that lead out of the book."""
    chapters = sorted((sources / "notebooks").glob("*.ipynb"))
    for path in chapters:
        notebook = nbformat.read(path, as_version=4)
        for cell in notebook.cells:
            if cell.cell_type == "markdown":
                cell.source = without_dead_links(cell.source, path, sources)
            if cell.metadata.get("jupyter", {}).get("source_hidden"):
                cell.metadata["tags"] = [*cell.metadata.get("tags", []), "hide-cell"]
        nbformat.write(notebook, path)
    index = sources / "index.md"
    contents = [toctree(f"Part {part}", [f"notebooks/{path.stem}" for path in chapters if int(path.name[:2]) in numbers])
                for part, numbers in PARTS.items() if any(int(path.name[:2]) in numbers for path in chapters)]
    contents.append(toctree("Reference", [page for page in REFERENCE if list(sources.glob(f"{page}.*"))]))
    index.write_text(index.read_text(encoding="utf-8") + "\n" + "\n".join(contents), encoding="utf-8")
    for page in sources.rglob("*.md"):
        page.write_text(without_dead_links(page.read_text(encoding="utf-8"), page, sources), encoding="utf-8")


def main() -> int:
    from sphinx.cmd.build import build_main  # not there where only the pages are tested

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=ROOT / "build/book")
    folder = parser.parse_args().folder
    sources = folder.with_name(f"{folder.name}-sources")
    gather(sources)
    finish(sources)
    shutil.rmtree(folder, ignore_errors=True)
    return build_main(["-q", "-W", "--keep-going", "-c", str(HERE), "-d", f"{sources}/.doctrees", str(sources), str(folder)])


if __name__ == "__main__":
    raise SystemExit(main())
