"""The compiled schema, and that it keeps to its own pool."""

from __future__ import annotations

import subprocess
import sys

import pytest

from nanlint.schema import descriptors

FOREIGN_SCHEMA = """
from google.protobuf import descriptor_pb2, descriptor_pool
def load_foreign():
    file = descriptor_pb2.FileDescriptorProto(name="caffe.proto", package="caffe")
    file.message_type.add(name="NetParameter").field.add(
        name="something_else", number=1, type=descriptor_pb2.FieldDescriptorProto.TYPE_BOOL, label=1)
    descriptor_pool.Default().Add(file)
def load_ours():
    from nanlint.schema import descriptors
    net = descriptors.new_net()
    net.layer.add(name="pool1").pooling_param.stride = 5
    assert net.layer[0].pooling_param.stride == 5
"""


@pytest.mark.parametrize("order", ["load_foreign(); load_ours()", "load_ours(); load_foreign()"])
def test_lives_beside_another_caffe_proto_in_one_process(order: str) -> None:
    subprocess.run([sys.executable, "-c", FOREIGN_SCHEMA + order], check=True)


def test_messages_carry_caffes_types_and_defaults() -> None:
    layer = descriptors.new_layer()
    assert layer.pooling_param.stride == 1
    assert not layer.HasField("pooling_param")
    assert descriptors.new_solver().delta == pytest.approx(1e-8)
    assert descriptors.new_net().DESCRIPTOR is descriptors.descriptor("NetParameter")


def test_names_are_those_of_the_schema() -> None:
    assert descriptors.descriptor("PoolingParameter").fields_by_name["pad"].number == 4
    assert descriptors.enum("Phase").values_by_name["TEST"].number == 1
    assert descriptors.enum("PoolingParameter.PoolMethod").values_by_name["AVE"].number == 1
    with pytest.raises(KeyError):
        descriptors.descriptor("NoSuchParameter")
