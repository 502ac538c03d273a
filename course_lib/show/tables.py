"""Tables as words and as HTML: the audit, which says its verdict in words, the same on every machine, for one."""

from collections.abc import Sequence
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


def table_bundle(heads: Sequence[str], rows: Sequence[Sequence[str]], looks: Sequence[str], note: str = "") -> dict[str, str]:
    """Data of the output that shows a table, in letters and in HTML; `looks` are styles of the rows' last cells, `note` is one
    more line below.
    """
    widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
    plain = [*("  ".join(map(str.ljust, row, widths)).rstrip() for row in (heads, *rows)), *([note] if note else [])]
    head = "".join(f'<th scope="col" style="text-align:left">{escape(name)}</th>' for name in heads)
    body = "".join(f'<tr><th scope="row" style="text-align:left;font-weight:normal">{escape(row[0])}</th>'
                   + "".join(f'<td style="text-align:left">{escape(cell)}</td>' for cell in row[1:-1])
                   + f'<td style="text-align:left;{look}">{escape(row[-1])}</td></tr>'
                   for row, look in zip(rows, looks, strict=True))
    html = f'<table style="font-size:110%"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
    return {"text/plain": "\n".join(plain), "text/html": html + (f"<p>{escape(note)}</p>" if note else "")}


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
    display(table_bundle(heads, rows, [LOOK[row[3][0]] for row in rows]), raw=True)
