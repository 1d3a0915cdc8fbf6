"""Search by algebra: ``mix.wav - drums.wav + transpose(bass.wav, 2)``, and what lies nearest."""

from .calibrate import Calibration, calibrate
from .compile import OutOfRange, Plan, plan
from .grammar import Call, Expression, Item, Total, parse
from .items import Collection, Folder, Found, Rows
from .search import Answer, search

__all__ = [
    "Answer", "Calibration", "Call", "Collection", "Expression", "Folder", "Found", "Item", "OutOfRange", "Plan", "Rows", "Total",
    "calibrate", "parse", "plan", "search",
]  # fmt: skip
