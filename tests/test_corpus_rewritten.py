"""Old nets as people have them, written in today's format, and training nets made into deploy nets."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from nanlint.analysis.deploy_text import CannotDeployError, deploy_net_text
from nanlint.caffe.load import load_net
from nanlint.caffe.options import Options
from nanlint.caffe.upgrade_text import CannotUpgradeError, upgraded_net_text
from nanlint.text.source import Source

pytestmark = pytest.mark.slow

_OLD = re.compile(rb"(?m)^\s*layers\s*:?\s*\{|^\s*input(_dim|_shape)?\s*[:{]")
_LOSS = re.compile(rb"\w(Loss|_LOSS)\b")


def sources(shared: Path, pattern: re.Pattern[bytes]) -> list[Source]:
    files = {path: path.read_bytes() for path in sorted((shared / "corpus").rglob("*.prototxt"))}
    return [Source.decode(str(path), data) for path, data in files.items() if pattern.search(data)]


def test_every_old_net_that_caffe_reads_is_upgraded(shared: Path) -> None:
    upgraded = 0
    for source in sources(shared, _OLD):
        try:
            text = upgraded_net_text(source)
        except CannotUpgradeError:
            continue
        upgraded += 1
        assert upgraded_net_text(Source(source.path, text)) == text, source.path
        assert text.count("#") == source.text.count("#"), source.path
    assert upgraded >= 175


def test_most_training_nets_whose_input_is_known_have_a_deploy_net(shared: Path, tmp_path: Path) -> None:
    written = 0
    for source in sources(shared, _LOSS):
        try:
            text = deploy_net_text(source, Options())
        except CannotDeployError:
            continue
        written += 1
        (tmp_path / "deploy.prototxt").write_text(text, errors="surrogateescape")
        _, net = load_net(str(tmp_path / "deploy.prototxt"))
        assert not net.refused, source.path
    assert written >= 150
