"""What every chapter's notebook must hold, rule by rule: each yields the complaints about one notebook, or none."""

import re
from base64 import b64decode
from collections.abc import Iterator

import nbformat
from nbformat import NotebookNode

from course_lib.exercises import exercises

IMAGE_BYTES = 100_000
NOTEBOOK_BYTES = 1_500_000
CODE_LINES = 25
CELLS = range(25, 46)
HEADINGS = ["You will be able to", "Turn it yourself", "On real data", "What it cannot do", "Exercises", "Summary card"]
SLIDE_TYPES = {"slide", "subslide", "fragment", "skip", "notes", "-"}
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
KERNELSPEC = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}

ABSOLUTE_PATH = re.compile(r"(?<![\w.:/~])/(?:home|Users|root|tmp|work|usr|opt|mnt|var|private)/[\w.]|\b[A-Z]:\\\\?\w")
URL = re.compile(r"\b(?:https?|ftp)://\S+")
ADDRESS = re.compile(r"\bat 0x[0-9a-fA-F]{6,}")
IMG = re.compile(r"<img\b[^>]*>", re.IGNORECASE)
ALT = re.compile(r"""\balt=("[^"]*\w[^"]*"|'[^']*\w[^']*')""")
EMBEDDED = re.compile(r"data:image/\w+;base64,([A-Za-z0-9+/=\n]+)")


def code_cells(notebook: NotebookNode) -> Iterator[tuple[int, NotebookNode]]:
    return ((number, cell) for number, cell in enumerate(notebook.cells) if cell.cell_type == "code")


def outputs(notebook: NotebookNode) -> Iterator[tuple[int, NotebookNode]]:
    return ((number, output) for number, cell in code_cells(notebook) for output in cell.outputs)


def texts(output: NotebookNode) -> list[str]:
    return [output.text] if "text" in output else [
        value for kind, value in output.get("data", {}).items() if kind.startswith("text/")]


def has_the_python3_kernel(notebook: NotebookNode) -> Iterator[str]:
    found = notebook.metadata.get("kernelspec", {}).get("name")
    if found != "python3":
        yield f"kernelspec is {found!r}, not 'python3'"


def was_run_in_order(notebook: NotebookNode) -> Iterator[str]:
    counts = [cell.execution_count for _, cell in code_cells(notebook)]
    if not any(True for _ in outputs(notebook)):
        yield "no outputs are stored"
    if counts != list(range(1, len(counts) + 1)):
        yield f"execution counts {counts} are not 1, 2, 3, …: run `make notebooks`"


def stores_no_error(notebook: NotebookNode) -> Iterator[str]:
    for number, output in outputs(notebook):
        if output.output_type == "error":
            yield f"cell {number} stores the error {output.ename}: {output.evalue}"
        if output.get("name") == "stderr":
            yield f"cell {number} stores stderr: {output.text[:100]!r}"


def is_small(notebook: NotebookNode) -> Iterator[str]:
    size = len(nbformat.writes(notebook).encode())
    if size > NOTEBOOK_BYTES:
        yield f"the notebook has {size / 1e6:.2f} MB, more than {NOTEBOOK_BYTES / 1e6}"
    for number, output in outputs(notebook):
        pictures = [value for kind, value in output.get("data", {}).items() if kind in ("image/png", "image/jpeg")]
        pictures += [found for text in texts(output) for found in EMBEDDED.findall(text)]
        for picture in pictures:
            if (size := len(b64decode(picture))) > IMAGE_BYTES:
                yield f"cell {number} stores a picture of {size / 1e3:.0f} kB, more than {IMAGE_BYTES // 1000}"


def describes_every_picture(notebook: NotebookNode) -> Iterator[str]:
    for number, output in outputs(notebook):
        for kind in output.get("data", {}):
            if kind.startswith("image/") and not output.metadata.get(kind, {}).get("alt", "").strip():
                yield f"cell {number}: an {kind} without alt text: end the cell with show.present(figure, alt)"
        for tag in IMG.findall("".join(texts(output))):
            if not ALT.search(tag):
                yield f"cell {number}: an <img> without alt text"
    for number, cell in enumerate(notebook.cells):
        if cell.cell_type == "markdown" and ("![](" in cell.source or any(
                not ALT.search(tag) for tag in IMG.findall(cell.source))):
            yield f"cell {number}: a picture in Markdown without alt text"


def has_25_to_45_cells(notebook: NotebookNode) -> Iterator[str]:
    if len(notebook.cells) not in CELLS:
        yield f"the notebook has {len(notebook.cells)} cells, not {CELLS[0]} to {CELLS[-1]}"


def has_short_cells(notebook: NotebookNode) -> Iterator[str]:
    for number, cell in code_cells(notebook):
        if (lines := len(cell.source.splitlines())) > CODE_LINES:
            yield f"cell {number} has {lines} lines of code, more than {CODE_LINES}"


def gives_reasons_for_what_is_not_compared(notebook: NotebookNode) -> Iterator[str]:
    for number, cell in enumerate(notebook.cells):
        tags = [tag for tag in cell.metadata.get("tags", []) if tag.startswith("nbval-")]
        if tags and not str(cell.metadata.get("reason", "")).strip():
            yield f"cell {number} is tagged {tags} without a `reason` in its metadata"
        if re.search(r"NBVAL_(IGNORE_OUTPUT|SKIP)|PYTEST_VALIDATE_IGNORE_OUTPUT", cell.source):
            yield f"cell {number} silences nbval by a comment: use a tag and give its `reason`"


def opens_with_a_title(notebook: NotebookNode) -> Iterator[str]:
    first = notebook.cells[0] if notebook.cells else None
    if first is None or first.cell_type != "markdown" or not first.source.startswith("# "):
        yield "the first cell is not Markdown that starts with '# '"


def is_a_lecture(notebook: NotebookNode) -> Iterator[str]:
    for number, cell in enumerate(notebook.cells):
        if (found := cell.metadata.get("slideshow", {}).get("slide_type")) not in SLIDE_TYPES:
            yield f"cell {number} has slide type {found!r}: one of {sorted(SLIDE_TYPES)}"


def hides_its_solutions(notebook: NotebookNode) -> Iterator[str]:
    for number, cell in enumerate(notebook.cells):
        if "solution" in cell.metadata.get("tags", []) and not all(
                cell.metadata.get("jupyter", {}).get(f"{part}_hidden") for part in ("source", "outputs")):
            yield f"cell {number} is a solution, and its source or its outputs can be seen before the answer is given"


def poses_every_exercise(notebook: NotebookNode) -> Iterator[str]:
    """On a slide with the heading Exercises; then one cell that waits, and one solution that is right, and says it is one."""
    title = re.match(r"# (\d\d) ", notebook.cells[0].source) if notebook.cells else None
    asked = [cell.source for cell in notebook.cells if re.search(r"^## Exercises$", cell.source, re.MULTILINE)
             and cell.metadata.get("slideshow", {}).get("slide_type") == "slide"]
    for name in exercises(title[1]) if title else ():
        if not any(f"**{name}" in source for source in asked):
            yield f"exercise {name} is not posed on the slide '## Exercises'"
        asking = [cell for _, cell in code_cells(notebook) if f'check("{name}"' in cell.source]
        waiting, right = ([cell for cell in asking if any(start in text for output in cell.outputs for text in texts(output))]
                          for start in (f"○ {name} is waiting", f"✓ {name} is right"))
        if len(waiting) != 1:
            yield f"{len(waiting)} cells wait for the answer to exercise {name}"
        if [("solution" in cell.metadata.get("tags", []), cell.source.split("\n")[0]) for cell in right] != [
                (True, "# Worked solution")]:
            yield f"exercise {name} needs one right answer, tagged 'solution', whose first line is '# Worked solution'"


def has_the_anatomy_of_a_chapter(notebook: NotebookNode) -> Iterator[str]:
    headings = [line.lstrip("# ").lower() for cell in notebook.cells if cell.cell_type == "markdown"
                for line in cell.source.splitlines() if line.startswith("#")]
    for wanted in HEADINGS:
        if not any(wanted.lower() in heading for heading in headings):
            yield f"no heading says {wanted!r}"


def names_no_machine(notebook: NotebookNode) -> Iterator[str]:
    for number, cell in enumerate(notebook.cells):
        for text in [cell.source, *(text for output in cell.get("outputs", []) for text in texts(output))]:
            text = EMBEDDED.sub("", text)
            if found := ABSOLUTE_PATH.search(text):
                yield f"cell {number} names a path of one machine: {found.group()!r}…"
            if cell.cell_type == "code" and (found := ADDRESS.search(text)):
                yield f"cell {number} shows the address of an object, {found.group()!r}: end it with an explicit show"


def needs_no_network(notebook: NotebookNode) -> Iterator[str]:
    for number, cell in code_cells(notebook):
        if found := URL.search(cell.source):
            yield f"cell {number} has the address {found.group()} in its code"


def stores_no_widget_state(notebook: NotebookNode) -> Iterator[str]:
    if "widgets" in notebook.metadata:
        yield "widget state is stored: run `make notebooks`"
    for number, output in outputs(notebook):
        if WIDGET_VIEW in output.get("data", {}):
            yield f"cell {number} stores the view of a widget that lives no more: run `make notebooks`"


ALWAYS = [has_the_python3_kernel, was_run_in_order, stores_no_error, is_small, describes_every_picture, has_25_to_45_cells,
          has_short_cells, gives_reasons_for_what_is_not_compared, opens_with_a_title, is_a_lecture, names_no_machine,
          needs_no_network, stores_no_widget_state, hides_its_solutions, poses_every_exercise]
CHAPTERS = [has_the_anatomy_of_a_chapter]  # all but 00, the welcome
