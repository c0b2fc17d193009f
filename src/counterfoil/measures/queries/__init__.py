"""Every way to read the measures. What rests on published tables is public: whoever looks sees the same."""

from counterfoil.measures.queries.down import (
    PAGE,
    Row,
    Trace,
    behind,
    csv_text,
    files,
    parts_of,
    published_file,
    rows_csv,
    rows_in,
)
from counterfoil.measures.queries.numbers import (
    CHARGED,
    NOT_CRIMES,
    OTHER_CASE,
    Number,
    compute,
    number,
    type_names,
)
from counterfoil.measures.queries.outlines import Outline, draw, outline
from counterfoil.measures.queries.over_time import Point, Series, compare, series
from counterfoil.measures.queries.pages import (
    Board,
    ForceLine,
    ForcePage,
    OutcomeLine,
    TypeLine,
    board,
    force_page,
    headline,
)
from counterfoil.measures.queries.stock import Stock, stock, tables
from counterfoil.measures.queries.tracing import Recomputed, TraceRow, recompute, trace

__all__ = [
    "CHARGED",
    "NOT_CRIMES",
    "OTHER_CASE",
    "PAGE",
    "Board",
    "ForceLine",
    "ForcePage",
    "Number",
    "OutcomeLine",
    "Outline",
    "Point",
    "Recomputed",
    "Row",
    "Series",
    "Stock",
    "Trace",
    "TraceRow",
    "TypeLine",
    "behind",
    "board",
    "compare",
    "compute",
    "csv_text",
    "draw",
    "files",
    "force_page",
    "headline",
    "number",
    "outline",
    "parts_of",
    "published_file",
    "recompute",
    "rows_csv",
    "rows_in",
    "series",
    "stock",
    "tables",
    "trace",
    "type_names",
]
