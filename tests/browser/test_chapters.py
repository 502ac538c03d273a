"""Every chapter runs in JupyterLab in a real browser, and what it shows can be seen, turned and read aloud.

Run by `make browser`, not by `make test`: it needs Chromium.
"""

import shutil

import lab
import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

EVERY_PICTURE = ["""
from ase.build import bulk
from ase.build import molecule as g2
from matplotlib import pyplot as plt
from course_lib import show

show.present(show.molecule(None, [g2("CH4"), g2("C6H6")]), "Methane and benzene.")
""", """
def draw(power, sign):
    figure = plt.figure(figsize=(4, 4))
    axes = figure.add_subplot(projection="3d")
    show.sphere(axes, lambda u: sign * u[:, 2] ** power, radial=True)
    return figure

show.slider(draw, "Two lobes along z.", power=(1, 6, 1, 2), sign=[1, -1])
""", """
show.view(g2("CH3CH2OH"), "Ethanol.")
""", """
moved = g2("C6H6")
moved.rattle(0.2, seed=0)
show.view([g2("C6H6"), moved], "Benzene, trembling.")
""", """
show.view([g2("H2O"), bulk("Si", cubic=True) * 3], "Water or silicon.")
""", """
show.structure_map([[0, 0], [1, 2], [2, 1]], [g2("CH4"), g2("H2O"), g2("C6H6")], "Three molecules.", values=[5, 3, 12])
"""]
FAULTS = ["1 / 0", "import sys; print('warning', file=sys.stderr)",
          "import ipywidgets; ipywidgets.HTML('<img src=\"http://127.0.0.2:9/x.png\">')"]
CHAPTERS = sorted(path.name for path in lab.NOTEBOOKS.glob("*.ipynb"))


@pytest.fixture(scope="session")
def address(tmp_path_factory):
    home = tmp_path_factory.mktemp("lab")
    work = home / "notebooks"
    shutil.copytree(lab.NOTEBOOKS, work) if lab.NOTEBOOKS.is_dir() else work.mkdir()
    kernel = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}
    for name, sources in {"every_picture": EVERY_PICTURE, "faults": FAULTS}.items():
        cells = [new_code_cell(source.strip(), metadata={"tags": ["raises-exception"]}) for source in sources]
        nbformat.write(new_notebook(cells=cells, metadata={"kernelspec": kernel}), work / f"{name}.ipynb")
    with lab.jupyterlab(work, home) as served:
        yield served


@pytest.mark.parametrize("name", ["every_picture.ipynb", *CHAPTERS])
def test_the_chapter_runs_and_shows_what_it_should(running, address, name):
    with lab.opened(running, address, name) as notebook:
        notebook.run_all()
        notebook.settle(3)
        try:
            assert not notebook.complaints()
            viewers = notebook.viewers()
            assert all(lab.painted(viewer) > 0.002 for viewer in viewers), "a 3-D viewer shows nothing"
            sliders = notebook.sliders()
            assert sliders or viewers, "nothing to turn: a chapter has a show.slider or a show.view"
            for slider in sliders:
                assert notebook.moves_its_picture(slider), f"nothing moves with the slider {slider.inner_text()!r}"
            assert not notebook.complaints()
        finally:
            notebook.pages(lab.SCREENSHOTS)
        if name.startswith("every_picture"):
            assert (len(sliders), len(viewers)) == (4, 4)


def test_a_click_on_a_map_chooses_that_structure(running, address):
    with lab.opened(running, address, "every_picture.ipynb") as notebook:
        notebook.run_all()
        point = notebook.page.locator(f"{lab.PANEL} .jp-OutputArea button[title='2']")
        place = point.locator("xpath=ancestor::*[contains(@class, 'jp-OutputArea-output')][1]")
        shown = [lambda: place.locator("img").get_attribute("alt"), place.locator("canvas").filter(visible=True).screenshot]
        before = [look() for look in shown]
        point.click()
        notebook.settle(3)
        assert before[0] == "Three molecules. Now chosen: 0." and shown[0]() == "Three molecules. Now chosen: 2."
        assert shown[1]() != before[1]


def test_faults_are_noticed(running, address):
    with lab.opened(running, address, "faults.ipynb") as notebook:
        notebook.run_all()
        found = "\n".join(notebook.complaints())
    for fault in ("ZeroDivisionError", "warning", "left the machine: http://127.0.0.2", "no alt text"):
        assert fault in found


def test_a_blank_canvas_is_noticed(running):
    page = running.new_page()
    page.set_content("<canvas id=a width=200 height=200></canvas><canvas id=b width=200 height=200></canvas>"
                     "<script>b.getContext('2d').fillRect(50, 50, 60, 60)</script>")
    assert lab.painted(page.locator("#a")) == 0 < 0.05 < lab.painted(page.locator("#b"))
    page.close()


def test_a_missing_browser_is_reported_with_its_cure(monkeypatch):
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("CHROMIUM", raising=False)
    with pytest.raises(FileNotFoundError, match="apt install chromium"):
        lab.chromium()
