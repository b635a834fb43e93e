from __future__ import annotations

import pytest

from nanlint.text.parser import parse
from nanlint.text.source import Source


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", "Git LFS pointer"),
        (b"\n<!DOCTYPE html>\n<html><body></body></html>", "HTML"),
        (b"<?xml version='1.0'?>", "XML"),
        (b"404: Not Found", "404"),
        (b'{"layer": [{"name": "p"}]}', "JSON"),
        ('name: "p"\n'.encode("utf-16"), "UTF-16"),
        (b"\x89HDF\r\n\x1a\n\0\0\0", "HDF5"),
        (b"\n\x07LeNet\xa2\x06\x1f" + bytes(range(16)) * 8, "caffemodel"),
    ],
)
def test_a_file_of_another_kind_is_named_once(data: bytes, what: str) -> None:
    document = parse(Source.decode("net.prototxt", data))
    (fault,) = document.faults
    assert fault.kind == "not-a-prototxt"
    assert what in fault.message
    assert not document.root.fields


@pytest.mark.parametrize(
    "data",
    [b"", b'name: "p"', b'# <html>\nname: "p"', b"layer < name: 'p' >", b"\0", b"a: 1\x1a", b"# " + b"\x1b[1m" * 20],
)
def test_a_prototxt_is_none_of_them(data: bytes) -> None:
    assert all(fault.kind != "not-a-prototxt" for fault in parse(Source.decode("net.prototxt", data)).faults)
