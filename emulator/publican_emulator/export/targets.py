"""Where exports go: a folder of this machine, or emulators of Cloud Storage and BigQuery.

    FOLDER/storage/BUCKET/OBJECT                              files of Cloud Storage subscriptions, whole or not there at all
    FOLDER/bigquery/PROJECT/DATASET/TABLE.jsonl               rows, one JSON object a line
    FOLDER/bigquery/PROJECT/DATASET/TABLE.schema.json         the table's columns, if somebody has put them there

The folder wins over STORAGE_EMULATOR_HOST and BIGQUERY_EMULATOR_HOST.

PYTEST_DONT_REWRITE
"""

import asyncio
import json
import os
import pathlib
import urllib.parse
import uuid
from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

from publican_emulator.broker.exports import BigQueryConfig, BigtableConfig, ExportConfig, ExportState
from publican_emulator.export.columns import columns
from publican_emulator.export.rows import Columns
from publican_emulator.push.http import Http, RequestFailed

REQUEST_S: Final = 30.0
_ANSWER_BYTES: Final = 4 << 20
_STATES: Final = {401: ExportState.PERMISSION_DENIED, 403: ExportState.PERMISSION_DENIED, 404: ExportState.NOT_FOUND}


class ExportFailed(Exception):
    """Nothing was written; the text says why, `state` how the target stands."""

    def __init__(self, why: str, state: ExportState = ExportState.ACTIVE) -> None:
        super().__init__(why)
        self.state = state


class Target(Protocol):
    """Takes files, and rows."""

    async def write_object(self, bucket: str, name: str, content: bytes) -> None:
        """Write a file.

        Raises:
            ExportFailed: it was not written.
        """

    async def columns(self, config: BigQueryConfig) -> Columns:
        """Give the columns of a table; None: nobody knows them.

        Raises:
            ExportFailed: the table cannot be asked.
        """

    async def insert(self, config: BigQueryConfig, rows: Sequence[tuple[str, Mapping[str, Any]]]) -> Mapping[int, str]:
        """Write rows, each with an id, and give why some of them were refused, by their places.

        Raises:
            ExportFailed: none was written.
        """
        ...


class Folder:
    """A folder of this machine."""

    def __init__(self, root: pathlib.Path) -> None:
        self._root = root

    async def write_object(self, bucket: str, name: str, content: bytes) -> None:
        """Write a file under another name first, so that who looks sees it whole."""
        await asyncio.to_thread(self._write_object, self._root / "storage" / bucket / object_path(name), content)

    def _write_object(self, path: pathlib.Path, content: bytes) -> None:
        temporary = path.with_name(f".{uuid.uuid4().hex}.part")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                temporary.write_bytes(content)
                temporary.replace(path)
            finally:
                temporary.unlink(missing_ok=True)
        except OSError as error:
            raise ExportFailed(f"cannot write {path}: {error.strerror or error}", _state_of(error)) from None

    async def columns(self, config: BigQueryConfig) -> Columns:
        """Read the schema file beside the rows."""
        path = self._table(config, ".schema.json")
        try:
            said = await asyncio.to_thread(path.read_text, "utf-8")
        except FileNotFoundError:
            if config.use_table_schema:
                raise ExportFailed(f"use_table_schema needs the table's columns in {path}", ExportState.NOT_FOUND) from None
            return None
        except OSError as error:
            raise ExportFailed(f"cannot read {path}: {error.strerror or error}", _state_of(error)) from None
        try:
            return columns(json.loads(said))
        except (ValueError, RecursionError) as error:
            raise ExportFailed(f"{path} has no table's columns: {error}", ExportState.SCHEMA_MISMATCH) from None

    async def insert(self, config: BigQueryConfig, rows: Sequence[tuple[str, Mapping[str, Any]]]) -> Mapping[int, str]:
        """Append lines, in one writing."""
        lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for _, row in rows)
        await asyncio.to_thread(self._append, self._table(config, ".jsonl"), lines.encode())
        return {}

    def _append(self, path: pathlib.Path, lines: bytes) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("ab") as file:
                file.write(lines)
        except OSError as error:
            raise ExportFailed(f"cannot write {path}: {error.strerror or error}", _state_of(error)) from None

    def _table(self, config: BigQueryConfig, suffix: str) -> pathlib.Path:
        project, dataset, table = config.parts()
        return self._root / "bigquery" / object_path(project) / dataset / f"{table}{suffix}"


def object_path(name: str) -> pathlib.PurePath:
    """Give the path of an object's name below its bucket: one that stays there, whatever the name says."""
    return pathlib.PurePath(*(_segment(part) for part in name.split("/")))


def _segment(part: str) -> str:
    if part in {"", ".", ".."}:
        return part.replace(".", "%2E") or "%"
    return "".join(f"%{ord(char):02X}" if char in '<>:"\\|?*' else char for char in part) if os.name == "nt" else part


def _state_of(error: OSError) -> ExportState:
    return ExportState.PERMISSION_DENIED if isinstance(error, PermissionError) else ExportState.NOT_FOUND


class Servers:
    """Emulators of Cloud Storage and BigQuery, by their addresses ("": there is none)."""

    def __init__(self, http: Http, storage: str, bigquery: str) -> None:
        self._http = http
        self._storage = _base(storage)
        self._bigquery = _base(bigquery)

    def has_place_for(self, config: ExportConfig) -> bool:
        """Say whether there is an emulator for it."""
        return bool(self._bigquery if isinstance(config, BigQueryConfig) else self._storage)

    async def write_object(self, bucket: str, name: str, content: bytes) -> None:
        """Upload a file."""
        url = f"{self._storage}/upload/storage/v1/b/{bucket}/o?uploadType=media&name={urllib.parse.quote(name, safe='')}"
        await self._ask("POST", url, content, "application/octet-stream")

    async def columns(self, config: BigQueryConfig) -> Columns:
        """Ask for the table."""
        said = _object(await self._ask("GET", self._table(config), b"", "application/json"))
        try:
            return columns(said.get("schema", {}))
        except ValueError as error:
            raise ExportFailed(f"the table {config.table} has no columns that can be read: {error}") from None

    async def insert(self, config: BigQueryConfig, rows: Sequence[tuple[str, Mapping[str, Any]]]) -> Mapping[int, str]:
        """Stream rows in; what is refused does not stop the others."""
        body = {"skipInvalidRows": True, "rows": [{"insertId": row_id, "json": row} for row_id, row in rows]}
        said = _object(await self._ask("POST", f"{self._table(config)}/insertAll", json.dumps(body).encode(), "application/json"))
        return {int(each["index"]): str(each.get("errors", "")) for each in said.get("insertErrors", [])}

    def _table(self, config: BigQueryConfig) -> str:
        project, dataset, table = (urllib.parse.quote(part, safe="") for part in config.parts())
        return f"{self._bigquery}/bigquery/v2/projects/{project}/datasets/{dataset}/tables/{table}"

    async def _ask(self, method: str, url: str, body: bytes, content_type: str) -> bytes:
        try:
            async with asyncio.timeout(REQUEST_S):
                status, answer = await self._http.send(method, url, {"Content-Type": content_type}, body, most=_ANSWER_BYTES)
        except RequestFailed as error:
            raise ExportFailed(f"{url.partition('?')[0]}: {error}", ExportState.NOT_FOUND) from None
        except TimeoutError:
            raise ExportFailed(f"{url.partition('?')[0]}: no answer within {REQUEST_S:g} s") from None
        if not 200 <= status < 300:
            said = answer[:300].decode(errors="replace")
            raise ExportFailed(f"{url.partition('?')[0]}: HTTP {status} {said}", _STATES.get(status, ExportState.ACTIVE))
        return answer


def _object(answer: bytes) -> dict[str, Any]:
    try:
        said = json.loads(answer)
    except ValueError:
        said = None
    if not isinstance(said, dict):
        raise ExportFailed("the answer of the BigQuery emulator is no JSON object")
    return said


def _base(host: str) -> str:
    return host.rstrip("/") if "://" in host or not host else f"http://{host.rstrip('/')}"


def find_target(http: Http, folder: str | os.PathLike[str] | None, config: ExportConfig) -> Target | None:
    """Give where the messages of a config go: the folder, if there is one, else the emulator that the environment names; None: nowhere."""
    if isinstance(config, BigtableConfig):
        return None
    if folder := folder or os.environ.get("PUBLICAN_EXPORT_DIR"):
        return Folder(pathlib.Path(folder))
    servers = Servers(http, os.environ.get("STORAGE_EMULATOR_HOST", ""), os.environ.get("BIGQUERY_EMULATOR_HOST", ""))
    return servers if servers.has_place_for(config) else None
