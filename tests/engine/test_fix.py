from __future__ import annotations

from pathlib import Path

from nanlint.engine.fix import apply
from nanlint.findings import Applicability, Edit, Effect, Finding, Fix, Severity
from nanlint.text.source import Place, Source, Span


def fixing(source: Source, *edits: tuple[int, int, str], safe: bool = True) -> Finding:
    places = tuple(Edit(Place(source, Span(start, end)), text) for start, end, text in edits)
    fix = Fix("mend it", places, Applicability.SAFE if safe else Applicability.UNSAFE)
    return Finding("AA001", "aa", Severity.ERROR, Effect.NONE, "x", Place(source, Span(0, 1)), fix=fix)


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
