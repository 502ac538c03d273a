import shutil
from pathlib import Path

import numpy as np
import pytest

from course_lib.structures import ImageDataset, datasets, load, load_images

DATA = Path(__file__).resolve().parents[2] / "data"


@pytest.fixture
def digits_folder(tmp_path, monkeypatch):
    for path in [*DATA.glob("digits.*"), *DATA.glob("methane.*")]:
        shutil.copy(path, tmp_path)
    monkeypatch.setenv("COURSE_DATA", str(tmp_path))
    return tmp_path


def test_a_split_unpacks_into_images_and_their_labels():
    digits = load_images("digits")
    assert isinstance(digits, ImageDataset)
    assert repr(digits) == ("ImageDataset digits: Handwritten digits of MNIST, 28 × 28 pixels "
                            "(3000 train, 500 validation, 1000 test)")
    for part, size in digits.card.frames.items():
        images, labels = getattr(digits, part)
        assert images.shape == (size, 28, 28) and labels.shape == (size,)
        assert images.dtype == labels.dtype == np.uint8


def test_the_table_lists_images_among_the_other_sets():
    row = datasets().loc["digits"]
    assert row[["train", "validation", "test"]].tolist() == [3000, 500, 1000] and row["labels"] == "images, labels"


def test_each_kind_of_set_is_refused_by_the_loader_of_the_other_which_it_names(digits_folder):
    with pytest.raises(ValueError, match=r"'digits' holds images, not structures: load_images\('digits'\)"):
        load("digits")
    with pytest.raises(ValueError, match=r"'methane' holds structures, not images: load\('methane'\)"):
        load_images("methane")
    with pytest.raises(ValueError, match="no data set is called 'digit'; did you mean 'digits'"):
        load_images("digit")


def test_a_damaged_or_missing_file_of_images_is_noticed(digits_folder):
    path = digits_folder / "digits.npz"
    content = bytearray(path.read_bytes())
    content[5000] ^= 1
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"'digits'.*damaged"):
        load_images("digits")
    path.unlink()
    with pytest.raises(FileNotFoundError, match=r"digits\.npz is missing.*data/generate/digits\.py"):
        load_images("digits")
