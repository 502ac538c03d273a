import shutil
from pathlib import Path

import numpy as np
import pytest
from scipy.interpolate import RegularGridInterpolator
from scipy.spatial.transform import Rotation

from course_lib.structures import ImageDataset, datasets, load, load_images, project_images

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


def angles(polar, azimuth):
    polar, azimuth = np.broadcast_arrays(polar, azimuth)
    return np.stack([np.sin(polar) * np.cos(azimuth), np.sin(polar) * np.sin(azimuth), np.cos(polar)], axis=-1)


def test_a_direction_sees_the_pixel_whose_stereographic_angle_it_has():
    images = np.random.default_rng(0).integers(0, 256, (3, 28, 28), dtype=np.uint8)
    centre = (np.arange(28) + 0.5) / 14 - 1
    x, y = np.meshgrid(centre, -centre)
    directions = angles(2 * np.arctan(np.hypot(x, y)), np.arctan2(y, x)).reshape(-1, 3)
    np.testing.assert_allclose(project_images(images, 2.5 * directions).reshape(images.shape), images, rtol=0, atol=1e-10)


def test_between_pixels_the_image_is_bilinear_and_outside_it_is_paper():
    rng = np.random.default_rng(1)
    images = rng.random((4, 6, 9))  # half the longer side is ρ = 1
    directions = rng.normal(size=(4, 500, 3))
    directions /= np.linalg.norm(directions, axis=-1, keepdims=True)
    radius = np.tan(np.arccos(directions[..., 2]) / 2)
    plane = directions[..., :2] / np.linalg.norm(directions[..., :2], axis=-1, keepdims=True) * radius[..., None]
    centres = [(np.arange(-1, n + 1) + 0.5 - n / 2) / 4.5 for n in (6, 9)]
    for image, own, points in zip(images, directions, plane, strict=True):
        planar = RegularGridInterpolator(centres, np.pad(image, 1)[::-1], bounds_error=False, fill_value=0)
        expected = planar(points[:, ::-1])
        assert 0.1 < (expected == 0).mean() < 0.9
        np.testing.assert_allclose(project_images(image[None], own)[0], expected, atol=1e-12)
    each = [project_images(image[None], own)[0] for image, own in zip(images, directions, strict=True)]
    np.testing.assert_array_equal(project_images(images, directions), each)


def test_the_south_pole_sees_nothing_and_a_square_image_ends_at_the_equator():
    white = np.full((1, 28, 28), 255, np.uint8)
    directions = angles(np.deg2rad([0, 87, 90, 93, 180]), 0)  # the outermost pixels, 2° wide, fade half-way at the equator
    seen = project_images(white, np.vstack([directions, [[0, 0, -1]]]))
    np.testing.assert_allclose(seen, [[255, 255, 127.5, 0, 0, 0]], atol=1e-9)


def test_a_turned_digit_is_the_digit_in_turned_back_directions():
    digit = load_images("digits").test.images[:1]
    around = np.arange(0, 360, 90)
    directions = angles(np.deg2rad(40), np.deg2rad(10 + around))
    turned = project_images(digit, directions @ Rotation.from_euler("z", 90, degrees=True).as_matrix())
    np.testing.assert_allclose(turned, project_images(np.rot90(digit, axes=(1, 2)), directions), atol=1e-9)
    assert np.abs(turned - project_images(digit, directions)).max() > 50


@pytest.mark.parametrize(("images", "directions", "cure"), [
    (np.zeros((28, 28)), np.eye(3), r"images have shape \(28, 28\).*images\[None\]"),
    (np.zeros((2, 28, 28)), np.ones(3), r"directions have shape \(3,\) for 2 images"),
    (np.zeros((2, 28, 28)), np.ones((3, 5, 3)), r"directions have shape \(3, 5, 3\) for 2 images"),
    (np.zeros((2, 28, 28)), [[0, 0, 1], [0, 0, 0.0]], r"direction 1 is \[0\. 0\. 0\.\]"),
])
def test_what_cannot_be_projected_is_refused_by_name(images, directions, cure):
    with pytest.raises(ValueError, match=cure):
        project_images(images, directions)
