"""Rebuild the API's descriptor set and the type stubs from an installed google-cloud-pubsub, and gRPC's own services from grpcio's packages.

    python scripts/rebuild_protocol.py [--check]

google-cloud-pubsub ships messages as descriptors, but its services only as generated client code: the methods are read from the gRPC transports and
their HTTP rules from the REST transports, and both are written back as the service descriptors and google.api.http annotations they came from.
"""

import argparse
import importlib
import inspect
import pathlib
import re
import sys

from google.api import annotations_pb2
from google.iam.v1 import iam_policy_pb2
from google.protobuf import any_pb2, descriptor_pb2, empty_pb2, struct_pb2
from google.protobuf.descriptor import FileDescriptor
from google.pubsub_v1 import types
from google.rpc import error_details_pb2, status_pb2
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2

import protocol_stubs

PACKAGE = pathlib.Path(__file__).resolve().parent.parent / "protocol" / "publican_protocol"
RENAMED = {
    "google/pubsub_v1/types/pubsub.proto": "google/pubsub/v1/pubsub.proto",
    "google/pubsub_v1/types/schema.proto": "google/pubsub/v1/schema.proto",
}
SERVICES = {
    "Publisher": ("publisher", "google/pubsub/v1/pubsub.proto"),
    "Subscriber": ("subscriber", "google/pubsub/v1/pubsub.proto"),
    "SchemaService": ("schema_service", "google/pubsub/v1/schema.proto"),
}
STUB = re.compile(
    r'\.(?P<kind>unary_unary|stream_stream)\(\s*"/google\.pubsub\.v1\.(?P<service>\w+)/(?P<method>\w+)",\s*'
    r"request_serializer=(?P<request>[\w.]+?)\.(?:serialize|SerializeToString),\s*"
    r"response_deserializer=(?P<response>[\w.]+?)\.(?:deserialize|FromString)"
)
MODULES = {"pubsub": "google.pubsub.v1", "gp_schema": "google.pubsub.v1", "schema": "google.pubsub.v1", "empty_pb2": "google.protobuf"}


def descriptor_set() -> descriptor_pb2.FileDescriptorSet:
    """Give the files of the API, each after those it imports."""
    files: dict[str, descriptor_pb2.FileDescriptorProto] = {}
    for file in (
        types.PubsubMessage.pb().DESCRIPTOR.file,
        types.Schema.pb().DESCRIPTOR.file,
        iam_policy_pb2.DESCRIPTOR,
        status_pb2.DESCRIPTOR,
        error_details_pb2.DESCRIPTOR,
        any_pb2.DESCRIPTOR,
        empty_pb2.DESCRIPTOR,
        struct_pb2.DESCRIPTOR,
        annotations_pb2.DESCRIPTOR,
        health_pb2.DESCRIPTOR,
        reflection_pb2.DESCRIPTOR,
    ):
        _collect(file, files)
    _add_reflection_v1(files)
    for service, (module, file_name) in SERVICES.items():
        proto = files[file_name]
        for needed in ("google/api/annotations.proto", "google/protobuf/empty.proto"):
            if needed not in proto.dependency:
                proto.dependency.append(needed)
        _add_service(proto, service, module)
    return descriptor_pb2.FileDescriptorSet(file=_in_order(files))


def _collect(file: FileDescriptor, files: dict[str, descriptor_pb2.FileDescriptorProto]) -> None:
    name = RENAMED.get(file.name, file.name)
    if name in files:
        return
    proto = descriptor_pb2.FileDescriptorProto.FromString(file.serialized_pb)
    proto.ClearField("source_code_info")
    proto.name = name
    proto.dependency[:] = [RENAMED.get(dependency, dependency) for dependency in proto.dependency]
    for message in proto.message_type:
        for field in message.field:
            field.name = field.name.rstrip("_")  # proto-plus renames what Python's own names would hide: Schema.type_
    files[name] = proto
    for dependency in file.dependencies:
        _collect(dependency, files)


def _add_reflection_v1(files: dict[str, descriptor_pb2.FileDescriptorProto]) -> None:
    """Add the stable version of gRPC's reflection: the same file under another name; grpcio-reflection ships the older one only."""
    proto = descriptor_pb2.FileDescriptorProto.FromString(files[reflection_pb2.DESCRIPTOR.name].SerializeToString())
    proto.name, proto.package = "grpc/reflection/v1/reflection.proto", "grpc.reflection.v1"
    proto.ClearField("options")
    for message in proto.message_type:
        for field in message.field:
            if field.type_name:
                field.type_name = field.type_name.replace(".v1alpha.", ".v1.")
    for method in proto.service[0].method:
        method.input_type = method.input_type.replace(".v1alpha.", ".v1.")
        method.output_type = method.output_type.replace(".v1alpha.", ".v1.")
    files[proto.name] = proto


def _in_order(files: dict[str, descriptor_pb2.FileDescriptorProto]) -> list[descriptor_pb2.FileDescriptorProto]:
    ordered: dict[str, descriptor_pb2.FileDescriptorProto] = {}

    def visit(name: str) -> None:
        if name not in ordered:
            for dependency in sorted(files[name].dependency):
                visit(dependency)
            ordered[name] = files[name]

    for name in sorted(files):
        visit(name)
    return list(ordered.values())


def _add_service(file: descriptor_pb2.FileDescriptorProto, service: str, module: str) -> None:
    transports = f"google.pubsub_v1.services.{module}.transports"
    source = inspect.getsource(importlib.import_module(f"{transports}.grpc"))
    rest = getattr(importlib.import_module(f"{transports}.rest_base"), f"_Base{service}RestTransport")
    added = file.service.add(name=service)
    for stub in STUB.finditer(source):
        if stub["service"] != service:
            continue
        streams = stub["kind"] == "stream_stream"
        method = added.method.add(
            name=stub["method"],
            input_type=_full_name(stub["request"]),
            output_type=_full_name(stub["response"]),
            client_streaming=streams,
            server_streaming=streams,
        )
        base = getattr(rest, f"_Base{stub['method']}", None)
        options = getattr(base, f"_Base{stub['method']}__get_http_options", None) or getattr(base, "_get_http_options", None)
        if options is not None and not streams:
            _annotate(method, options())
    added.method.sort(key=lambda method: method.name)


def _full_name(said: str) -> str:
    module, _, name = said.rpartition(".")
    return f".{MODULES[module]}.{name}"


def _annotate(method: descriptor_pb2.MethodDescriptorProto, bindings: list[dict[str, str]]) -> None:
    rule = method.options.Extensions[annotations_pb2.http]
    for place, binding in enumerate(bindings):
        target = rule if place == 0 else rule.additional_bindings.add()
        setattr(target, binding["method"], binding["uri"])
        target.body = binding.get("body", "")


def outputs() -> dict[pathlib.Path, bytes]:
    """Give every generated file with its content."""
    made = descriptor_set()
    files = {PACKAGE / "api.binpb": made.SerializeToString(deterministic=True)}
    for name, text in protocol_stubs.stubs(made).items():
        files[PACKAGE / name] = text.encode()
    return files


def main() -> int:
    """Write the files, or with --check say which differ."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 when a file differs")
    check = parser.parse_args().check
    stale = [path for path, content in outputs().items() if not path.exists() or path.read_bytes() != content]
    for path in stale:
        sys.stdout.write(f"{path.name} {'differs' if check else 'rebuilt'}\n")
        if not check:
            path.write_bytes(outputs()[path])
    return 1 if stale and check else 0


if __name__ == "__main__":
    raise SystemExit(main())
