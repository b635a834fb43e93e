"""Which message a file's root is."""

from __future__ import annotations

from nanlint.engine.files import Kind


def message_type(kind: Kind) -> str:
    return "SolverParameter" if kind is Kind.SOLVER else "NetParameter"
