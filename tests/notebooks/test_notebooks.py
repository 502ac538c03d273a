"""Every stored notebook keeps the rules, every rule can be broken, and storing twice gives the same bytes."""

from pathlib import Path

import nbformat
import pytest
import rules
import store
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from course_lib.exercises import exercises

STORED = sorted(store.NOTEBOOKS.glob("*.ipynb"))
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


@pytest.mark.parametrize("rule", rules.ALWAYS + rules.CHAPTERS, ids=lambda rule: rule.__name__)
def test_every_notebook(rule):
    chosen = STORED if rule in rules.ALWAYS else [path for path in STORED if not path.name.startswith("00")]
    complaints = [f"{path.name}: {text}" for path in chosen for text in rule(nbformat.read(path, as_version=4))]
    assert not complaints, "\n".join(complaints)


def good_notebook():
    picture = new_output("display_data", {"image/png": PIXEL, "text/plain": "A dot.",
                                          "text/html": f'<img src="data:image/png;base64,{PIXEL}" alt="A dot.">'},
                         metadata={"image/png": {"alt": "A dot."}})
    look = {"slideshow": {"slide_type": "slide"}}
    cells = [new_markdown_cell("# 01 · Title\n\nSee https://example.org, a/b and 1/2.", metadata=look),
             new_markdown_cell("\n".join([*(f"## {heading}" for heading in rules.HEADINGS),
                                          *(f"**{name}.** How?" for name in exercises("01"))]), metadata=look),
             new_code_cell("print(1 / 2)", execution_count=1, metadata=look,
                           outputs=[new_output("stream", name="stdout", text="0.5\n"), picture]),
             new_code_cell("import random", execution_count=2,
                           metadata={**look, "tags": ["nbval-ignore-output"], "reason": "a random number"})]
    for name in exercises("01"):
        hidden = {"tags": ["solution"], "jupyter": {"source_hidden": True, "outputs_hidden": True}}
        for source, said, more in ((f'check("{name}", ...)', f"○ {name} is waiting", {}),
                                   (f'# Worked solution\ncheck("{name}", 1)', f"✓ {name} is right", hidden)):
            cells.append(new_code_cell(source, outputs=[new_output("stream", name="stdout", text=said)],
                                       execution_count=len(cells) - 1, metadata={**look, **more}))
    cells += [new_markdown_cell("Prose.", metadata=look) for _ in range(rules.CELLS[0] - len(cells))]
    return new_notebook(cells=cells, metadata={"kernelspec": dict(rules.KERNELSPEC)})


def spoil_code(source):
    return lambda notebook: notebook.cells[2].update(source=source)


def add_output(kind, data=None, metadata=None, **fields):
    return lambda notebook: notebook.cells[2].outputs.append(new_output(kind, data, metadata=metadata or {}, **fields)
                                                             if data else new_output(kind, **fields))


FAULTS = [
    (rules.has_the_python3_kernel, lambda nb: nb.metadata.kernelspec.update(name="venv")),
    (rules.has_the_python3_kernel, lambda nb: nb.metadata.clear()),
    (rules.was_run_in_order, lambda nb: nb.cells[2].update(execution_count=None)),
    (rules.was_run_in_order, lambda nb: nb.cells[3].update(execution_count=7)),
    (rules.was_run_in_order, lambda nb: [cell.update(outputs=[]) for _, cell in rules.code_cells(nb)]),
    (rules.stores_no_error, add_output("error", ename="ValueError", evalue="no", traceback=[])),
    (rules.stores_no_error, add_output("stream", name="stderr", text="warning")),
    (rules.is_small, add_output("display_data", {"image/png": "A" * 140_000}, {"image/png": {"alt": "Much."}})),
    (rules.is_small, add_output("display_data", {"text/html": f'<img src="data:image/png;base64,{"A" * 140_000}">'})),
    (rules.is_small, add_output("stream", name="stdout", text="a" * 1_500_000)),
    (rules.describes_every_picture, add_output("display_data", {"image/png": PIXEL})),
    (rules.describes_every_picture, add_output("display_data", {"image/png": PIXEL}, {"image/png": {"alt": " "}})),
    (rules.describes_every_picture, add_output("display_data", {"text/html": "<img src='a.png'>"})),
    (rules.describes_every_picture, add_output("display_data", {"text/html": "<img alt='' src='a.png'>"})),
    (rules.describes_every_picture, lambda nb: nb.cells[0].update(source="# Title\n![](a.png)")),
    (rules.has_25_to_45_cells, lambda nb: nb.cells.pop()),
    (rules.has_25_to_45_cells, lambda nb: nb.cells.extend(nb.cells[-1:] * 21)),
    (rules.has_short_cells, spoil_code("\n".join(["x = 1"] * 26))),
    (rules.gives_reasons_for_what_is_not_compared, lambda nb: nb.cells[3].metadata.pop("reason")),
    (rules.gives_reasons_for_what_is_not_compared, lambda nb: nb.cells[2].metadata.update(tags=["nbval-skip"])),
    (rules.gives_reasons_for_what_is_not_compared, spoil_code("# NBVAL_IGNORE_OUTPUT")),
    (rules.opens_with_a_title, lambda nb: nb.cells.pop(0)),
    (rules.opens_with_a_title, lambda nb: nb.cells.clear()),
    (rules.opens_with_a_title, lambda nb: nb.cells[0].update(source="Title")),
    (rules.is_a_lecture, lambda nb: nb.cells[1].metadata.clear()),
    (rules.is_a_lecture, lambda nb: nb.cells[1].metadata.slideshow.update(slide_type="page")),
    *[(rules.has_the_anatomy_of_a_chapter,
       lambda nb, heading=heading: nb.cells[1].update(source=nb.cells[1].source.replace(f"## {heading}", heading)))
      for heading in rules.HEADINGS],
    (rules.names_no_machine, spoil_code("open('/home/me/data.npz')")),
    (rules.names_no_machine, spoil_code(r"open('C:\Users\me')")),
    (rules.names_no_machine, add_output("stream", name="stdout", text="File /tmp/ipykernel_1/2.py")),
    (rules.names_no_machine, add_output("display_data", {"text/plain": "<Axes at 0x7f3e12345678>"})),
    (rules.needs_no_network, spoil_code("get('https://example.org/data.npz')")),
    (rules.stores_no_widget_state, lambda nb: nb.metadata.update(widgets={})),
    (rules.hides_its_solutions, lambda nb: nb.cells[3].metadata.update(tags=["solution"])),
    (rules.hides_its_solutions,
     lambda nb: nb.cells[3].metadata.update(tags=["solution"], jupyter={"source_hidden": True})),
    (rules.poses_every_exercise, lambda nb: nb.cells.pop(4)),
    (rules.poses_every_exercise, lambda nb: nb.cells.pop(5)),
    (rules.poses_every_exercise, lambda nb: nb.cells[5].outputs[0].update(text="✗ 01.1 is not right yet")),
    (rules.poses_every_exercise, lambda nb: nb.cells[5].metadata.pop("tags")),
    (rules.poses_every_exercise, lambda nb: nb.cells[5].update(source='check("01.1", 1)')),
    (rules.poses_every_exercise, lambda nb: nb.cells[1].metadata.slideshow.update(slide_type="skip")),
    (rules.poses_every_exercise, lambda nb: nb.cells[1].update(source=nb.cells[1].source.replace("**01.3.**", "Then."))),
    (rules.stores_no_widget_state, add_output("display_data", {rules.WIDGET_VIEW: {"model_id": "1"}})),
]


@pytest.mark.parametrize("rule", rules.ALWAYS + rules.CHAPTERS, ids=lambda rule: rule.__name__)
def test_a_good_notebook_keeps_the_rule_and_some_fault_breaks_it(rule):
    assert not list(rule(good_notebook()))
    assert rule in [broken for broken, _ in FAULTS]


@pytest.mark.parametrize(("rule", "spoil"), FAULTS,
                         ids=[f"{rule.__name__}-{number}" for number, (rule, _) in enumerate(FAULTS)])
def test_each_fault_is_found(rule, spoil):
    notebook = good_notebook()
    spoil(notebook)
    assert list(rule(notebook))


def write(folder: Path, *sources: str) -> Path:
    path = folder / "toy.ipynb"
    nbformat.write(new_notebook(cells=[new_code_cell(source) for source in sources]), path)
    return path


def test_storing_twice_gives_equal_bytes_without_stderr_state_or_timings(tmp_path):
    path = write(tmp_path, "import sys\nprint('hidden', file=sys.stderr)\nprint('seen')",
                 "import ipywidgets\nfrom IPython.display import display\nbox = ipywidgets.IntSlider()\n"
                 "display({**box._repr_mimebundle_(), 'text/html': '<p>still</p>', 'text/plain': 'still'}, raw=True)")
    line = store.store(path)
    once = path.read_bytes()
    store.store(path)
    assert path.read_bytes() == once
    notebook = nbformat.reads(once.decode(), as_version=4)
    for rule in (rules.has_the_python3_kernel, rules.was_run_in_order, rules.stores_no_error, rules.stores_no_widget_state):
        assert not list(rule(notebook))
    assert [output.get("text", "still") for _, output in rules.outputs(notebook)] == ["seen\n", "still"]
    assert "execution" not in notebook.cells[0].metadata and "MiB" in line
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(("source", "complaint"), [
    ("raise KeyError('lost')", "lost"),
    ("import ipywidgets\nipywidgets.IntSlider()", "bare widget"),
    ("from IPython.display import display\n"
     "display({'image/png': 'A' * 140_000, 'text/plain': 'big'}, raw=True)", "picture of 105 kB"),
])
def test_what_must_not_be_stored_is_refused_and_the_file_is_left_alone(tmp_path, source, complaint):
    path = write(tmp_path, source)
    before = path.read_bytes()
    with pytest.raises(ValueError, match=complaint):
        store.store(path)
    assert path.read_bytes() == before
