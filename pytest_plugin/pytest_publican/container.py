"""The docker backend: an emulator in a container of its own, through the docker SDK (`publican[docker]`).

The image is Publican's, or the official emulator's (any whose name has `google-cloud-cli` or `cloud-sdk` in it). A container carries a label with
the process that started it: what a crashed session has left is removed by the next one.

PYTEST_DONT_REWRITE
"""

import os
import time
from typing import Any, Final

from publican_emulator.broker.errors import PubsubError
from pytest_publican.config import Config
from pytest_publican.foreign import Elsewhere
from pytest_publican.link import OverHttp
from pytest_publican.servers import Publican

LABEL: Final = "publican.pytest.pid"
PORT: Final = "8085/tcp"
START_S: Final = 60.0
_monotonic: Final = time.monotonic


class Docker:
    """A container with an emulator."""

    def __init__(self, config: Config) -> None:
        try:
            import docker  # an extra
        except ImportError:
            raise RuntimeError("pubsub: the docker backend needs the docker SDK: pip install publican[docker]") from None
        self._client: Any = docker.from_env()
        self._remove_left_over()
        is_official = "google-cloud-cli" in config.image or "cloud-sdk" in config.image
        command = (
            ["gcloud", "beta", "emulators", "pubsub", "start", "--host-port=0.0.0.0:8085"]
            if is_official
            else ["serve", "--host", "0.0.0.0", "--port", "8085", "--admin", "--history", "--pull-wait", str(config.pull_wait)]
        )
        self._container: Any = self._client.containers.run(
            config.image, command, detach=True, ports={PORT: ("127.0.0.1", 0)}, labels={LABEL: str(os.getpid())}
        )
        try:
            address = self._wait_until_it_answers()
            self._served = Elsewhere(config_at(config, address)) if is_official else Publican(address, f"container of {config.image}")
        except BaseException:
            self._remove(self._container)
            raise
        self.address = address
        self.description = f"container of {config.image}"
        self.link = self._served.link

    def _remove_left_over(self) -> None:
        for container in self._client.containers.list(all=True, filters={"label": LABEL}):
            if not _is_alive(int(container.labels[LABEL])):
                self._remove(container)

    def _remove(self, container: Any) -> None:
        container.remove(force=True, v=True)

    def _wait_until_it_answers(self) -> str:
        end = _monotonic() + START_S
        while _monotonic() < end:
            self._container.reload()
            if self._container.status in {"exited", "dead"}:
                break
            bindings = self._container.ports.get(PORT)
            if bindings:
                address = f"127.0.0.1:{bindings[0]['HostPort']}"
                if _answers(address):
                    return address
        raise RuntimeError(f"the emulator in the container did not come up; its log:\n{self._container.logs().decode(errors='replace')[-4000:]}")

    def begin(self, config: Config, why: str) -> str:
        """Begin anew for a test."""
        return self._served.begin(config, why)

    def end(self, why: str) -> list[Exception]:
        """End a test."""
        return self._served.end(why)

    def close(self) -> None:
        """Remove the container."""
        try:
            self._served.close()
        finally:
            self._remove(self._container)


def config_at(config: Config, address: str) -> Config:
    """Give settings for an emulator at another address."""
    from dataclasses import replace

    return replace(config, address=address)


def _answers(address: str) -> bool:
    link = OverHttp(address, timeout_s=1.0)
    try:
        link.ask("GET", "/")
    except (OSError, PubsubError, ValueError):
        return False
    finally:
        link.close()
    return True


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
