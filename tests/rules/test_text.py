from __future__ import annotations

import re
from dataclasses import replace

import pytest

from nanlint.findings import Effect, Severity
from nanlint.rules import text
from nanlint.rules.registry import rules, rules_for
from nanlint.schema.bind import Bound, bind
from nanlint.schema.dialect import Dialect
from nanlint.text.directives import directives
from nanlint.text.parser import parse
from nanlint.text.source import Source
from tests.conftest import PROJECT


def net(content: str, dialect: Dialect = Dialect.BVLC) -> Bound:
    return bind(parse(Source("net.prototxt", content)), "NetParameter", dialect)


def codes(bound: Bound) -> list[str]:
    return [rule.code for rule in rules_for("Bound") for _ in rule.check(bound)]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("name =", "TXT001"),
        ("layer {", "TXT002"),
        ("name: 'a',,", "TXT003"),
        ("\ufeffname: 'a'", "TXT004"),
        ("name: 'a\n", "TXT005"),
        ("<!DOCTYPE html>", "TXT006"),
        ("", "TXT007"),
        ("nom: 'a'", "TXT008"),
        ("layer { permute_param { } }", "TXT009"),
        ("state { phase: train }", "TXT010"),
        ("name: a", "TXT011"),
        ("input_dim: 9999999999", "TXT012"),
        ("name: 'a' name: 'b'", "TXT013"),
        ("layer { clip_param { } }", "TXT014"),
    ],
)
def test_each_kind_of_problem_has_its_rule(content: str, code: str) -> None:
    assert set(codes(net(content))) - {"TXT001"} == {code} - {"TXT001"}
    assert code in codes(net(content))


def test_every_kind_that_the_floors_below_name_is_a_rule() -> None:
    said = set()
    for module in (
        "text/lexer",
        "text/parser",
        "text/cursor",
        "text/foreign",
        "text/tree",
        "schema/bind",
        "schema/values",
    ):
        source = (PROJECT / "nanlint" / f"{module}.py").read_text(encoding="utf-8")
        said |= set(re.findall(r'"([a-z]+(?:-[a-z]+)+)"', source))
    assert {"syntax-error", "unknown-field", "wrong-type"} <= said
    assert said - {"utf-8"} <= {rule.name for rule in rules()}


def test_a_sound_net_has_no_finding_of_them() -> None:
    assert codes(net('layer { name: "a" type: "ReLU" bottom: "x" top: "x" }')) == []


def test_forks_are_refused_where_bvlc_is_named() -> None:
    content = "layer { permute_param { order: 0 } }"
    assert codes(net(content)) == ["TXT009"]
    assert not [code for code in codes(net(content, Dialect.ANY)) if code.startswith("TXT0")]


def test_all_of_them_are_certain_and_stop_caffe() -> None:
    mine = [rule for rule in rules() if "TXT0" <= rule.code < "TXT015" and rule.subject == "Bound"]
    assert all(rule.severity is Severity.ERROR for rule in mine)
    assert {rule.effect for rule in mine} == {Effect.PARSE_FAILURE, Effect.RUN_FAILURE}


def test_an_ignore_that_hides_nothing() -> None:
    content = "layer { } # nanlint: ignore[POOL001, LR001] a reason"
    (directive,) = directives(parse(Source("net.prototxt", content)))
    (whole,) = text.unused_ignore(directive)
    assert (
        whole.message
        == "`# nanlint: ignore[POOL001, LR001]` hides nothing: there is no finding of POOL001 or LR001 here"
    )
    assert whole.fix is not None
    assert [edit.text for edit in whole.fix.edits] == [""]
    (part,) = text.unused_ignore(replace(directive, codes=("LR001",)))
    assert part.fix is not None
    assert [edit.text for edit in part.fix.edits] == ["POOL001"]
