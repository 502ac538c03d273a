"""What the drawings show is what they were given."""

from io import BytesIO

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from ase import Atoms
from ase.build import bulk
from ase.build import molecule as g2
from ase.neighborlist import build_neighbor_list, natural_cutoffs
from matplotlib.colors import to_rgb
from PIL import Image

from course_lib import show
from course_lib.show.molecules import bonds
from course_lib.show.presenting import png
from course_lib.show.spheres import _grid


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def picture(axis) -> np.ndarray:
    return np.asarray(axis.images[0].get_array())


@pytest.mark.parametrize("name", ["CH4", "CH3CH2OH", "C6H6", "H2O"])
def test_bonds_are_those_of_ase(name):
    atoms = g2(name)
    matrix = build_neighbor_list(atoms, natural_cutoffs(atoms, mult=1.2), skin=0, self_interaction=False,
                                 bothways=False).get_connectivity_matrix(sparse=False)
    assert {tuple(sorted(pair)) for pair in np.argwhere(matrix).tolist()} == {tuple(pair) for pair in bonds(atoms).tolist()}


def test_the_nearer_of_two_atoms_hides_the_other():
    stack = Atoms("ON", positions=[[0, 0, 0], [0, 0, 5]])
    looks = [picture(show.molecule(None, frame, turn=(0, 0, 0), scale_bar=False).axes[0])
             for frame in (stack, Atoms("ON", positions=stack.positions[::-1]))]
    middles = [look[look.shape[0] // 2, look.shape[1] // 2, :3] for look in looks]
    assert middles[0][2] > middles[0][0] and middles[1][0] > middles[1][2]  # blue nitrogen, then red oxygen in front


def covered(axis) -> float:
    """Å² of the picture that are not empty."""
    left, right, bottom, top = axis.images[0].get_extent()
    return (picture(axis)[..., 3] > 0).mean() * (right - left) * (top - bottom)


def test_a_ball_has_its_radius_in_ångström():
    figure = show.molecule(None, Atoms("C", positions=[[3, 1, 2]]), scale_bar=False)
    assert np.sqrt(covered(figure.axes[0]) / np.pi) == pytest.approx(0.15 + 0.33 * 0.76, rel=0.01)


def test_frames_side_by_side_have_one_scale_and_hidden_atoms_no_label():
    figure = show.molecule(None, [g2("CH4"), g2("C6H6")], ["one", "two"])
    widths = [np.ptp(axis.images[0].get_extent()[:2]) for axis in figure.axes]
    assert widths[0] == pytest.approx(widths[1]) and figure.axes[1].get_title() == "two"
    stack = show.molecule(None, Atoms("ON", positions=[[0, 0, 0], [0, 0, 5]]), turn=(0, 0, 0), scale_bar=False)
    assert [text.get_text() for text in stack.axes[0].texts] == ["N"]


def test_an_atom_can_carry_its_row():
    texts = [text.get_text() for text in show.molecule(None, g2("H2O")[[1, 0, 2]], labels="rows").axes[0].texts]
    assert {"O1", "H2"} <= set(texts) and "O" not in texts


def test_a_periodic_frame_is_drawn_with_its_cell_and_a_molecule_is_drawn_in_the_axes_given():
    figure, axis = plt.subplots()
    silicon = bulk("Si", cubic=True)
    assert show.molecule(axis, silicon) is figure
    with_cell = covered(axis)
    silicon.pbc = False
    assert covered(show.molecule(None, silicon).axes[0]) < with_cell - 1


@pytest.mark.parametrize(("arguments", "complaint"), [((None, []), "at least one"), ((None, Atoms()), "0 has no atoms"),
                                                      ((None, [g2("CH4"), Atoms()]), "1 has no atoms")])
def test_nothing_cannot_be_drawn(arguments, complaint):
    with pytest.raises(ValueError, match=complaint):
        show.molecule(*arguments)


def test_two_frames_need_two_axes():
    with pytest.raises(ValueError, match="1 axes for 2 frames"):
        show.molecule(plt.figure().add_subplot(), [g2("CH4"), g2("H2O")])


def space(figure=None):
    return (figure or plt.figure(figsize=(3, 3))).add_subplot(projection="3d")


def test_a_painted_sphere_is_red_where_the_function_is_positive():
    figure = plt.figure(figsize=(3, 3))
    axes = space(figure)
    show.sphere(axes, lambda u: u[:, 2])
    axes.view_init(elev=0)
    red, _, blue = np.moveaxis(np.asarray(Image.open(BytesIO(png(figure))).convert("RGB")).astype(int), -1, 0)
    rows = np.arange(len(red))[:, None] / len(red)
    assert rows[np.nonzero(red - blue > 90)[0]].max() < 0.5 < rows[np.nonzero(blue - red > 90)[0]].min()


def test_a_radial_surface_stands_at_the_absolute_value():
    axes = space()
    show.sphere(axes, lambda u: -2 * u[:, 2], radial=True, limit=4)
    corners = axes.collections[0]._faces.reshape(-1, 3)
    lengths = np.linalg.norm(corners, axis=-1)
    np.testing.assert_allclose(lengths**2, np.abs(corners[:, 2]) / 2, atol=1e-12)  # r = |z| / 2r: two touching balls
    assert lengths.max() == pytest.approx(0.5)


def test_the_grid_is_of_unit_vectors():
    np.testing.assert_allclose(np.linalg.norm(_grid(), axis=-1), 1, rtol=4e-16)


@pytest.mark.parametrize("function", [lambda u: u, lambda u: u[:, 0] + 1j, lambda u: u[:, 0] / 0])
def test_a_function_that_gives_no_real_number_a_vector_is_refused(function):
    with np.errstate(all="ignore"), pytest.raises(ValueError, match="one finite real number a vector"):
        show.sphere(space(), function)


def test_flat_axes_are_refused_for_a_sphere():
    with pytest.raises(ValueError, match="projection='3d'"):
        show.sphere(plt.figure().add_subplot(), lambda u: u[:, 0])


@pytest.mark.parametrize("dimension", [2, 3])
def test_an_orbit_joins_every_image_to_its_start(dimension):
    axes = space() if dimension == 3 else plt.figure().add_subplot()
    points = np.random.default_rng(0).normal(size=(5, 4, dimension))
    show.orbit(axes, points)
    lines = axes.collections[0]
    assert len(lines._segments3d if dimension == 3 else lines.get_segments()) == 20


@pytest.mark.parametrize("shape", [(5, 3), (5, 4, 3), (0, 2), (5,)])
def test_an_orbit_of_another_dimension_is_refused(shape):
    with pytest.raises(ValueError, match="2-D axes"):
        show.orbit(plt.figure().add_subplot(), np.zeros(shape))


RUNS = pd.DataFrame([(n, model, seed, factor * (1 + 0.1 * seed) / n) for model, factor in (("a", 1.0), ("b", 9.0))
                     for n in (10, 100) for seed in range(3)], columns=["n", "model", "seed", "error"])


def test_learning_curves_show_median_and_range_and_differ_without_colour():
    axes = plt.figure().add_subplot()
    show.learning_curves(axes, RUNS, ylabel="MAE (eV)")
    first, second = axes.get_lines()
    np.testing.assert_allclose(first.get_ydata(), [0.11, 0.011])
    assert first.get_marker() != second.get_marker() and first.get_linestyle() != second.get_linestyle()
    band = axes.collections[0].get_paths()[0].vertices
    assert band[:, 1].max() == pytest.approx(0.12) and band[:, 1].min() == pytest.approx(0.01)
    assert axes.get_xscale() == axes.get_yscale() == "log" and axes.get_ylabel() == "MAE (eV)"
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["b", "a"]


def test_a_learning_curve_looks_as_it_is_told_to():
    axes = plt.figure().add_subplot()
    show.learning_curves(axes, RUNS, looks={"b": {"color": "#123456", "marker": "*"}})
    lines = {line.get_label(): line for line in axes.get_lines()}
    assert (lines["b"].get_color(), lines["b"].get_marker()) == ("#123456", "*") and lines["a"].get_marker() != "*"


def test_learning_curves_refuse_what_they_cannot_draw():
    axes = plt.figure().add_subplot()
    with pytest.raises(KeyError, match="'force'"):
        show.learning_curves(axes, RUNS, y="force")
    for wrong in (0.0, -1.0, np.nan):
        with pytest.raises(ValueError, match="must be finite and > 0"):
            show.learning_curves(axes, RUNS.assign(error=wrong))


def test_zero_is_white_in_a_matrix_and_blocks_are_outlined():
    axes = plt.figure().add_subplot()
    image = show.matrix(axes, np.diag([2.0, -1.0, 0.0, 0.0]), [1, 3])
    assert image.get_clim() == (-2, 2)
    assert min(image.cmap(image.norm(0.0))) > 0.96
    assert [(patch.get_xy(), patch.get_width()) for patch in axes.patches] == [((-0.5, -0.5), 1), ((0.5, 0.5), 3)]


@pytest.mark.parametrize(("array", "blocks", "complaint"), [
    (np.eye(4), [1, 5], "make 6 × 6"), (np.eye(4) * 1j, None, "real matrices"), (np.ones(4), None, "real matrices"),
    (np.ones((4, 2)), ([1, 3], [3]), "make 4 × 3")])
def test_a_matrix_that_does_not_fit_is_refused(array, blocks, complaint):
    with pytest.raises(ValueError, match=complaint):
        show.matrix(plt.figure().add_subplot(), array, blocks)


PROTANOPE = np.array([[0.11238, 0.88762, 0], [0.11238, 0.88762, 0], [0.00401, -0.00401, 1]])
DEUTERANOPE = np.array([[0.29275, 0.70725, 0], [0.29275, 0.70725, 0], [-0.02234, 0.02234, 1]])


def closest(colours, blindness: np.ndarray) -> float:
    """Smallest RGB distance of two colours to a dichromat: Viénot, Brettel and Mollon, Color Res. Appl. 24, 243 (1999)."""
    linear = np.array([to_rgb(colour) for colour in colours]) ** 2.2
    seen = np.clip(linear @ blindness.T, 0, 1) ** (1 / 2.2)
    return np.linalg.norm(seen[:, None] - seen, axis=-1)[np.triu_indices(len(colours), 1)].min()


@pytest.mark.parametrize("blindness", [PROTANOPE, DEUTERANOPE], ids=["protanope", "deuteranope"])
def test_the_first_five_colours_are_told_apart_by_colour_blind_readers(blindness):
    assert closest(list(show.COLOURS.values())[:5], blindness) > 0.12
    assert closest(["tab:blue", "tab:orange", "tab:green", "tab:red", "tab:purple"], blindness) < 0.1


def test_the_largest_common_figure_stays_below_100_kb():
    figure = plt.figure(figsize=(9, 4))
    show.sphere(figure.add_subplot(121, projection="3d"), lambda u: u[:, 0] * u[:, 1] * u[:, 2])
    show.orbit(figure.add_subplot(122, projection="3d"), np.random.default_rng(0).normal(size=(200, 3)))
    assert len(png(figure)) < 100_000


def test_a_mesh_is_painted_by_its_numbers_and_arrows_behind_it_are_left_out():
    axes = plt.figure().add_subplot(projection="3d")
    vertices = np.array([[1.0, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 0]])
    faces = np.array([[0, 1, 2], [3, 1, 0]])
    show.surface(axes, vertices, faces, np.array([1.0, 1, 1, -1]))
    colours = axes.collections[0].get_facecolor()
    assert sorted(colours[:, 0] > 2 * colours[:, 2]) == [False, True]  # pale where −1 is near, and red
    axes.view_init(0, 0)
    show.arrows(axes, [[1.0, 0, 0], [-1, 0, 0]], np.full((2, 3), 0.1))
    assert len(axes.collections[1]._segments3d) == 3  # a shaft and two barbs
    for bad in (np.ones(3), np.ones((3, 3))):
        with pytest.raises(ValueError, match="paint has shape"):
            show.surface(axes, vertices, faces, bad)
    for draw in (show.surface, show.arrows):
        with pytest.raises(ValueError, match="needs 3-D axes"):
            draw(plt.figure().add_subplot(), vertices, faces)
