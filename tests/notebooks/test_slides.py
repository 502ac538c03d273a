"""What of a notebook comes on its slides and what goes to the speaker's notes, decided without a browser."""

import importlib.util
from pathlib import Path

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

PATH = Path(__file__).parents[2] / "docs/slides/build.py"
spec = importlib.util.spec_from_file_location("build_slides", PATH)
slides = importlib.util.module_from_spec(spec)
spec.loader.exec_module(slides)


@pytest.mark.parametrize(("paragraph", "parts"), [
    ("One. Two! Three? Four", 4),
    ("Schütt et al. Found it, e.g. by J. Chem. Phys. 148, Fig. 2.", 1),
    ("A formula $f(x). Y$ and code `a. B` and (an aside. Another.) stay whole.", 1),
    ("Weights of 0.5 Å are small: so small letters go on. Yes.", 2),
    ("**Bold. Still bold.** Then plain.", 2),
])
def test_sentences_end_where_a_reader_ends_them(paragraph, parts):
    found = slides.sentences(paragraph)
    assert len(found) == parts and " ".join(found) == paragraph


def test_equations_lists_and_folds_are_never_torn_apart():
    equation, fold = "$$\na\n\nb\n$$", "<details>\n\nanswer\n\n</details>"
    assert slides.blocks(f"## H\n\ntext\n\n{equation}\n\n{fold}\n\n- a\n- b") == ["## H", "text", equation, fold, "- a\n- b"]


def test_a_slide_keeps_the_first_the_bold_and_the_leading_sentence_and_every_equation():
    filler = "It goes on and on, and it says what a lecturer says in his own words anyway. "
    text = f"## Title\n\nFirst. {filler * 4}**This matters.** {filler}It reads:\n\n$$x$$\n\n| a |\n|---|\n| 1 |"
    prose, equation, table = slides.on_slide(text)
    assert prose.startswith("First. It goes") and prose.endswith(" … **This matters.** … It reads:")
    assert prose.count("on and on") == 2 < text.count("on and on")
    assert equation == "$$x$$" and table.startswith("| a |")


def cell(make, source, kind, **fields):
    return make(source, metadata={"slideshow": {"slide_type": kind}}, **fields)


def drawn(*texts):
    picture = new_output("display_data", {"image/png": "AAAA", "text/html": "<img>"}, 
                         metadata={"image/png": {"alt": 'A "dot".'}})
    return [picture, *(new_output("stream", name="stdout", text=text) for text in texts)]


def test_columns_and_what_is_skipped_follow_the_slide_types():
    deck = slides.deck(new_notebook(cells=[
        cell(new_markdown_cell, "# 01 · T", "slide"), cell(new_code_cell, "import a\nimport b", "-"),
        cell(new_code_cell, "plot()", "-", outputs=drawn("said")), cell(new_markdown_cell, "## Reader's", "skip"),
        cell(new_markdown_cell, "more of it", "-"), cell(new_markdown_cell, "## A", "slide"),
        cell(new_code_cell, "a = 1", "-"), cell(new_markdown_cell, "## B", "subslide")]))
    assert deck.title == "01 · T"
    assert [[(slide.title, slide.kind) for slide in column] for column in deck.columns] == [
        [("01 · T", "title"), ("01 · T", "picture")], [("A", "prose"), ("A", "code"), ("B", "prose")]]
    picture = deck.columns[0][1]
    assert 'alt="A &quot;dot&quot;."' in picture.blocks[0] and "said" in picture.blocks[1]
    assert "plot" in picture.notes and not any("plot" in block for block in picture.blocks)


def test_a_lecture_shows_what_is_asked_and_neither_stubs_nor_solutions():
    deck = slides.deck(new_notebook(cells=[
        cell(new_markdown_cell, "# 01 · T", "slide"), cell(new_markdown_cell, "## Exercises\n\n**01.1.** How many?", "slide"),
        cell(new_code_cell, "number = ...\ncheck(\"01.1\", number)", "-"),
        cell(new_code_cell, "# Worked solution\ncheck(\"01.1\", 24)", "fragment"),
        cell(new_markdown_cell, "## Summary card", "slide")]))
    assert [[slide.title for slide in column] for column in deck.columns] == [["01 · T"], ["Exercises"], ["Summary card"]]
    assert "How many?" in deck.columns[1][0].blocks[0]


def test_links_lead_to_the_other_decks_and_not_into_the_repository():
    shown = slides.html("[two](02_two.ipynb#part), [data](../data/README.md), [paper](https://arxiv.org/abs/1)")
    assert 'href="02_two.html"' in shown and 'href="https://arxiv.org/abs/1"' in shown and "README" not in shown
