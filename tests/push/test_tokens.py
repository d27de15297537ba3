"""OIDC tokens: signed, and verified as a receiver does it, with the keys that the emulator serves."""

import asyncio
import importlib.util
import json
from collections.abc import Callable

import jwt
import pytest
from cryptography import x509

from publican_emulator import Emulator
from publican_emulator.broker.errors import FailedPrecondition
from publican_emulator.broker.push import OidcToken
from publican_emulator.push import tokens
from publican_emulator.push.tokens import Tokens, numeric_id
from tests.push.bench import PushBench

EMAIL = "pusher@p.iam.gserviceaccount.com"
NOW = 1_700_000_000


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> int:
        return self.now


def bearer(made: Tokens, email: str = EMAIL, audience: str = "", endpoint: str = "https://a/b") -> str:
    return asyncio.run(made.bearer(OidcToken(email, audience), endpoint))


def test_a_receiver_verifies_a_token_of_a_push_by_the_served_key_set(bench: PushBench) -> None:
    bench.subscription(config={"oidc": OidcToken(EMAIL)})
    bench.publish("a")
    bench.advance(0)
    (received,) = bench.endpoint.wait(1)
    kind, _, token = received.headers["Authorization"].partition(" ")
    assert kind == "Bearer"
    served = bench.emulator.ask("GET", "/oauth2/v3/certs")
    assert served.status == 200
    (key,) = jwt.PyJWKSet.from_dict(json.loads(served.body)).keys
    claims = jwt.decode(token, key, algorithms=["RS256"], audience=f"{bench.endpoint.url}/push", issuer="https://accounts.google.com")
    assert jwt.get_unverified_header(token) == {"alg": "RS256", "kid": key.key_id, "typ": "JWT"}
    assert set(claims) == {"aud", "azp", "email", "email_verified", "exp", "iat", "iss", "sub"}
    assert (claims["email"], claims["email_verified"]) == (EMAIL, True)
    assert claims["sub"] == claims["azp"] == numeric_id(EMAIL)
    assert claims["exp"] - claims["iat"] == 3_600


def test_googles_own_verifier_takes_the_served_certificates(bench: PushBench) -> None:
    google_jwt = pytest.importorskip("google.auth.jwt")
    bench.subscription(config={"oidc": OidcToken(EMAIL, "my-audience")})
    bench.publish("a")
    bench.advance(0)
    token = bench.endpoint.wait(1)[0].headers["Authorization"].partition(" ")[2]
    certificates = json.loads(bench.emulator.ask("GET", "/oauth2/v1/certs").body)
    assert google_jwt.decode(token, certs=certificates, audience="my-audience")["email"] == EMAIL
    with pytest.raises(ValueError, match="audience"):
        google_jwt.decode(token, certs=certificates, audience="another")
    assert x509.load_pem_x509_certificate(next(iter(certificates.values())).encode()).subject.rfc4514_string() == "CN=publican"


@pytest.mark.parametrize("version", ["v1", "v3"])
def test_google_auth_verifies_a_token_over_the_network(bench: PushBench, version: str) -> None:
    id_token, transport = pytest.importorskip("google.oauth2.id_token"), pytest.importorskip("google.auth.transport.requests")
    bench.subscription(config={"oidc": OidcToken(EMAIL, "my-audience")})
    bench.publish("a")
    bench.advance(0)
    token = bench.endpoint.wait(1)[0].headers["Authorization"].partition(" ")[2]
    keys = f"http://{bench.emulator.address}/oauth2/{version}/certs"
    with transport.requests.Session() as session:
        claims = id_token.verify_token(token, transport.Request(session), audience="my-audience", certs_url=keys)
    assert claims["email"] == EMAIL


def test_a_push_without_a_token_has_no_authorization(bench: PushBench) -> None:
    bench.subscription()
    bench.publish("a")
    bench.advance(0)
    assert "Authorization" not in bench.endpoint.wait(1)[0].headers


def test_a_token_is_used_until_ten_minutes_before_its_end() -> None:
    clock = Clock()
    made = Tokens(clock)
    first = bearer(made)
    clock.now += 2_999
    assert bearer(made) == first
    clock.now += 1
    later = bearer(made)
    assert later != first
    assert jwt.decode(later, options={"verify_signature": False})["iat"] == NOW + 3_000


def test_each_audience_and_account_has_a_token_of_its_own() -> None:
    made = Tokens(Clock())
    assert len({bearer(made), bearer(made, endpoint="https://a/c"), bearer(made, audience="x"), bearer(made, email="b@c")}) == 4
    assert bearer(made, audience="x", endpoint="https://a/b") == bearer(made, audience="x", endpoint="https://a/c")


def test_an_account_has_one_numeric_id() -> None:
    assert numeric_id(EMAIL) == numeric_id(EMAIL)
    assert numeric_id(EMAIL) != numeric_id("b@c")
    assert numeric_id(EMAIL).isdigit()
    assert len(numeric_id(EMAIL)) == 21


@pytest.mark.parametrize("missing", ["jwt", "cryptography"])
def test_without_its_libraries_a_subscription_with_a_token_is_refused_and_the_message_names_the_extra(
    missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: Callable[[str], object] = lambda name: None if name == missing else object()
    monkeypatch.setattr(importlib.util, "find_spec", found)
    body = {"topic": "projects/p/topics/abc", "pushConfig": {"pushEndpoint": "http://localhost/x", "oidcToken": {"serviceAccountEmail": EMAIL}}}
    with Emulator() as emulator:
        emulator.ask("PUT", "/v1/projects/p/topics/abc", b"{}")
        answer = emulator.ask("PUT", "/v1/projects/p/subscriptions/abc", json.dumps(body).encode())
        assert answer.status == 400
        assert b"pip install 'publican[oidc]'" in answer.body
        assert b"FAILED_PRECONDITION" in answer.body
        assert emulator.ask("GET", "/v1/projects/p/subscriptions/abc").status == 404
    with pytest.raises(FailedPrecondition):
        tokens.check_installed()
