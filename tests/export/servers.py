"""Emulators of Cloud Storage and BigQuery, as far as exports use them: real aiohttp servers on a thread of their own."""

import contextlib
import json
import threading
from collections.abc import Iterator
from typing import Any

from aiohttp import web

from publican_emulator.inprocess import LoopThread


class Servers:
    def __init__(self) -> None:
        self.url = ""
        self.objects: dict[tuple[str, str], bytes] = {}
        self.rows: list[tuple[str, dict[str, Any]]] = []
        self.columns: list[dict[str, str]] = [{"name": "data", "type": "STRING"}]
        self.status = 200
        self.refused: set[str] = set()
        """Values of `data` that the table takes from nobody."""
        self._changed = threading.Condition()

    async def upload(self, request: web.Request) -> web.Response:
        if self.status != 200:
            return web.Response(status=self.status, text="no")
        assert request.query["uploadType"] == "media"
        with self._changed:
            self.objects[request.match_info["bucket"], request.query["name"]] = await request.read()
            self._changed.notify_all()
        return web.json_response({"name": request.query["name"]})

    async def table(self, request: web.Request) -> web.Response:
        if self.status != 200:
            return web.Response(status=self.status, text="no")
        return web.json_response({"schema": {"fields": self.columns}})

    async def insert(self, request: web.Request) -> web.Response:
        body = json.loads(await request.read())
        errors = [{"index": at, "errors": [{"reason": "invalid"}]} for at, each in enumerate(body["rows"]) if each["json"]["data"] in self.refused]
        bad = {error["index"] for error in errors}
        with self._changed:
            self.rows += [(each["insertId"], each["json"]) for at, each in enumerate(body["rows"]) if at not in bad]
            self._changed.notify_all()
        return web.json_response({"insertErrors": errors} if errors else {})

    def wait_objects(self, count: int) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.objects) >= count, 10), list(self.objects)

    def wait_rows(self, count: int) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.rows) >= count, 10), self.rows


@contextlib.contextmanager
def serving() -> Iterator[Servers]:
    servers = Servers()
    with LoopThread() as thread:
        runners: list[web.AppRunner] = []

        async def start() -> None:
            app = web.Application()
            table = "/bigquery/v2/projects/{project}/datasets/{dataset}/tables/{table}"
            app.router.add_post("/upload/storage/v1/b/{bucket}/o", servers.upload)
            app.router.add_get(table, servers.table)
            app.router.add_post(f"{table}/insertAll", servers.insert)
            runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
            runners.append(runner)
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            host, port = runner.addresses[0][:2]
            servers.url = f"http://{host}:{port}"

        async def stop() -> None:
            await runners[0].cleanup()

        thread.call(start)
        try:
            yield servers
        finally:
            thread.call(stop)
