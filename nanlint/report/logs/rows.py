"""A log's numbers as CSV, a row a number, for spreadsheets and data frames."""

from __future__ import annotations

from collections.abc import Iterator

from nanlint.logs.model import Log

HEAD = "kind,iteration,net,index,name,value"


def rows(log: Log) -> Iterator[str]:
    """The head, then every loss, rate, training output and test score, each kind in file order."""
    yield HEAD
    yield from (f"loss,{iteration},,,,{value!r}" for iteration, value in log.losses.rows())
    yield from (f"lr,{iteration},,,,{value!r}" for iteration, value in log.rates.rows())
    for kind, outputs in (("train", log.outputs), ("test", log.tests)):
        names = [_cell(name) for name in outputs.names]
        columns = zip(outputs.iterations, outputs.nets, outputs.indices, outputs.named, outputs.values, strict=True)
        for iteration, net, index, name, value in columns:
            yield f"{kind},{iteration},{net if kind == 'test' else ''},{index},{names[name]},{value!r}"


def _cell(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if any(sign in text for sign in ',"\n') else text
