"""Whether two trees of nanlint say the same, to the byte, of every file beside the project.

    python benchmarks/same.py write FILE [--tree FOLDER] [--sample N] [--jobs N]
    python benchmarks/same.py compare FILE [--tree FOLDER] [--show NAME]

`write` keeps a digest of the JSON of `check`, `scale` and `ranges` for each file of the corpus and each case of the
oracle, as the nanlint in FOLDER (this one) gives it; `compare` runs the same files and names those whose JSON is
another. `--show NAME` prints the JSON of one file, to be held against another tree's. Exit status 1: they differ.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import random
import sys
import tempfile
from collections.abc import Callable, Iterator
from hashlib import sha256
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

PROJECT = Path(__file__).resolve().parent.parent
SHARED = Path(os.environ.get("NANLINT_SHARED", PROJECT.parent / "shared"))
NO_NETS = (".md", ".tsv", ".txt", "LICENSE", "License")
CHUNK = 16


class Subject(NamedTuple):
    """One call: a path relative to the folder it is made from, and the Caffe that it names."""

    folder: str
    path: str
    caffe: str | None


def subjects(folder: Path) -> Iterator[Subject]:
    """The files of the corpus as they lie there, and those of the oracle, laid out in a folder."""
    corpus = SHARED / "corpus"
    for path in sorted(corpus.rglob("*")):
        if path.is_file() and not path.name.endswith(NO_NETS):
            yield Subject(str(corpus), str(path.relative_to(corpus)), None)
    for family in sorted((SHARED / "oracle" / "cases").glob("*.jsonl")):
        for line in family.read_text().splitlines():
            case = json.loads(line)
            name = case["id"].replace("/", "-")
            (folder / name).mkdir()
            for file, text in case["files"].items():
                plain = isinstance(text, str)
                data = text.encode(errors="surrogateescape") if plain else base64.b64decode(text["base64"])
                (folder / name / file).write_bytes(data)
            yield Subject(str(folder), f"{name}/solver.prototxt", "bvlc")


def said(subject: Subject) -> str:
    """All that is said of a file, as JSON; of a bug, the bug."""
    from nanlint import engine
    from nanlint.config import Settings
    from nanlint.engine.load import open_all
    from nanlint.report import json as findings
    from nanlint.report import ranges, scale

    os.chdir(subject.folder)
    settings = Settings(caffe=subject.caffe)
    report = engine.check([subject.path], settings)
    parts = [findings.dumps(report), *report.failures]
    loaded = open_all([subject.path], settings).loaded
    trained = [(subject.path, one.solver, [net for net in one.nets if not net.refused]) for one in loaded]
    parts.append(_or_error(lambda: scale.dumps(trained)))
    parts.append(_or_error(lambda: ranges.dumps([(path, nets) for path, _, nets in trained])))
    return "\n".join(parts)


def _or_error(write: Callable[[], str]) -> str:
    try:
        return write()
    except Exception as error:
        return repr(error)


def digest(subject: Subject) -> tuple[str, str]:
    return subject.path, sha256(said(subject).encode()).hexdigest()


def digests(asked: argparse.Namespace, only: set[str] | None = None) -> dict[str, str]:
    """Of each file, by path; of those in `only`, or a sample."""
    sys.path.insert(0, str(asked.tree))
    sys.setrecursionlimit(10_000)
    with tempfile.TemporaryDirectory() as folder:
        every = [one for one in subjects(Path(folder)) if only is None or one.path in only]
        if asked.sample and asked.sample < len(every):
            every = random.Random(1).sample(every, asked.sample)
        with get_context("fork").Pool(asked.jobs, maxtasksperchild=CHUNK) as pool:
            return dict(pool.imap_unordered(digest, every, CHUNK))


def show(asked: argparse.Namespace) -> None:
    sys.path.insert(0, str(asked.tree))
    with tempfile.TemporaryDirectory() as folder:
        print(said(next(one for one in subjects(Path(folder)) if one.path == asked.show)))


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("do", choices=("write", "compare"))
    parser.add_argument("file", type=Path)
    parser.add_argument("--tree", type=Path, default=PROJECT)
    parser.add_argument("--sample", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--show", default="")
    asked = parser.parse_args()
    if asked.show:
        show(asked)
        return 0
    if asked.do == "write":
        asked.file.write_text(json.dumps(digests(asked), indent=0, sort_keys=True))
        return 0
    before = json.loads(asked.file.read_text())
    if asked.sample:
        before = dict(random.Random(2).sample(sorted(before.items()), asked.sample))
        asked.sample = 0
    after = digests(asked, set(before))
    other = sorted(path for path in before if before[path] != after.get(path))
    for path in other:
        print(path)
    print(f"{len(other)} of {len(before)} differ")
    return 1 if other else 0


if __name__ == "__main__":
    sys.exit(main())
