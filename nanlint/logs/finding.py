"""What is said of a run: the cause of what its log shows."""

from __future__ import annotations

from typing import NamedTuple

from nanlint.findings import Severity


class LogFinding(NamedTuple):
    """One cause, the most exact word for it first: `cause` is a name of the log contract.

    `line` is a line of the log. `rule` is the code of the rule that foretells it from the solver and the nets
    that the log echoes, and `told` what that rule says of which line.
    """

    cause: str
    severity: Severity
    message: str
    layer: str | None = None
    iteration: int | None = None
    line: int | None = None
    rule: str | None = None
    told: str | None = None
