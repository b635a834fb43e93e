"""The texts that Caffe's versions and forks print, and the spellings of a number."""

from __future__ import annotations

import math
import re

PREFIX = re.compile(r"([IWEF])(\d{8}|\d{4}) (\d\d:\d\d:\d\d\.\d+) +(\d+) ([^\s:\]]+):(\d+)\] ?")
"""glog's own: level, date (with the year since 0.5), time, thread, source file and line."""

NUMBER = (
    r"[-+]?(?:1\.#[A-Za-z]+\d*|\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+(?:[eE][-+]?\d+)?"
    r"|[nN][aA][nN](?:\([a-z]+\))?|[iI][nN][fF]\w*)"
)

SHOWN = re.compile(rf"Iteration (\d{{1,18}})\b[^=]*?, (loss|lr) = ({NUMBER})")
TESTING = re.compile(r"Iteration (\d{1,18}), Testing net(?: \(#(\d{1,9})\))?")
OUTPUT = re.compile(rf"(Train|Test) net output #(\d{{1,9}}): (.*?) = ({NUMBER})(?: \(\* ({NUMBER}) = )?")
SCORE = re.compile(rf"Test score #(\d{{1,9}}): ({NUMBER})")
DEBUG = re.compile(rf"\[(Forward|Backward)\] Layer (.*), (top|bottom|param) blob (.*) (?:data|diff): ({NUMBER})")
UPDATE = re.compile(rf"\[Update\] Layer (.*), param (.*) data: ({NUMBER}); diff: ({NUMBER})")
CLIPPED = re.compile(rf"Gradient clipping: scaling down gradients \(L2 norm ({NUMBER}) > ({NUMBER})\)")
RESUMED = re.compile(r"Restoring previous solver status from (.*)")
RESUMED_AT = re.compile(r"_iter_(\d{1,18})\.solverstate")
FILTERED = re.compile(r"(?:^|\s)(\S.*) does not need backward computation")
SHAPE = re.compile(r"Top shape: ((?:\d{1,9} )*)\(\d+\)")

MAX_ITER = re.compile(r"^max_iter: (\d{1,18})", re.MULTILINE)
DISPLAY = re.compile(r"^display: (\d{1,18})", re.MULTILINE)

CRASH = re.compile(
    r"\*\*\* (SIG(?:SEGV|ABRT|FPE|ILL|BUS|SYS)\b.*)"
    r"|(terminate called .*)"
    r"|((?:free|malloc|realloc|munmap_chunk|mremap_chunk|calloc)\(\): .*|malloc_consolidate\(\).*"
    r"|double free or corruption.*|corrupted (?:size|double-linked).*|\*\*\* Error in .*|\*\*\* stack smashing .*)"
    r"|(Segmentation fault.*|Bus error.*|Floating point exception.*|Illegal instruction.*|Aborted \(core dumped\).*)"
)
KILLED = re.compile(r"\*\*\* (SIG(?:TERM|INT|HUP|KILL|QUIT)\b.*)|^(Terminated|Killed|KeyboardInterrupt)\b")

SCALAR = re.compile(
    r'^\s*\w+\s*:\s*(?:"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'|[-+]?[\w.+-]+)\s*$'
    r"|^\s*\w+\s*:?\s*\{\s*$|^\s*\}\s*$|^\s*$"
)
"""A line of a prototxt as protobuf prints it."""


def number(text: str) -> float:
    """The value of a number however a platform spells what is not finite. Raises ValueError for no number."""
    try:
        return float(text)
    except ValueError:
        word = text.lstrip("+-").lower()
        if word.startswith("nan") or (word.startswith("1.#") and not word.startswith("1.#inf")):
            return math.nan
        if word.startswith(("inf", "1.#inf")):
            return -math.inf if text.startswith("-") else math.inf
        raise


def lead_pattern(lead: str) -> re.Pattern[str] | None:
    """What stands before each line where `lead` stands before one: the same but for its numbers."""
    if not lead.strip():
        return None
    return re.compile(re.sub(r"(?:\d+)", r"\\d+", re.escape(lead)))
