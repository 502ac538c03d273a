"""How a figure enters a notebook: as a picture and as words.

JupyterLab 4.6 forgets the alt text of an image/png output, and nbconvert, GitHub and the book prefer different
representations. So an output holds three: text/html, an <img> with its alt text (JupyterLab, nbconvert, the book);
image/png with the same alt text in its metadata (what needs a bare picture: LaTeX, search, converters); and text/plain,
the alt text itself, which a terminal prints and nbval compares.
"""

from base64 import b64encode
from html import escape
from io import BytesIO

import matplotlib.pyplot as plt
from IPython.display import display
from matplotlib.figure import Figure
from PIL import Image

COLOURS_IN_A_PNG = 200


def png(figure: Figure) -> bytes:
    """The figure as PNG of at most 200 colours, without metadata: equal figures are equal bytes, a few tens of kB."""
    drawn, small = BytesIO(), BytesIO()
    figure.savefig(drawn, format="png", pil_kwargs={"compress_level": 1})
    Image.open(drawn).convert("RGB").quantize(COLOURS_IN_A_PNG, dither=Image.Dither.NONE).save(small, format="png")
    return small.getvalue()


def image_tag(picture: bytes, width: float, alt: str) -> str:
    """An <img> that holds its picture, `width` in CSS pixels; a narrow window shrinks it."""
    data = b64encode(picture).decode()
    return f'<img src="data:image/png;base64,{data}" width="{width:.0f}" alt="{escape(alt)}" style="max-width:100%">'


def require_alt(alt: str) -> None:
    """Raises ValueError unless `alt` says something."""
    if not isinstance(alt, str) or not alt.strip():
        raise ValueError(f"alt={alt!r}: say in a sentence what the figure shows, for readers who do not see it")


def css_width(figure: Figure) -> float:
    return figure.get_figwidth() * figure.dpi


def bundle(figure: Figure, alt: str, note: str = "") -> tuple[dict, dict]:
    """Data and metadata of the output that shows the figure; `note` is one more line below it. Closes the figure."""
    require_alt(alt)
    if not isinstance(figure, Figure):
        raise TypeError(f"{type(figure).__name__} is not a matplotlib Figure: return or pass the figure, not its axes")
    picture, width = png(figure), css_width(figure)
    plt.close(figure)
    html = image_tag(picture, width, alt) + (f"<p><em>{escape(note)}</em></p>" if note else "")
    data = {"text/plain": "\n".join(filter(None, (alt, note))), "text/html": html,
            "image/png": b64encode(picture).decode()}
    return data, {"image/png": {"alt": alt, "width": round(width)}}


def present(figure: Figure, alt: str) -> None:
    """Show the figure with its alt text, and close it: the last line of every plotting cell.

    `alt` says in a sentence what the figure shows, with the number or trend that matters.
    Raises ValueError for an empty alt text and TypeError for what is not a matplotlib figure.
    """
    data, metadata = bundle(figure, alt)
    display(data, metadata=metadata, raw=True)
