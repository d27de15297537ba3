"""From a definition to what checks data: the way to the language's own module, and the word about the extra when its library is missing.

PYTEST_DONT_REWRITE
"""

from typing import Final

from publican_emulator.broker.errors import FailedPrecondition
from publican_emulator.broker.schema import Compiled
from publican_emulator.broker.schema_settings import Definition, Language

_LIBRARY: Final = {Language.AVRO: ("Avro", "fastavro"), Language.PROTOCOL_BUFFER: ("Protocol buffer", "grpcio-tools")}


def compile_definition(definition: Definition) -> Compiled:
    """Read a definition.

    Raises:
        InvalidArgument: it is none.
        FailedPrecondition: the library for its language is not installed.
    """
    try:
        if definition.language is Language.AVRO:
            from publican_emulator.schemas import avro  # 60 ms, for who has schemas

            return avro.AvroSchema(definition.text)
        from publican_emulator.schemas import protobuf

        return protobuf.ProtobufSchema(definition)
    except ImportError as error:
        said, library = _LIBRARY[definition.language]
        if (error.name or "").partition(".")[0] not in {"fastavro", "grpc_tools"}:
            raise
        raise FailedPrecondition(f"{said} schemas need {library}, which is not installed here: pip install 'publican[schemas]'.") from None
