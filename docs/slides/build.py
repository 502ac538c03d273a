"""Make a reveal.js deck of each chapter from the stored notebook: nothing is run, and the decks need no network.

    python docs/slides/build.py [notebooks/01_functions_with_symmetry.ipynb …] [--folder build/slides]

The slide type of a cell says where a slide begins (`slide` to the right, `subslide` and every cell after it below), and
`skip` leaves a cell to the reader; so are the cells that `check` an answer, whatever their type: a lecture shows what is
asked. Of prose a slide shows the heading, the key sentences, equations, lists and tables; all of it stands in the speaker's
notes (key S), and so does the code of a cell that draws a figure.
deck.js then divides and shrinks what does not fit into 1280 × 720 pixels.
"""

import argparse
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import escape
from importlib.util import find_spec
from pathlib import Path

import nbformat
from jinja2 import Environment, FileSystemLoader
from nbconvert.filters import ansi2html, markdown2html_mistune
from nbformat import NotebookNode
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
FORMATTER = HtmlFormatter(style="default", nowrap=True)
MORE_THAN_PROSE = re.compile(r"[*+-] |\d+[.)] |\||>|!\[|<")          # how a list, a table, a quotation, a picture begins
QUESTION = re.compile(r'^check\("', re.MULTILINE)
ENOUGH = 150                                                         # characters of a paragraph
ABBREVIATION = re.compile(r"\b(?:al|e\.g|i\.e|cf|vs|Eqs?|Refs?|Figs?|Secs?|Phys|Rev|Chem|Lett|Mach|Learn|Proc|Adv|[A-Z])\.$")


@dataclass
class Slide:
    """What one screen shows: a title, blocks of HTML one below the other, and what the speaker reads."""

    title: str
    blocks: list[str]
    notes: str
    kind: str


@dataclass
class Deck:
    """Slides by column: reveal.js goes to the right from column to column, and down within one."""

    title: str
    columns: list[list[Slide]] = field(default_factory=list)


def blocks(markdown: str) -> list[str]:
    """Markdown divided at blank lines, but for those inside an equation, a fence or an HTML element."""
    found, pending = [], []
    for paragraph in re.split(r"\n\s*\n", markdown.strip()):
        pending.append(paragraph)
        text = "\n\n".join(pending)
        if text.count("$$") % 2 == 0 and text.count("```") % 2 == 0 and text.count("<details") == text.count("</details>"):
            found.append(text)
            pending = []
    return found + pending


def sentences(paragraph: str) -> list[str]:
    """Divided at full stops outside formulas, code and parentheses, where emphasis is closed and no small letter follows."""
    hidden = re.sub(r"\$[^$]*\$|`[^`]*`|\([^()]*\)", lambda match: "x" * len(match.group()), paragraph)
    found, start = [], 0
    for stop in re.finditer(r"[.?!:](?:\*\*|\*)?(?=\s+[^\sa-z])", hidden):
        sentence = paragraph[start:stop.end()]
        closed = sentence.count("**") % 2 == sentence.replace("**", "").count("*") % 2 == 0
        if closed and not ABBREVIATION.search(hidden[:stop.start() + 1]):
            found.append(sentence.strip())
            start = stop.end()
    return [*found, paragraph[start:].strip()] if paragraph[start:].strip() else found


def key_sentences(paragraph: str, leads_to_equation: bool) -> str:
    """The first, until they say something, those with bold words, and the one that leads to an equation."""
    found, said, kept = sentences(paragraph), 0, []
    for number, sentence in enumerate(found):
        if said < ENOUGH or "**" in sentence or (leads_to_equation and number == len(found) - 1):
            kept.append(number)
            said += len(sentence)
    return " ".join(("" if number == 0 or number - 1 in kept else "… ") + found[number] for number in kept)


def on_slide(markdown: str) -> list[str]:
    """The blocks that a slide shows of prose."""
    divided = blocks(markdown)
    return [block if "$$" in block or MORE_THAN_PROSE.match(block)
            else key_sentences(block, leads_to_equation=following.startswith("$$"))
            for block, following in zip(divided, [*divided[1:], ""], strict=True) if not block.startswith("#")]


def html(markdown: str) -> str:
    """Markdown as HTML; links lead to the decks of other chapters, and nowhere else within the repository."""
    shown = markdown2html_mistune(markdown)
    shown = re.sub(r'href="(?:\./)?(\d\d_\w+)\.ipynb(?:#[^"]*)?"', r'href="\1.html"', shown)
    shown = re.sub(r'<a href="(?!https?:|\d\d_)[^"]*">(.*?)</a>', r"\1", shown, flags=re.DOTALL)
    return re.sub(r'<a class="anchor-link".*?</a>', "", shown)


def code(source: str) -> str:
    return f'<pre class="code"><code>{highlight(source, PythonLexer(), FORMATTER).rstrip()}</code></pre>'


def picture(output: NotebookNode) -> str:
    data = output.data["image/png"].replace("\n", "")
    alt = output.metadata.get("image/png", {}).get("alt", "")
    return f'<img class="figure" src="data:image/png;base64,{data}" alt="{escape(alt)}">'


def shown(output: NotebookNode) -> str:
    """One output that is no picture, as HTML."""
    data = output.get("data", {})
    if "text/html" in data:
        return f'<div class="table">{data["text/html"]}</div>'
    if "text/markdown" in data:
        return f'<div class="table">{html(data["text/markdown"])}</div>'
    text = output.get("text") or data.get("text/plain", "")
    return f'<pre class="said">{ansi2html(text.rstrip())}</pre>' if text.strip() else ""


def imports_only(source: str) -> bool:
    lines = [line for line in source.splitlines() if line.strip()]
    return bool(lines) and 2 * sum(line.startswith(("import ", "from ")) for line in lines) >= len(lines)


def slides_of(cell: NotebookNode, title: str) -> Iterator[Slide]:
    """The slides of one cell under the heading `title`, which stands above it."""
    if cell.cell_type == "markdown":
        kind = "title" if cell.source.startswith("# ") else "prose"
        yield Slide(title, [html(block) for block in on_slide(cell.source)], html(cell.source), kind)
        return
    pictures = [picture(output) for output in cell.outputs if "image/png" in output.get("data", {})]
    others = [text for output in cell.outputs if "image/png" not in output.get("data", {}) if (text := shown(output))]
    for number, drawn in enumerate(pictures):
        yield Slide(title, [drawn, *(others if number == len(pictures) - 1 else [])], code(cell.source), "picture")
    if not pictures and (others or not imports_only(cell.source)):
        yield Slide(title, [code(cell.source), *others], "", "code")


def deck(notebook: NotebookNode) -> Deck:
    made, heading = Deck(notebook.cells[0].source.splitlines()[0].lstrip("# ")), ""
    skipped = False  # whether cells marked "-" follow one that is skipped
    for cell in notebook.cells:
        kind = cell.metadata.get("slideshow", {}).get("slide_type", "-")
        skipped = kind == "skip" or (skipped and kind == "-" and cell.cell_type == "markdown")
        if cell.cell_type == "markdown" and (found := re.search(r"^#+ +(.*)$", cell.source, re.MULTILINE)):
            heading = found[1] if not skipped else heading
        if kind == "notes" and made.columns:
            made.columns[-1][-1].notes += html(cell.source)
        elif not skipped and not (cell.cell_type == "code" and QUESTION.search(cell.source)):
            new = list(slides_of(cell, heading))
            if new and (kind == "slide" or not made.columns):
                made.columns.append([])
            if new:
                made.columns[-1] += new
    return made


def assets(folder: Path) -> None:
    """Copy reveal.js, MathJax and the deck's own style and script beside the decks."""
    package, mathjax = (Path(next(iter(find_spec(name).submodule_search_locations))) for name in
                        ("sphinx_revealjs", "sphinx-mathjax-offline"))
    reveal = package / "_static/revealjs"
    folder.mkdir(parents=True, exist_ok=True)
    for path in [reveal / "dist/reset.css", reveal / "dist/reveal.css", reveal / "dist/reveal.js",
                 reveal / "plugin/notes/notes.js", mathjax / "static/mathjax/tex-svg-full.js",
                 HERE / "deck.js", HERE / "deck.css"]:
        shutil.copy(path, folder)
    with (folder / "deck.css").open("a", encoding="utf-8") as style:
        style.write(HtmlFormatter(style="default").get_style_defs(".code"))


def build(notebooks: list[Path], folder: Path) -> list[Path]:
    """Write one deck for each notebook and an index of them into `folder`; returns the decks' paths."""
    assets(folder / "assets")
    template = Environment(loader=FileSystemLoader(HERE), autoescape=False, trim_blocks=True).get_template("deck.html.j2")
    written, titles = [], {}
    for path in notebooks:
        made = deck(nbformat.read(path, as_version=4))
        titles[f"{path.stem}.html"] = made.title
        written.append(folder / f"{path.stem}.html")
        written[-1].write_text(template.render(deck=made, escape=escape, html=html), encoding="utf-8")
    entries = "".join(f'<li><a href="{name}">{escape(title)}</a></li>' for name, title in titles.items())
    (folder / "index.html").write_text(f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Slides</title>'
                                       f"<h1>Slides</h1><ul>{entries}</ul>", encoding="utf-8")
    return written


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("notebooks", nargs="*", type=Path, help="by default every chapter")
    parser.add_argument("--folder", type=Path, default=ROOT / "build/slides")
    chosen = parser.parse_args()
    for path in build(chosen.notebooks or sorted((ROOT / "notebooks").glob("*.ipynb")), chosen.folder):
        print(path)


if __name__ == "__main__":
    main()
