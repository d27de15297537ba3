"""Server reflection: what a client without the API's definitions (grpcurl, Postman, IDEs) asks a server to describe itself.

The answers are the descriptors of the private pool. v1 and v1alpha differ by their names only. As other servers do it, a file comes with the files
that it imports, each once on a stream.

Source: github.com/grpc/grpc, doc/server-reflection.md.

PYTEST_DONT_REWRITE
"""

from collections.abc import Callable, Iterator
from typing import Any, Final

from google.protobuf.descriptor import FileDescriptor
from google.protobuf.message import DecodeError

from publican_emulator.broker.errors import InvalidArgument
from publican_emulator.rpc.stream import MessageStream
from publican_protocol import reflection
from publican_protocol.codes import Code
from publican_protocol.methods import SERVICES
from publican_protocol.pool import pool

_LISTED: Final = (*SERVICES, "grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection")


async def describe(stream: MessageStream) -> None:
    """Answer each question of a stream, in order, until the client has no more."""
    sent: set[str] = set()
    stream.start()
    while (body := await stream.receive()) is not None:
        try:
            request = reflection.ServerReflectionRequest.FromString(body)
        except DecodeError:
            raise InvalidArgument("The request is not a valid grpc.reflection ServerReflectionRequest.") from None
        answer = answered(request, sent)
        await stream.writable()
        stream.write(answer.SerializeToString())


def answered(request: reflection.ServerReflectionRequest, sent: set[str]) -> reflection.ServerReflectionResponse:
    """Answer one question; `sent` has the names of the files that its client has got."""
    response = reflection.ServerReflectionResponse(valid_host=request.host, original_request=request)
    asked = request.WhichOneof("message_request") or "nothing"
    answer = _ANSWERS.get(asked)
    try:
        if answer is None:
            _refuse(response, Code.INVALID_ARGUMENT, "The request asks nothing.")
        else:
            answer(request, response, sent)
    except KeyError:
        _refuse(response, Code.NOT_FOUND, f"Not found: {asked} {str(getattr(request, asked)).strip()[:500]!r}")
    return response


def _list(request: reflection.ServerReflectionRequest, response: reflection.ServerReflectionResponse, sent: set[str]) -> None:
    response.list_services_response.service.extend(reflection.ServiceResponse(name=name) for name in _LISTED)


def _by_name(request: reflection.ServerReflectionRequest, response: reflection.ServerReflectionResponse, sent: set[str]) -> None:
    _describe(response, pool().FindFileByName(request.file_by_filename), sent)


def _by_symbol(request: reflection.ServerReflectionRequest, response: reflection.ServerReflectionResponse, sent: set[str]) -> None:
    _describe(response, _file_of(request.file_containing_symbol), sent)


def _by_extension(request: reflection.ServerReflectionRequest, response: reflection.ServerReflectionResponse, sent: set[str]) -> None:
    asked = request.file_containing_extension
    extended = pool().FindMessageTypeByName(asked.containing_type)
    extension: Any = pool().FindExtensionByNumber(extended, asked.extension_number)  # its stub knows no `file`
    _describe(response, extension.file, sent)


def _extensions(request: reflection.ServerReflectionRequest, response: reflection.ServerReflectionResponse, sent: set[str]) -> None:
    extended = pool().FindMessageTypeByName(request.all_extension_numbers_of_type)
    numbers = sorted(extension.number for extension in pool().FindAllExtensions(extended))
    response.all_extension_numbers_response.base_type_name = extended.full_name
    response.all_extension_numbers_response.extension_number.extend(numbers)


_ANSWERS: Final[dict[str, Callable[[reflection.ServerReflectionRequest, reflection.ServerReflectionResponse, set[str]], None]]] = {
    "list_services": _list,
    "file_by_filename": _by_name,
    "file_containing_symbol": _by_symbol,
    "file_containing_extension": _by_extension,
    "all_extension_numbers_of_type": _extensions,
}


def _file_of(symbol: str) -> FileDescriptor:
    """Give the file that defines a symbol: a message, an enum, a service, or a member of one."""
    owner, _, member = symbol.rpartition(".")
    try:
        return pool().FindFileContainingSymbol(symbol)
    except KeyError:
        service = pool().FindServiceByName(owner)
        if member not in service.methods_by_name:
            raise
        return service.file


def _describe(response: reflection.ServerReflectionResponse, file: FileDescriptor, sent: set[str]) -> None:
    files = list(_with_imports(file, sent))
    if not files:  # asked for again: the file itself is answer enough
        files = [file]
    response.file_descriptor_response.file_descriptor_proto.extend(each.serialized_pb for each in files)


def _with_imports(file: FileDescriptor, sent: set[str]) -> Iterator[FileDescriptor]:
    if file.name in sent:
        return
    sent.add(file.name)
    yield file
    for imported in file.dependencies:
        yield from _with_imports(imported, sent)


def _refuse(response: reflection.ServerReflectionResponse, code: Code, message: str) -> None:
    response.error_response.error_code = int(code)
    response.error_response.error_message = message
