from __future__ import annotations

from nanlint.text.source import Place, Source, Span


def test_lines_and_columns_count_from_one_in_code_points() -> None:
    source = Source("net.prototxt", "a\né: “x”\r\n\nlast")
    assert source.position(0) == (1, 1)
    assert source.position(2) == (2, 1)
    assert source.position(source.text.index("x")) == (2, 5)
    assert source.position(len(source.text)) == (4, 5)


def test_lines_come_without_their_break() -> None:
    source = Source("net.prototxt", "a\nb\r\n\nlast")
    assert [source.line(number) for number in (1, 2, 3, 4)] == ["a", "b", "", "last"]


def test_every_byte_survives_the_reading() -> None:
    data = b'name: "caf\xe9\xc3\xa9\x00"\r\n'
    assert Source.decode("net.prototxt", data).text.encode("utf-8", "surrogateescape") == data


def test_a_place_names_its_line() -> None:
    place = Place(Source("net.prototxt", "a: 1\nb: 2"), Span(5, 9), "b")
    assert str(place) == "net.prototxt:2"
    assert (place.start, place.end) == ((2, 1), (2, 5))
