"""The emulator's own consumers of messages, for its composition: pushing and exporting, each loaded when the first message for it comes.

Who neither pushes nor exports pays for none of it at the start.

PYTEST_DONT_REWRITE
"""

import functools
import os
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Final

from publican_emulator.broker.consumer import Consumer
from publican_emulator.control import Participant
from publican_emulator.driver import Driver

if TYPE_CHECKING:
    from publican_emulator.export.exporting import Exporting
    from publican_emulator.push.http import Http
    from publican_emulator.push.pushing import Pushing
    from publican_emulator.push.tokens import Tokens

KEYS: Final = ("/oauth2/v1/certs", "/oauth2/v3/certs")
"""Where the keys of push tokens are served, as at www.googleapis.com: certificates, and a JSON Web Key Set."""


class Carriers:
    """What carries messages out of one emulator."""

    def __init__(
        self,
        driver: Driver,
        participants: list[Participant],
        on_surprise: Callable[[str, Exception], object],
        *,
        verify_tls: bool,
        export_dir: str | os.PathLike[str] | None,
    ) -> None:
        """`participants`: who runs on the emulator's clock, and gets one more with each that is loaded."""
        self._driver = driver
        self._participants = participants
        self._on_surprise = on_surprise
        self._verify_tls = verify_tls
        self._export_dir = export_dir
        driver.carriers["push"] = _Called(lambda consumer: self._pushing.come(consumer))
        driver.carriers["export"] = _Called(lambda consumer: self._exporting.come(consumer))

    @functools.cached_property
    def _http(self) -> "Http":
        from publican_emulator.push.http import Http

        return Http(verify_tls=self._verify_tls)

    @functools.cached_property
    def _tokens(self) -> "Tokens":
        from publican_emulator.push.tokens import Tokens

        return Tokens()

    @functools.cached_property
    def _pushing(self) -> "Pushing":
        from publican_emulator.push.pushing import Pushing

        made = Pushing(self._driver, self._http, self._tokens, self._on_surprise)
        self._participants.append(made.flights)
        return made

    @functools.cached_property
    def _exporting(self) -> "Exporting":
        from publican_emulator.export.exporting import Exporting
        from publican_emulator.export.targets import find_target

        made = Exporting(self._driver, functools.partial(find_target, self._http, self._export_dir), self._on_surprise)
        self._participants.append(made.flights)
        return made

    def documents(self) -> Mapping[str, Callable[[], Awaitable[bytes]]]:
        """Give the documents that anybody may ask for, by path: the keys of push tokens."""
        certificates, key_set = KEYS
        return {certificates: lambda: self._tokens.certificates(), key_set: lambda: self._tokens.key_set()}

    async def write_open(self) -> None:
        """Write what exports have open: before the emulator stops."""
        if "_exporting" in self.__dict__:
            await self._exporting.close()

    async def close(self) -> None:
        """Give up every request."""
        if "_pushing" in self.__dict__:
            await self._pushing.flights.close()
        if "_http" in self.__dict__:
            await self._http.close()


class _Called:
    """A carrier that is a function."""

    def __init__(self, come: Callable[[Consumer], None]) -> None:
        self.come = come


def check_oidc() -> None:
    """Refuse push tokens where nothing can sign them."""
    from publican_emulator.push import tokens

    tokens.check_installed()


def check_avro() -> None:
    """Refuse Avro files where nothing can write them."""
    from publican_emulator.export import objects

    objects.check_installed()
