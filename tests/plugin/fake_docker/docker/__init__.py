"""The docker SDK as far as the plugin uses it, with processes for containers and files for the daemon's memory: they outlive who made them."""

import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import uuid
from typing import Any

from docker import errors

STORE = pathlib.Path(os.environ["FAKE_DOCKER"])


def from_env() -> "Client":
    return Client()


class Container:
    def __init__(self, path: pathlib.Path) -> None:
        self._path = path
        self.id = path.name
        self.reload()

    def reload(self) -> None:
        if not self._path.exists():
            raise errors.NotFound(self.id)
        self.attrs = json.loads(self._path.read_text())
        self.labels = self.attrs["labels"]
        self.status = self.attrs["status"]
        self.ports = {"8085/tcp": [{"HostIp": "127.0.0.1", "HostPort": self.attrs["port"]}]} if self.attrs["port"] else {}

    def _keep(self, **fields: Any) -> None:
        self._path.write_text(json.dumps(self.attrs | fields))
        self.reload()

    def start(self) -> None:
        if "broken" in self.attrs["image"]:
            self._keep(status="exited", log="exec format error\n")
            return
        command = [sys.executable, "-m", "publican_emulator", "serve", "--host", "127.0.0.1", "--port", "0"]
        if self.attrs["command"][0] == "serve":
            command += self.attrs["command"][5:]
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, start_new_session=True)
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("Server started"):
                self._keep(status="running", port=line.split()[-1], pid=process.pid)
                return

    def logs(self) -> bytes:
        return str(self.attrs["log"]).encode()

    def remove(self, *, force: bool, v: bool) -> None:
        assert force
        assert v
        if self.attrs["pid"]:
            os.kill(self.attrs["pid"], signal.SIGKILL)
        self._path.unlink()
        if port := os.environ.get("FAKE_DOCKER_TELL"):
            with socket.create_connection(("127.0.0.1", int(port)), 10) as tell:
                tell.sendall(b"removed " + self.id.encode())


class Containers:
    def create(self, image: str, command: list[str], *, ports: dict[str, Any], labels: dict[str, str]) -> Container:
        assert ports == {"8085/tcp": ("127.0.0.1", None)}
        if not (STORE / f"{image.replace('/', '_')}.image").exists():
            raise errors.ImageNotFound(image)
        path = STORE / uuid.uuid4().hex
        path.write_text(json.dumps({"image": image, "command": command, "labels": labels, "status": "created", "port": "", "pid": 0, "log": ""}))
        return Container(path)

    def get(self, container_id: str) -> Container:
        return Container(STORE / container_id)

    def list(self, *, all: bool, filters: dict[str, str]) -> list[Container]:  # noqa: A002  (the SDK's word)
        assert all
        found = [Container(path) for path in STORE.iterdir() if path.suffix == ""]
        return [each for each in found if filters["label"] in each.labels and each.status == filters["status"]]


class Images:
    def pull(self, image: str) -> None:
        if "nowhere" in image:
            raise errors.ImageNotFound(f"pull access denied for {image}")
        (STORE / f"{image.replace('/', '_')}.image").touch()


class Api:
    base_url = "http+docker://localhost"


class Client:
    def __init__(self) -> None:
        self.containers = Containers()
        self.images = Images()
        self.api = Api()

    def ping(self) -> bool:
        if (STORE / "stopped.daemon").exists():
            raise errors.DockerException("Error while fetching server API version")
        return True
