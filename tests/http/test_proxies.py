"""Which way the environment sends a call."""

from __future__ import annotations

import base64

import pytest

from tests.checkbox.scripted_server import ScriptedServer, answer
from worker.http.call import Timeouts, call
from worker.http.connections import Connections

NAMES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    return monkeypatch


def get(url: str) -> None:
    with Connections() as connections:
        call(connections.to(url), "GET", "/", [], Timeouts(), 1000)


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
def test_a_proxy_is_used(name: str, environment: pytest.MonkeyPatch) -> None:
    """That of the site's scheme, or that for all."""
    with ScriptedServer(answer(200)) as proxy:
        environment.setenv(name, proxy.url)
        get("http://checkbox.invalid/api")
    assert [request.target for request in proxy.received] == ["http://checkbox.invalid/api/"]


def test_a_proxy_may_be_named_without_a_scheme_and_ask_for_a_password(
    environment: pytest.MonkeyPatch,
) -> None:
    """As operators write it."""
    with ScriptedServer(answer(200)) as proxy:
        address = proxy.url.removeprefix("http://")
        environment.setenv("HTTP_PROXY", f"olena:s%40cret@{address}")
        get("http://checkbox.invalid")
    expected = base64.b64encode(b"olena:s@cret").decode()
    assert proxy.received[0].headers["proxy-authorization"] == f"Basic {expected}"


@pytest.mark.parametrize("spared", ["127.0.0.1", "*", "other.test, 127.0.0.1"])
def test_who_is_spared_is_called_directly(spared: str, environment: pytest.MonkeyPatch) -> None:
    """NO_PROXY."""
    with ScriptedServer(answer(200)) as site, ScriptedServer(answer(500)) as proxy:
        environment.setenv("HTTP_PROXY", proxy.url)
        environment.setenv("NO_PROXY", spared)
        get(site.url)
    assert len(site.received) == 1
    assert proxy.received == []


def test_a_proxy_of_an_unknown_kind_ends_the_start(environment: pytest.MonkeyPatch) -> None:
    """Not the first order."""
    environment.setenv("HTTPS_PROXY", "gopher://proxy.test")
    with pytest.raises(ValueError, match="gopher"):
        Connections()
