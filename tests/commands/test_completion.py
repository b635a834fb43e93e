from __future__ import annotations

from tests.calls import Call


def test_a_shell_completes_commands_and_options(nanlint: Call) -> None:
    done = nanlint("sh", _NANLINT_COMPLETE="complete_bash", COMP_WORDS="nanlint sh", COMP_CWORD="1")
    assert done.stdout.split() == ["shapes"]
    words = "nanlint check --show-s"
    done = nanlint("check", "--show-s", _NANLINT_COMPLETE="complete_bash", COMP_WORDS=words, COMP_CWORD="2")
    assert done.stdout.split() == ["--show-settings"]
