"""`render`: a template of this folder, filled in."""

import numbers
from typing import Any

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined

from autogluon_causalmix.report.style import one_line


def render(template: str, **values: Any) -> str:
    """Return a page; whatever is filled in is text and cannot be markup."""
    environment = Environment(
        loader=PackageLoader("autogluon_causalmix", "report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"cell": cell, "one_line": lambda value: one_line(str(value))}
    return environment.get_template(template).render(**values)


def cell(value: Any, decimals: int = 4) -> str:
    """Return a value as a table shows it, a dash where there is none.

    Examples
    --------
    >>> cell(0.51234), cell(21.234, decimals=1), cell(3e-05), cell(633994), cell(None), cell("scm")
    ('0.5123', '21.2', '3e-05', '633,994', '–', 'scm')
    """
    if value is None or (pd.api.types.is_scalar(value) and pd.isna(value)):
        return "–"
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        return str(value)
    if isinstance(value, numbers.Integral):
        return f"{int(value):,}"
    number = float(value)
    return (
        f"{number:,.{decimals}f}" if number == 0 or 1e-3 <= abs(number) < 1e6 else f"{number:.4g}"
    )
