"""The private descriptor pool and the message classes in it.

A generated module that registers google.pubsub.v1 in protobuf's default pool breaks every process that also imports google-cloud-pubsub ("duplicate
symbol"). So the API's descriptor set is shipped as data and the classes are built in a pool of our own, each when it is first asked for. The
well-known types are private too: a `datetime` or `timedelta` may be assigned to their fields, an ordinary `Timestamp` may not.

PYTEST_DONT_REWRITE
"""

import functools
import pathlib
from collections.abc import Callable
from typing import Any

from google.protobuf import descriptor_pool, message_factory
from google.protobuf.message import Message

from publican_protocol import wire


@functools.cache
def pool() -> descriptor_pool.DescriptorPool:
    """Give the pool that holds the API."""
    private = descriptor_pool.DescriptorPool()
    data = (pathlib.Path(__file__).parent / "api.binpb").read_bytes()
    at = 0
    while at < len(data):  # FileDescriptorSet.file, read by hand: importing descriptor_pb2 would be a tenth of the emulator's start
        size, start = wire.read_varint(data, at + 1)
        at = start + size
        private.AddSerializedFile(data[start:at])
    return private


@functools.cache
def message_class(full_name: str) -> type[Message]:
    """Give the class of a message, `google.pubsub.v1.Topic`.

    Raises:
        KeyError: the API has no such message.
    """
    return message_factory.GetMessageClass(pool().FindMessageTypeByName(full_name))


def lazily(namespace: dict[str, Any], *packages: str) -> Callable[[str], Any]:
    """Give a module's `__getattr__`: classes, enums and enum values of `packages`, kept in `namespace` once asked for."""

    def find(name: str) -> Any:
        for package in packages:
            try:
                namespace[name] = found = message_class(f"{package}.{name}")
            except KeyError:
                pass
            else:
                return found
        found = _enum(packages, name)
        if found is None:
            raise AttributeError(f"module {namespace['__name__']!r} has no attribute {name!r}")
        namespace[name] = found
        return found

    return find


def _enum(packages: tuple[str, ...], name: str) -> Any:
    from google.protobuf.internal.enum_type_wrapper import EnumTypeWrapper

    for package in packages:
        try:
            return EnumTypeWrapper(pool().FindEnumTypeByName(f"{package}.{name}"))
        except KeyError:
            continue
    return None
