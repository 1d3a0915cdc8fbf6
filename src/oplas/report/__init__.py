"""A certificate, shown: a page that needs nothing but itself, and its plots as files.

Reports only show what :mod:`oplas.certify` measured; they measure nothing. Plotting is imported when something is drawn.
"""

from .drawing import png, svg
from .headline import headline
from .page import page
from .plots import figures
from .write import write

__all__ = ["figures", "headline", "page", "png", "svg", "write"]
