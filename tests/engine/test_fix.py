from __future__ import annotations

import os
from pathlib import Path

from nanlint import engine
from nanlint.engine.fix import Fixes
from nanlint.engine.fix import apply as apply_fixes
from nanlint.findings import Applicability, Edit, Effect, Finding, Fix, Severity
from nanlint.text.source import Place, Source, Span


def fixing(source: Source, *edits: tuple[int, int, str], safe: bool = True) -> Finding:
    places = tuple(Edit(Place(source, Span(start, end)), text) for start, end, text in edits)
    fix = Fix("mend it", places, Applicability.SAFE if safe else Applicability.UNSAFE)
    return Finding("AA001", "aa", Severity.ERROR, Effect.NONE, "x", Place(source, Span(0, 1)), fix=fix)


def apply(findings: list[Finding]) -> int:
    """Apply fixes to files that the call named; how many were made."""
    fixes = Fixes()
    apply_fixes(findings, {os.path.realpath(one.place.source.path) for one in findings}, fixes)
    return sum(fixes.made.values())


def source(tmp_path: Path, text: str) -> Source:
    path = tmp_path / "net.prototxt"
    path.write_text(text)
    return Source(str(path), text)


def test_several_fixes_of_one_file(tmp_path: Path) -> None:
    file = source(tmp_path, "pool: max stride: 5\n")
    assert apply([fixing(file, (6, 9, "MAX")), fixing(file, (18, 19, "3"))]) == 2
    assert Path(file.path).read_text() == "pool: MAX stride: 3\n"


def test_of_two_that_collide_the_first_is_made_whole(tmp_path: Path) -> None:
    file = source(tmp_path, "pool: max stride: 5\n")
    assert apply([fixing(file, (6, 9, "MAX")), fixing(file, (18, 19, "3"), (6, 9, "AVE"))]) == 1
    assert Path(file.path).read_text() == "pool: MAX stride: 5\n"


def test_what_may_change_the_meaning_is_left_to_the_author(tmp_path: Path) -> None:
    file = source(tmp_path, "pool: max\n")
    assert apply([fixing(file, (6, 9, "MAX"), safe=False)]) == 0
    assert Path(file.path).read_text() == "pool: max\n"


def test_a_file_that_has_changed_meanwhile_is_left_alone(tmp_path: Path) -> None:
    file = source(tmp_path, "pool: max\n")
    Path(file.path).write_text("pool: AVE\n")
    assert apply([fixing(file, (6, 9, "MAX"))]) == 0
    assert Path(file.path).read_text() == "pool: AVE\n"


SOLVER = 'net: "net.conf"\nbase_lr: 0.1\nlr_policy: "fixed"\nmax_iter: 10\ndisplay: 5\nsnapshot_prefix: "a"\n'
NET = 'layer { name: "data" type: "Input" top: "data" input_param { shape: { dim: 1 } } ;; }\n'


def test_a_file_that_the_call_does_not_name_is_not_changed(tmp_path: Path) -> None:
    (tmp_path / "solver.prototxt").write_text(SOLVER)
    (tmp_path / "net.conf").write_text(NET)
    report = engine.check([str(tmp_path / "solver.prototxt")], fix=True)
    assert (tmp_path / "net.conf").read_text() == NET
    assert [finding.name for finding in report.findings if finding.fix] == ["stray-separator"]
    assert report.notes == (
        f"`{tmp_path}/net.conf` is not named by this call, so 1 finding in it is not fixed; give it to `--fix` too",
    )
    report = engine.check([str(tmp_path / "solver.prototxt"), str(tmp_path / "net.conf")], fix=True)
    assert (tmp_path / "net.conf").read_text() == NET.replace(";;", ";")
    assert report.notes == (f"fixed 1 finding in `{tmp_path}/net.conf`",)


def test_what_cannot_be_written_is_reported_all_the_same(tmp_path: Path) -> None:
    locked, open_ = tmp_path / "a.prototxt", tmp_path / "b.prototxt"
    for file in (locked, open_):
        file.write_text(NET)
    locked.chmod(0o444)
    report = engine.check([str(locked), str(open_)], fix=True)
    assert report.failures == (f"cannot write `{locked}`: permission denied",)
    assert locked.read_text() == NET
    assert open_.read_text() != NET
    assert [finding.name for finding in report.findings if finding.fix] == ["stray-separator"]
