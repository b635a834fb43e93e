from __future__ import annotations

import pytest

from nanlint.schema.resemblance import misspelt, resembles_none
from nanlint.text.parser import parse
from nanlint.text.source import Source

PROSE = "# Title\n\nThis is a text, not a net. It has words; and marks!\n\nlayer { name: 'a' }\n\nMore (of) it.\n" * 3
NET = 'layer { name = "a" type: "ReLU" bottom: "x" top: "y" relu_param { negative_slope 0.1 } }\n'
SECRETS = "root:x:0:0:root:/root:/bin/bash\ndaemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin\n"


def said(text: str, foreign: bool = False) -> str | None:
    fault = resembles_none(parse(Source("net.prototxt", text)), foreign)
    return fault.message if fault else None


@pytest.mark.parametrize("foreign", [True, False])
def test_prose_is_no_net(foreign: bool) -> None:
    assert "places of it do not parse" in (said(PROSE, foreign) or "")


@pytest.mark.parametrize("text", [NET, NET * 50, "", "base_lr = 0.1\nmax_iter = 10\nnet = \"a\"\n"])
@pytest.mark.parametrize("foreign", [True, False])
def test_nets_with_many_faults_are_nets(text: str, foreign: bool) -> None:
    assert said(text, foreign) is None


@pytest.mark.parametrize("text", [SECRETS, "password: hunter2\n", "KEY=abc\n", 'item { name: "dog" id: 1 }'])
def test_a_file_that_another_names_has_to_look_like_a_net(text: str) -> None:
    message = said(text, foreign=True)
    assert message is not None
    assert "root" not in message
    assert "hunter2" not in message


def test_more_unknown_fields_than_known_ones() -> None:
    assert "3 of 4 fields are unknown" in (said("name: 'x' alpha: 1 bravo: 2 charlie: 3") or "")
    assert said("name: 'x' alpha: 1 bravo: 2 layer { } layer { } layer { }") is None


def test_slips_are_no_strange_names() -> None:
    assert misspelt("base_lrr")
    assert not misspelt("process")
    assert said("base_lrr: 1 max_itr: 2 gama: 3 lr_polcy: 'x'", foreign=True) is None
