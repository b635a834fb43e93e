from __future__ import annotations

import json

from nanlint.rules.registry import rules
from tests.calls import Call


def test_rules_as_json(nanlint: Call) -> None:
    listed = json.loads(nanlint("rules", "--output-format", "json").stdout)["rules"]
    assert [one["code"] for one in listed] == [rule.code for rule in rules()]
    assert all(one["summary"] and one["page"].startswith(one["summary"][:20]) for one in listed)
    assert all(one["url"].endswith(f"/rules/{one['name']}/") for one in listed)
