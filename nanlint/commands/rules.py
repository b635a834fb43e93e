"""`nanlint rules`."""

from __future__ import annotations

from typing import NamedTuple

from nanlint.commands.console import OK, show
from nanlint.options import TableFormat


class Options(NamedTuple):
    output_format: TableFormat = "text"


def run(options: Options) -> int:
    """List every rule, one a line."""
    from nanlint.rules.registry import rules

    if options.output_format == "json":
        import json

        from nanlint.findings import rule_url

        listed = [
            {
                "code": one.code,
                "name": one.name,
                "severity": one.severity.value,
                "effect": one.effect.value,
                "summary": one.summary,
                "page": one.page,
                "url": rule_url(one.name),
            }
            for one in rules()
        ]
        show([json.dumps({"version": 1, "rules": listed}, indent=1)])
    else:
        show(f"{one.code:9} {one.severity.value:8} {one.name:34} {one.summary}" for one in rules())
    return OK
