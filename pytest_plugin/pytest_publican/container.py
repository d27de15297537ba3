"""The docker backend: an emulator in a container of its own, through the docker SDK (`publican[docker]`).

The image is Publican's, or the official emulator's (any whose name has `google-cloud-cli` or `cloud-sdk` in it); it is pulled when it is not there.
The container goes when the session ends, and also when its process is killed: reaper.py waits for that.

PYTEST_DONT_REWRITE
"""

import subprocess
import sys
import threading
import time
import urllib.parse
from dataclasses import replace
from typing import Any, Final

from publican_emulator.broker.errors import PubsubError
from publican_emulator.testing.handle import Pubsub
from publican_emulator.testing.link import OverHttp
from pytest_publican.config import Config
from pytest_publican.foreign import Elsewhere
from pytest_publican.servers import Publican, Reachable

LABEL: Final = "publican.pytest"
PORT: Final = "8085/tcp"
START_S: Final = 60.0
LOOK_S: Final = 0.05
LOG_CHARACTERS: Final = 4_000
_LOCAL: Final = frozenset({None, "localhost", "127.0.0.1", "::1"})
_monotonic: Final = time.monotonic


class Docker(Reachable):
    """A container with an emulator."""

    def __init__(self, config: Config) -> None:
        self._client = _client()
        self._remove_left_over()
        is_official = "google-cloud-cli" in config.image or "cloud-sdk" in config.image
        self._container: Any = self._create(config.image, _command(config, is_official=is_official))
        # Whoever kills this process closes the pipe, and that is what the other one waits for. A session of its own: Ctrl-C is not for it.
        command = [sys.executable, "-m", "pytest_publican.reaper", self._container.id]
        self._reaper = subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)
        try:
            self._container.start()
            self.address = self._wait_until_it_answers()
            self.description = f"container of {config.image}"
            served = replace(config, address=self.address)
            self._served = Elsewhere(served) if is_official else Publican(self.address, self.description)
        except BaseException:
            self._end()
            raise
        self.link = self._served.link

    def _remove_left_over(self) -> None:
        """Remove what a crashed machine has left: nobody waits for a container that does not run."""
        for container in self._client.containers.list(all=True, filters={"label": LABEL, "status": "exited"}):
            container.remove(force=True, v=True)

    def _create(self, image: str, command: list[str]) -> Any:
        import docker.errors

        wanted = {"ports": {PORT: (_bound(self._client), None)}, "labels": {LABEL: "1"}}
        try:
            return self._client.containers.create(image, command, **wanted)
        except docker.errors.ImageNotFound:
            try:
                self._client.images.pull(image)
            except docker.errors.DockerException as error:
                raise RuntimeError(f"pubsub: there is no image {image!r} here, and it cannot be pulled: {error}") from None
            return self._client.containers.create(image, command, **wanted)

    def _wait_until_it_answers(self) -> str:
        end = _monotonic() + START_S
        while _monotonic() < end:
            self._container.reload()
            health = self._container.attrs.get("State", {}).get("Health", {}).get("Status", "")
            if self._container.status in {"exited", "dead"} or health == "unhealthy":
                break
            bindings = self._container.ports.get(PORT)
            if bindings:
                address = f"{_host(self._client)}:{bindings[0]['HostPort']}"
                if _answers(address):
                    return address
            threading.Event().wait(LOOK_S)  # docker tells nobody when a port answers
        raise RuntimeError(f"pubsub: the emulator in the container did not come up; its log ends:\n{self._log()}")

    def _log(self) -> str:
        return str(self._container.logs().decode(errors="replace"))[-LOG_CHARACTERS:]

    def begin(self, config: Config, why: str) -> Pubsub:
        """Begin anew for a test.

        Raises:
            RuntimeError: it has stopped, with the end of its log.
        """
        try:
            return self._served.begin(config, why)
        except OSError as error:
            raise RuntimeError(f"pubsub: the emulator in the container does not answer any more ({error}); its log ends:\n{self._log()}") from None

    def end(self, why: str) -> list[Exception]:
        """End a test."""
        return self._served.end(why)

    def close(self) -> None:
        """Remove the container."""
        try:
            self._served.close()
        except OSError:
            pass  # it has stopped by itself
        finally:
            self._end()

    def _end(self) -> None:
        try:
            self._container.remove(force=True, v=True)
        finally:
            assert self._reaper.stdin is not None
            self._reaper.stdin.close()
            self._reaper.wait()


def _client() -> Any:
    try:
        import docker  # an extra
        import docker.errors
    except ImportError:
        raise RuntimeError("pubsub: the docker backend needs the docker SDK: pip install publican[docker]") from None
    try:
        client = docker.from_env()
        client.ping()
    except docker.errors.DockerException as error:
        raise RuntimeError(f"pubsub: no docker daemon answers ({error}): start it, or choose another backend") from None
    return client


def _command(config: Config, *, is_official: bool) -> list[str]:
    if is_official:
        return ["gcloud", "beta", "emulators", "pubsub", "start", "--host-port=0.0.0.0:8085"]
    return ["serve", "--host", "0.0.0.0", "--port", "8085", "--admin", "--history", "--pull-wait", str(config.pull_wait)]


def _host(client: Any) -> str:
    """Give the host on which a container's ports are: this one, or the one that DOCKER_HOST names."""
    host = urllib.parse.urlsplit(str(client.api.base_url))
    return "127.0.0.1" if host.scheme not in {"http", "https", "tcp"} or host.hostname in _LOCAL else str(host.hostname)


def _bound(client: Any) -> str:
    return "127.0.0.1" if _host(client) == "127.0.0.1" else "0.0.0.0"


def _answers(address: str) -> bool:
    link = OverHttp(address, timeout_s=1.0)
    try:
        link.ask("GET", "/")
    except (OSError, PubsubError, ValueError):
        return False
    finally:
        link.close()
    return True
