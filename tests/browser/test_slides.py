"""Every slide of every chapter can be read on a projector of 1280 × 720 pixels, without a network."""

import importlib.util

import deck
import lab
import nbformat
import pytest
from accessible import violations
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

pytest.importorskip("sphinx_revealjs", reason="reveal.js comes with `make slides`")
SMALLEST = 12  # pixels of letters, 1/60 of the height of the screen
CHAPTERS = sorted(lab.NOTEBOOKS.glob("*.ipynb"))


@pytest.fixture(scope="module")
def build():
    spec = importlib.util.spec_from_file_location("build_slides", lab.ROOT / "docs/slides/build.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.build


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.name)
def test_every_slide_of_the_chapter_fits_and_is_typeset(running, build, tmp_path, chapter):
    (path,) = build([chapter], tmp_path)
    slides, complaints = deck.look(running, path)
    assert not complaints and len(slides) > 15
    assert [slide for slide in slides if slide.overflow > 1 or slide.scrolled] == []
    assert [slide for slide in slides if slide.unset or slide.blank or slide.missing] == []
    assert min(slide.smallest for slide in slides) >= SMALLEST


def test_slides_of_every_kind_can_be_read_by_who_sees_little(running, build, tmp_path):
    (path,) = build([CHAPTERS[0]], tmp_path)
    page = running.new_page(viewport={"width": deck.WIDTH, "height": deck.HEIGHT})
    page.goto(path.as_uri())
    page.wait_for_function("() => window.deck?.isReady()")
    for kind in ("title", "picture", "prose", "code"):
        page.evaluate("""kind => {
            const section = document.querySelector(`.of-${kind}`).parentElement, column = section.parentElement;
            deck.slide([...column.parentElement.children].indexOf(column), [...column.children].indexOf(section));
        }""", kind)
        shown = f"section.present > section.present > .of-{kind}"
        assert page.locator(shown).count() == 1 and violations(page, shown) == []
    page.set_content("<html lang='en'><title>t</title><p class='pale' style='color: #bbb'>pale <img src='data:,'></p>")
    assert [line.split(",")[0] for line in violations(page, "p")] == ["color-contrast", "image-alt"]
    page.close()


def notebook(*cells):
    for cell in cells:
        cell.metadata["slideshow"] = {"slide_type": "slide"}
    return new_notebook(cells=[new_markdown_cell("# 99 · Toy", metadata={"slideshow": {"slide_type": "slide"}}), *cells])


def test_what_is_too_long_is_divided_and_what_cannot_be_divided_scrolls(running, build, tmp_path):
    long = tmp_path / "99_long.ipynb"
    rows = "\n".join(f"| {n} | a row of a long table |" for n in range(40))
    paragraphs = "\n\n".join(f"- point {n}, {'which takes its time ' * 9}" for n in range(9))
    nbformat.write(notebook(new_markdown_cell(f"## Points\n\n{paragraphs}"),
                            new_markdown_cell(f"## Rows\n\n|a|b|\n|-|-|\n{rows}"),
                            new_code_cell("\n".join(f"line_{n} = {n}" for n in range(60)))), long)
    slides, complaints = deck.look(running, build([long], tmp_path)[0])
    assert not complaints and all(slide.overflow <= 1 for slide in slides)
    assert [slide.scrolled for slide in slides if "Points" in slide.place] == [False] * 2
    assert sum("Rows" in slide.place for slide in slides) > 2 and [slide.scrolled for slide in slides][-1]


@pytest.mark.parametrize(("fault", "noticed"), [
    ('<div class="block" style="margin-left: 900px; width: 600px">wide</div>', lambda slide: slide.overflow > 200),
    ('<div class="block"><p style="height: 900px">tall</p></div>', lambda slide: slide.overflow > 200),
    ('<div class="block"><img src="nowhere.png" alt="Nothing."></div>', lambda slide: slide.missing),
    ('<div class="block"><p style="font-size: 9px">tiny</p></div>', lambda slide: slide.smallest < SMALLEST),
    ('<div class="block"><p>Costs $5 or $6$</p></div>', lambda slide: slide.unset),
])
def test_each_fault_of_a_slide_is_noticed(running, build, tmp_path, fault, noticed):
    toy = tmp_path / "99_toy.ipynb"
    nbformat.write(notebook(new_code_cell("1 + 1")), toy)
    (path,) = build([toy], tmp_path)
    insert = f"document.querySelector('.content').insertAdjacentHTML('beforeend', `{fault}`)"
    path.write_text(path.read_text().replace(
        "startDeck();", f"fit = () => {{}}; MathJax.startup.promise.then(() => {insert}); startDeck();"))
    slides, _ = deck.look(running, path)
    assert noticed(slides[0]) and not noticed(slides[1])
