"""Every kind of problem that is found while a net is built has a rule that documents it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import nanlint.caffe
from nanlint.rules.registry import rules

# the functions that make a problem, and the position of its kind among their arguments
MAKERS = {"refuse": 0, "report": 0, "problem": 0, "Problem": 2, "_problem": 1, "_inline": None, "_mismatch": None}


def kinds() -> Iterator[tuple[str, str]]:
    """Kinds written in the package that builds nets, with their files."""
    for path in sorted(Path(nanlint.caffe.__path__[0]).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call):
                continue
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            at = MAKERS.get(name)
            if at is not None and at < len(node.args):
                kind = node.args[at]
                if isinstance(kind, ast.Constant) and isinstance(kind.value, str):
                    yield kind.value, path.name


def test_each_kind_has_a_rule_of_its_name() -> None:
    names = {rule.name for rule in rules()}
    found = set(kinds())
    assert len(found) > 20
    assert {(kind, file) for kind, file in found if kind not in names} == set()
