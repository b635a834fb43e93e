"""Files that are no prototxt at all, told for what they are."""

from __future__ import annotations

import re

from nanlint.text.source import Span
from nanlint.text.tree import SyntaxFault

_HEAD = 4096
_CONTROL = re.compile("[\x00-\x08\x0e-\x1f]")
_HTML = re.compile(r"[\ufeff \t\r\n]*<(?:!doctype|html|head|body|\?xml|!--)", re.IGNORECASE)
_JSON = re.compile(r'[\ufeff \t\r\n]*[{\[][ \t\r\n]*[{\[]?[ \t\r\n]*"')


def foreign_content(text: str) -> SyntaxFault | None:
    """What the file is, if it is plainly something else than a prototxt; protobuf refuses each of these."""
    what = _kind_of(text[:_HEAD])
    if what is None:
        return None
    line = text[:80].split("\n")[0].rstrip("\r")
    return SyntaxFault(Span(0, max(len(line), 1)), what, "not-a-prototxt")


def _kind_of(head: str) -> str | None:
    if head.startswith("version https://git-lfs.github.com/spec/"):
        return "this is a Git LFS pointer, not the prototxt that it stands for; run `git lfs pull`"
    if head.startswith("\udc89HDF"):
        return "this is an HDF5 file (weights or data), not a prototxt"
    if head.startswith(("\udcff\udcfe", "\udcfe\udcff")) or head.count("\0") > max(4, len(head) // 3):
        return "this file is UTF-16, or binary; protobuf reads ASCII and UTF-8, so save it as UTF-8"
    if _HTML.match(head):
        return "this is an HTML or XML page, not a prototxt; download the raw file, not the page around it"
    if head[:14].lower() == "404: not found":
        return "this is a web server's answer `404: Not Found`, not a prototxt; download the file again"
    if _JSON.match(head):
        return 'this is JSON, not protobuf\'s text format, which reads `layer { name: "conv1" }`'
    if "\0" in head and len(_CONTROL.findall(head)) > max(8, len(head) // 50):
        return "this is a binary file, perhaps a `.caffemodel` with weights, not a prototxt"
    return None
