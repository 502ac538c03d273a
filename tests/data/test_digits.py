import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from course_lib.structures import load_images

PARTS = ("train", "validation", "test")
AXIS = np.arange(28) - 13.5  # pixels from the middle, to the right or downwards


@pytest.fixture(scope="module")
def digits():
    return load_images("digits")


@pytest.fixture(scope="module")
def pages(digits):
    return np.concatenate([getattr(digits, part).images for part in PARTS])


def upright(images, labels) -> bool:
    """A 1 is taller than wide and leans to the right, a 7 has a long tail downwards, a 6 one upwards."""
    ones, sevens, sixes = (images[labels == digit].mean(axis=0) for digit in (1, 7, 6))
    down, right = ones.sum(axis=1), ones.sum(axis=0)
    tails = [page.sum(axis=1) @ AXIS**3 for page in (sevens, sixes)]
    return down @ AXIS**2 > 2 * right @ AXIS**2 and AXIS @ ones @ AXIS < 0 and tails[0] > 0 > tails[1]


def test_every_digit_is_as_frequent_as_the_others(digits):
    for part, each in zip(PARTS, (300, 50, 100), strict=True):
        assert np.bincount(getattr(digits, part).labels).tolist() == [each] * 10


def test_no_image_is_there_twice_within_or_across_splits(pages):
    assert len(np.unique(pages.reshape(len(pages), -1), axis=0)) == len(pages) == 4500


def test_the_paper_is_0_and_the_ink_reaches_255(pages):
    assert (np.median(pages, axis=(1, 2)) == 0).all() and (pages.max(axis=(1, 2)) > 200).all() and pages.max() == 255


def test_every_centre_of_mass_is_the_middle_as_mnist_has_it(pages):
    def off(images):
        ink = images / images.sum(axis=(1, 2), keepdims=True)
        return max(abs(ink.sum(axis=2) @ AXIS - 0.5).max(), abs(ink.sum(axis=1) @ AXIS - 0.5).max())

    assert off(pages) < 0.501, "MNIST moves the centre of mass to (14, 14) by whole pixels"
    assert off(np.roll(pages, 1, axis=1)) > 1


def test_digits_stand_upright_and_turned_or_mirrored_ones_would_not(digits):
    images, labels = digits.train
    assert upright(images, labels)
    assert not upright(images.swapaxes(1, 2), labels) and not upright(images[:, :, ::-1], labels)
    assert not any(upright(np.rot90(images, turns, axes=(1, 2)), labels) for turns in (1, 2, 3))
    assert not upright(images, np.roll(labels, 1))


def test_logistic_regression_reads_upright_digits_and_fails_on_turned_ones(digits):
    """About 0.9 for a linear function of the pixels; guessing is right in one of ten."""
    (images, labels), (unseen, answers) = digits.train, digits.test
    model = LogisticRegression(C=0.1, max_iter=500).fit(images.reshape(len(images), -1) / 255, labels)

    def score(pages):
        return model.score(pages.reshape(len(pages), -1) / 255, answers)

    assert 0.87 < score(unseen) < 0.95
    assert score(np.rot90(unseen, axes=(1, 2))) < 0.25
