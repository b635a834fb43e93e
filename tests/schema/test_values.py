from __future__ import annotations

import math

import pytest

from nanlint.schema.descriptors import descriptor
from nanlint.schema.values import RefusedError, Value, converter
from nanlint.text.parser import parse
from nanlint.text.source import Source
from nanlint.text.tree import Scalar

FIELDS = {
    "uint32": ("InnerProductParameter", "num_output"),
    "int32": ("SolverParameter", "stepsize"),
    "int64": ("SolverParameter", "random_seed"),
    "float": ("SolverParameter", "base_lr"),
    "double": ("BlobProto", "double_data"),
    "bool": ("SolverParameter", "debug_info"),
    "enum": ("PoolingParameter", "pool"),
    "v1type": ("V1LayerParameter", "type"),
    "string": ("LayerParameter", "name"),
    "bytes": ("Datum", "data"),
}


def convert(kind: str, text: str) -> Value:
    message, field = FIELDS[kind]
    value = parse(Source("net.prototxt", f"x: {text}")).root.fields[0].values[0]
    assert isinstance(value, Scalar)
    return converter(descriptor(message).fields_by_name[field])(value)


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        ("uint32", "0", 0), ("uint32", "007", 7), ("uint32", "010", 8), ("uint32", "0x1F", 31),
        ("uint32", "4294967295", 2**32 - 1), ("uint32", "037777777777", 2**32 - 1),
        ("int32", "-0x1", -1), ("int32", "- 1", -1), ("int32", "-2147483648", -(2**31)), ("int32", "-0", 0),
        ("int64", "-9223372036854775808", -(2**63)), ("int64", "9223372036854775807", 2**63 - 1),
        ("float", ".5", 0.5), ("float", "5.", 5.0), ("float", "1.e-2", 0.01), ("float", "0.5f", 0.5),
        ("float", "1F", 1.0), ("float", "7", 7.0), ("float", "0", 0.0), ("float", "0f", 0.0),
        ("float", "INF", math.inf), ("float", "-Infinity", -math.inf), ("float", "1e400", math.inf),
        ("float", "3.4028235e38", 3.4028234663852886e38), ("double", "1e300", 1e300),
        ("float", "9" * 400, math.inf),
        ("bool", "true", True), ("bool", "True", True), ("bool", "t", True), ("bool", "1", True),
        ("bool", "0x1", True), ("bool", "01", True), ("bool", "false", False), ("bool", "f", False),
        ("bool", "False", False), ("bool", "00", False),
        ("enum", "AVE", 1), ("enum", "1", 1), ("enum", "01", 1), ("enum", "0x2", 2),
        ("string", "'a' \"b\"", "ab"), ("string", '"\\xff"', "\\xff"), ("bytes", '"\\xff"', b"\xff"),
    ],
)  # fmt: skip
def test_what_caffe_reads(kind: str, text: str, expected: Value) -> None:
    assert convert(kind, text) == expected


def test_nan_in_any_case() -> None:
    assert all(math.isnan(float(convert("float", text))) for text in ("nan", "NaN", "-NAN"))


REFUSED = """
uint32  -1           wrong-type
uint32  -0           wrong-type
uint32  08           wrong-type
uint32  1.5          wrong-type
uint32  1.0          wrong-type            1
uint32  1e3          wrong-type            1000
uint32  1_000        wrong-type            1000
uint32  +1           wrong-type            1
uint32  "96"         wrong-type            96
uint32  true         wrong-type
uint32  3x3          wrong-type
uint32  nan          wrong-type
uint32  4294967296   integer-out-of-range
int32   2147483648   integer-out-of-range
int32   -2147483649  integer-out-of-range
float   010          wrong-type
float   0x1          wrong-type            1
float   00.5         wrong-type            0.5
float   +0.5         wrong-type            0.5
float   '0.1'        wrong-type            0.1
float   0.1d         wrong-type            0.1
float   half         wrong-type
float   1/2          wrong-type
float   nanf         wrong-type
float   --1          wrong-type
bool    TRUE         wrong-type            true
bool    "true"       wrong-type            true
bool    yes          wrong-type            true
bool    F            wrong-type            false
bool    2            wrong-type
bool    -1           wrong-type
bool    1.0          wrong-type
bool    truee        wrong-type
enum    max          unknown-enum-value    MAX
enum    "MAX"        wrong-type            MAX
v1type  "InnerProduct" wrong-type          INNER_PRODUCT
v1type  Convolution  unknown-enum-value    CONVOLUTION
enum    MEAN         unknown-enum-value
enum    3            unknown-enum-value
enum    -1           unknown-enum-value
enum    99999999999  integer-out-of-range
string  lenet        wrong-type            "lenet"
string  net.prototxt wrong-type            "net.prototxt"
string  7            wrong-type            "7"
"""


@pytest.mark.parametrize("row", REFUSED.strip().splitlines())
def test_what_caffe_refuses_and_what_to_write(row: str) -> None:
    kind, text, fault, *fixed = row.split()
    with pytest.raises(RefusedError) as refused:
        convert(kind, text)
    assert refused.value.kind == fault
    assert text in refused.value.message
    if fixed:
        assert refused.value.text == fixed[0]
        assert convert(kind, fixed[0]) == refused.value.meant


@pytest.mark.parametrize(("kind", "text"), [("uint32", "9" * 5000), ("float", "0x" + "f" * 300)])
def test_no_number_is_too_long_to_refuse(kind: str, text: str) -> None:
    with pytest.raises(RefusedError):
        convert(kind, text)


def test_the_legal_names_are_in_the_message() -> None:
    with pytest.raises(RefusedError, match="write `MAX` or `AVE` or `STOCHASTIC`"):
        convert("enum", "MEAN")
    with pytest.raises(RefusedError, match="write `SOFTMAX`$"):
        convert("v1type", "SOFMAX")
