"""What goes into the book, decided before Sphinx makes pages of it."""

import importlib.util
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
spec = importlib.util.spec_from_file_location("build_book", ROOT / "docs/book/build.py")
book = importlib.util.module_from_spec(spec)
spec.loader.exec_module(book)


def test_links_out_of_the_book_become_words_and_all_others_stay(tmp_path):
    page = tmp_path / "index.md"
    for name in ("index.md", "there.md"):
        (tmp_path / name).touch()
    kept = "[a](there.md) [b](#part) [c](there.md#part) [d](https://arxiv.org) ![picture](gone.png) $f[x](y)$"
    assert book.without_dead_links(kept, page, tmp_path) == kept
    assert book.without_dead_links("[the licence](LICENSE), [18](notebooks/18.ipynb)", page, tmp_path) == "the licence, 18"


def test_every_chapter_belongs_to_one_part_in_order():
    assert sum(map(list, book.PARTS.values()), []) == list(range(19))


def test_every_room_has_a_page_that_names_all_it_offers():
    assert sorted(book.ROOMS) == sorted(path.parent.name for path in (ROOT / "course_lib").glob("*/__init__.py"))
    for room in book.ROOMS:
        listed = [line.rpartition(".")[2] for line in book.api(room).splitlines() if "::" in line and "automodule" not in line]
        assert sorted(listed) == sorted(import_module(f"course_lib.{room}").__all__)


def test_constants_are_shown_from_the_file_that_explains_them():
    assert ".. autodata:: course_lib.symmetry.declaration.E3_VECTOR" in book.api("symmetry")


@pytest.mark.parametrize("page", book.REFERENCE)
def test_the_reference_lists_pages_that_exist_or_are_made(page):
    assert page.startswith("api/") or (ROOT / f"{page}.md").exists()
