"""Turn it yourself: a figure that follows sliders in a live notebook and stands still everywhere else.

One output holds both: the widget, which JupyterLab shows while the kernel lives, and the still first frame with its alt
text, which is what a stored notebook, a printout or a web page shows. The live picture is an HTML widget, not an Output
widget: nbclient hangs on those (nbclient 312).
"""

from collections.abc import Callable
from time import perf_counter

import ipywidgets
from IPython.display import display
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from course_lib.show.presenting import bundle, css_width, image_tag, png, require_alt
from course_lib.show.viewer import WIDGET_VIEW

SLOW = 0.3  # seconds a frame above which the picture waits until the slider is let go


def _control(name: str, given) -> ipywidgets.Widget:
    look = {"description": name.replace("_", " "), "style": {"description_width": "10em"},
            "layout": {"width": "min(36em, 100%)"}}
    if isinstance(given, list) and given:
        return ipywidgets.Dropdown(options=given, value=given[0], **look)
    if not isinstance(given, tuple) or len(given) != 4:
        raise ValueError(f"{name}={given!r}: give a slider as (start, stop, step, default), a menu as a list of options")
    start, stop, step, default = given
    if not (start <= default <= stop and step > 0):
        raise ValueError(f"{name}={given!r}: start ≤ default ≤ stop and step > 0 must hold")
    whole = all(isinstance(number, int) for number in given)
    return (ipywidgets.IntSlider if whole else ipywidgets.FloatSlider)(
        min=start, max=stop, step=step, value=default, **look)


def slider(draw: Callable[..., Figure], alt: str, **sliders) -> None:
    """Show `draw(**values)`, a figure, with a control for each keyword; live, it is drawn anew when one moves.

    A control is a slider `(start, stop, step, default)` or a menu, a list of options whose first is the default.
    `alt` describes the first frame; the values that the reader sets are added to it.
    Raises ValueError for an empty alt text or a control that is neither.
    """
    require_alt(alt)
    controls = {name: _control(name, given) for name, given in sliders.items()}
    began = perf_counter()
    figure = draw(**{name: control.value for name, control in controls.items()})
    data, metadata = bundle(figure, alt, f"Run this cell to turn it yourself: {', '.join(controls)}.")
    slow = perf_counter() - began > SLOW
    picture = ipywidgets.HTML(data["text/html"].partition("<p>")[0])

    def redraw(_) -> None:
        values = {name: control.value for name, control in controls.items()}
        figure = draw(**values)
        plt.close(figure)
        said = f"{alt} Now {', '.join(f'{name} = {value}' for name, value in values.items())}."
        picture.value = image_tag(png(figure), css_width(figure), said)

    for control in controls.values():
        if slow and control.has_trait("continuous_update"):
            control.continuous_update = False
        control.observe(redraw, names="value")
    data[WIDGET_VIEW] = ipywidgets.VBox([*controls.values(), picture])._repr_mimebundle_()[WIDGET_VIEW]
    display(data, metadata=metadata, raw=True)
