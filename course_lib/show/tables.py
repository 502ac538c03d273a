"""The audit as a table that says its verdict in words, the same on every machine."""

from html import escape

import pandas as pd
from IPython.display import display

COLUMNS = ["element", "declared", "error", "tolerance", "verdict"]
LOOK = {"✓": "color:#00664A", "✗": "color:#B03A00;font-weight:bold", "·": "color:#666666"}


def _rounded(error: float, tolerance: float) -> str:
    """Rounding noise differs between processors, a broken symmetry does not."""
    if pd.isna(error):
        return "—"
    return f"< {tolerance:.0e}" if error <= tolerance else f"{error:.2g}"


def audit_table(frame: pd.DataFrame) -> None:
    """Show what `symmetry.audit` found: which symmetries a model claims, and which it keeps.

    `frame` has columns element, declared, error, tolerance and verdict. An error within the tolerance is shown as a bound,
    so that the output is the same on every machine. Raises KeyError for a column that is missing.
    """
    missing = [column for column in COLUMNS if column not in frame]
    if missing:
        raise KeyError(f"an audit has columns {COLUMNS}; {missing} are missing: pass what symmetry.audit returns")
    rows = [(str(element), "yes" if declared else "no", _rounded(error, tolerance),
             ("✓ " if verdict.startswith("kept") else "✗ " if verdict == "BROKEN" else "· ") + verdict)
            for element, declared, error, tolerance, verdict in frame[COLUMNS].itertuples(index=False)]
    heads = ("group element", "claimed", "relative error", "verdict")
    widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
    plain = "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in (heads, *rows))
    head = "".join(f'<th scope="col" style="text-align:left">{name}</th>' for name in heads)
    body = "".join(f'<tr><th scope="row" style="text-align:left;font-weight:normal">{escape(row[0])}</th>'
                   + "".join(f'<td style="text-align:left">{escape(cell)}</td>' for cell in row[1:3])
                   + f'<td style="text-align:left;{LOOK[row[3][0]]}">{escape(row[3])}</td></tr>' for row in rows)
    html = f'<table style="font-size:110%"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
    display({"text/plain": plain, "text/html": html}, raw=True)
