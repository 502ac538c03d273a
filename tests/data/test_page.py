"""data/README.md shows every set: a row, a picture with words for who does not see it, and a paragraph."""

import importlib.util
import json
import re
from pathlib import Path

import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
CARDS = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted((ROOT / "data").glob("*.json"))}
PAGE = (ROOT / "data/README.md").read_text(encoding="utf-8")
COMPUTED = ("DFT", "CCSD(T)")  # methods that may stand without a warning


def entry(page: str, name: str) -> tuple[str, str]:
    """Alt text and paragraph of a set: the picture is followed by the paragraph that starts with its name."""
    found = re.findall(rf"^!\[([^\]]*)\]\(\.\./docs/data/{name}\.png\)\n\n(\*\*`{name}`\*\* (?:.+\n)+)", page, re.MULTILINE)
    assert len(found) == 1, f"{name}: {len(found)} pictures followed by a paragraph"
    return found[0]


@pytest.mark.parametrize("name", CARDS)
def test_every_set_has_a_row_a_picture_and_a_paragraph(name):
    alt, paragraph = entry(PAGE, name)
    assert len(alt) > 40 and alt.endswith(".") and len(paragraph) > 150
    (row,) = re.findall(rf"^\| `{name}` \|.*$", PAGE, re.MULTILINE)
    assert ("not DFT" in row + paragraph) or CARDS[name]["method"] in (*COMPUTED, "measurement")


@pytest.mark.parametrize("name", CARDS)
def test_every_picture_is_light_and_wide_enough(name):
    path = ROOT / f"docs/data/{name}.png"
    assert path.stat().st_size <= 60_000
    with Image.open(path) as picture:
        assert picture.width == 1000 and 200 < picture.height < 600
        assert len(set(picture.convert("L").resize((50, 20)).tobytes())) > 10, "an empty picture"


def test_there_are_pictures_of_the_sets_and_of_nothing_else():
    spec = importlib.util.spec_from_file_location("data_pictures", ROOT / "docs/data_pictures.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert {path.stem for path in (ROOT / "docs/data").iterdir()} == set(CARDS) <= set(module.PICTURES)


def test_a_set_without_words_is_noticed():
    with pytest.raises(AssertionError, match="argon: 0 pictures"):
        entry("![](../docs/data/argon.png)\n\nSome other paragraph.\n", "argon")
    with pytest.raises(AssertionError, match="argon: 0 pictures"):
        entry("**`argon`** is a gas.\n", "argon")


def test_all_data_are_light_enough_to_travel():
    assert sum((ROOT / "data" / card["file"]).stat().st_size for card in CARDS.values()) < 20e6
