"""The book opens from a folder without a network: pictures, formulas, search, and every chapter in it."""

import subprocess
import sys
from contextlib import contextmanager

import lab
import nbformat
import pytest
from accessible import violations

pytest.importorskip("myst_nb", reason="Sphinx comes with `make book`")
CHAPTERS = sorted(lab.NOTEBOOKS.glob("*.ipynb"))
EXAMINED = CHAPTERS[::4]  # by axe, which takes as long as all the rest
LARGEST = 60e6  # bytes of the whole site


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    folder = tmp_path_factory.mktemp("made") / "book"
    made = subprocess.run([sys.executable, lab.ROOT / "docs/book/build.py", "--folder", folder], capture_output=True, text=True)
    assert made.returncode == 0, made.stdout[-2000:] + made.stderr[-4000:]
    return folder


@contextmanager
def opened(running, path):
    """A page of the book without a network, and the complaints about it."""
    page, complaints = running.new_page(viewport={"width": 1280, "height": 900}), []
    try:
        page.context.set_offline(True)
        page.on("pageerror", lambda error: complaints.append(f"the page crashed: {error}"))
        page.on("request", lambda request: None if request.url.startswith(("file:", "data:", "blob:"))
                else complaints.append(f"a request left the machine: {request.url}"))
        page.goto(path)
        page.wait_for_function("() => !window.MathJax?.startup || MathJax.startup.promise.then(() => true)")
        yield page, complaints
    finally:
        page.close()


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.name)
def test_the_chapter_shows_its_pictures_and_its_formulas(running, book, chapter):
    cells = nbformat.read(chapter, as_version=4).cells
    drawn = sum("image/png" in output.get("data", {}) for cell in cells for output in cell.get("outputs", []))
    with opened(running, (book / f"notebooks/{chapter.stem}.html").as_uri()) as (page, complaints):
        images = page.eval_on_selector_all(".cell_output img", "all => all.map(i => [i.naturalWidth, i.alt.trim()])")
        assert len(images) == drawn and all(width > 100 and alt for width, alt in images)
        assert page.locator("mjx-container svg").count() > 5 and page.locator("mjx-merror").count() == 0
        assert "$$" not in page.inner_text("article")
        assert not complaints and (chapter not in EXAMINED or violations(page, "article") == [])


def test_the_search_finds_a_word_and_leads_to_its_chapter(running, book):
    with opened(running, (book / "search.html").as_uri() + "?q=bispectrum") as (page, complaints):
        hit = page.locator("#search-results li a", has_text="What descriptors miss").first
        hit.wait_for(timeout=20_000)
        assert not [text for text in complaints if "left the machine" in text]
        hit.click()
        page.wait_for_selector("article h1:has-text('What descriptors miss')")


def test_the_search_finds_nothing_where_nothing_is(running, book):
    with opened(running, (book / "search.html").as_uri() + "?q=xyzzyplugh") as (page, _):
        page.wait_for_selector(".search-summary", timeout=20_000)
        page.wait_for_timeout(500)
        assert page.locator("#search-results li").count() == 0


@pytest.mark.parametrize(("page_name", "wanted"), [
    ("api/symmetry", "#course_lib\\.symmetry\\.wigner_D"), ("api/point_clouds", "#course_lib\\.point_clouds\\.SchNet"),
    ("docs/conventions", "#wigner-matrices"), ("docs/glossary", "h1"), ("docs/workshop", "#the-day"), ("data/README", "img"),
    ("index", "#the-map"),
])
def test_the_reference_is_there_too(running, book, page_name, wanted):
    with opened(running, (book / f"{page_name}.html").as_uri()) as (page, complaints):
        assert page.locator(wanted).count() >= 1 and not complaints and violations(page, "article") == []
        assert all(page.eval_on_selector_all("article img", "all => all.map(i => i.naturalWidth > 0)"))


def test_the_site_is_light(book):
    assert sum(path.stat().st_size for path in book.rglob("*") if path.is_file()) < LARGEST
