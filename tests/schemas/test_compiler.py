"""The libraries for schemas come when the first schema comes; without them, that is said."""

import subprocess
import sys

import pytest

from publican_emulator import schemas
from publican_emulator.broker.errors import FailedPrecondition
from publican_emulator.broker.schema_settings import Definition, Language
from publican_emulator.schemas.compiler import compile_definition

AVRO = Definition(Language.AVRO, '{"type": "record", "name": "R", "fields": []}')
PROTOBUF = Definition(Language.PROTOCOL_BUFFER, "message A {}")


@pytest.mark.parametrize(
    ("definition", "library", "module", "ours"),
    [
        (AVRO, "fastavro", "fastavro", ("avro", "avro_definitions", "avro_json", "avro_binary")),
        (PROTOBUF, "grpcio-tools", "grpc_tools", ("protobuf",)),
    ],
)
def test_a_missing_library_is_named_with_the_extra_that_brings_it(
    monkeypatch: pytest.MonkeyPatch, definition: Definition, library: str, module: str, ours: tuple[str, ...]
) -> None:
    for each in ours:
        monkeypatch.delitem(sys.modules, f"publican_emulator.schemas.{each}", raising=False)
        monkeypatch.delattr(schemas, each, raising=False)
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(FailedPrecondition) as refused:
        compile_definition(definition)
    assert refused.value.message.endswith(f"schemas need {library}, which is not installed here: pip install 'publican[schemas]'.")


def test_nothing_of_it_is_imported_before_there_is_a_schema() -> None:
    script = (
        "import sys\n"
        "from publican_emulator import Emulator\n"
        "from publican_emulator.broker.broker import Broker\n"
        "from publican_emulator.broker.settings import TopicSettings\n"
        "with Emulator() as emulator:\n"
        "    emulator.run(Broker.create_topic, 'projects/p/topics/abc', TopicSettings())\n"
        "    emulator.run(Broker.publish, 'projects/p/topics/abc', [b'\\x0a\\x01x'])\n"
        "assert not {'fastavro', 'grpc_tools', 'tempfile', 'grpc'} & set(sys.modules), sorted(sys.modules)\n"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
