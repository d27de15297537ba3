"""OIDC tokens of push requests: signed by a key that this emulator makes for itself, and whose public half it serves.

The real ones are signed by Google. A receiver that verifies them is pointed at the emulator's keys instead: `/oauth2/v3/certs` (JSON Web Key Set)
and `/oauth2/v1/certs` (certificates), at the paths that they have at www.googleapis.com. Tokens live in real time, whatever the emulator's clock
says: who verifies them reads a real clock. The libraries (`publican[oidc]`) load when the first token or key is asked for.

Source: "Authenticate push subscriptions", cloud.google.com/pubsub/docs/authenticate-push-subscriptions; RFC 7519, RFC 7517.

PYTEST_DONT_REWRITE
"""

import asyncio
import base64
import datetime
import functools
import hashlib
import importlib.util
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from publican_emulator.broker.errors import FailedPrecondition
from publican_emulator.broker.instants import SECOND
from publican_emulator.broker.push import OidcToken
from publican_emulator.driver import SystemClock

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

ISSUER: Final = "https://accounts.google.com"
LIFE_S: Final = 3_600
_FRESH_S: Final = 600
_KEPT: Final = 1_000


def check_installed() -> None:
    """Refuse a token where nothing can sign it.

    Raises:
        FailedPrecondition: the extra is not installed; the message says how to get it.
    """
    if importlib.util.find_spec("jwt") is None or importlib.util.find_spec("cryptography") is None:
        raise FailedPrecondition("push_config.oidc_token needs libraries that are not installed here: pip install 'publican[oidc]'.")


class Tokens:
    """Signs tokens, and tells the keys that verify them."""

    def __init__(self, seconds: Callable[[], int] = lambda: SystemClock().now() // SECOND) -> None:
        """`seconds` gives the real time, in seconds since the epoch."""
        self._seconds = seconds
        self._made: dict[tuple[str, str], tuple[int, str]] = {}
        self._making = asyncio.Lock()

    async def bearer(self, oidc: OidcToken, endpoint: str) -> str:
        """Give the token of a push to `endpoint`; one is used until ten minutes before its end."""
        key = (oidc.service_account_email, oidc.audience or endpoint)
        now = self._seconds()
        expires, token = self._made.get(key, (0, ""))
        if expires - now > _FRESH_S:
            return token
        async with self._making:
            private = await asyncio.to_thread(lambda: self._private)
        token = self._sign(private, key[0], key[1], now)
        if len(self._made) >= _KEPT:
            self._made.clear()
        self._made[key] = (now + LIFE_S, token)
        return token

    def _sign(self, private: "RSAPrivateKey", email: str, audience: str, now: int) -> str:
        import jwt  # an extra

        subject = numeric_id(email)
        claims = {
            "aud": audience,
            "azp": subject,
            "email": email,
            "email_verified": True,
            "exp": now + LIFE_S,
            "iat": now,
            "iss": ISSUER,
            "sub": subject,
        }
        return jwt.encode(claims, private, algorithm="RS256", headers={"kid": self._key_id})

    async def key_set(self) -> bytes:
        """Give the public key as a JSON Web Key Set."""
        return await asyncio.to_thread(self._key_set)

    async def certificates(self) -> bytes:
        """Give the public key as certificates in PEM, by key id."""
        return await asyncio.to_thread(self._certificates)

    @functools.cached_property
    def _private(self) -> "RSAPrivateKey":
        check_installed()
        from cryptography.hazmat.primitives.asymmetric import rsa  # an extra

        return rsa.generate_private_key(public_exponent=65_537, key_size=2_048)

    @functools.cached_property
    def _key_id(self) -> str:
        numbers = self._private.public_key().public_numbers()
        return hashlib.sha1(f"{numbers.n:x}".encode(), usedforsecurity=False).hexdigest()

    def _key_set(self) -> bytes:
        numbers = self._private.public_key().public_numbers()
        key = {"alg": "RS256", "e": _number(numbers.e), "kid": self._key_id, "kty": "RSA", "n": _number(numbers.n), "use": "sig"}
        return json.dumps({"keys": [key]}, indent=2).encode()

    def _certificates(self) -> bytes:
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes, serialization

        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "publican")])
        since = datetime.datetime.fromtimestamp(self._seconds(), datetime.UTC)
        certificate = (
            x509.CertificateBuilder(subject_name=name, issuer_name=name, public_key=self._private.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(since - datetime.timedelta(days=1))
            .not_valid_after(since + datetime.timedelta(days=365))
            .sign(self._private, hashes.SHA256())
        )
        return json.dumps({self._key_id: certificate.public_bytes(serialization.Encoding.PEM).decode()}, indent=2).encode()


def numeric_id(email: str) -> str:
    """Give the id that stands for a service account: 21 digits, the same for the same email."""
    return str(10**20 + int.from_bytes(hashlib.sha256(email.encode()).digest()[:8], "big"))


def _number(value: int) -> str:
    size = (value.bit_length() + 7) // 8
    return base64.urlsafe_b64encode(value.to_bytes(size, "big")).rstrip(b"=").decode()
