"""Tokens, credentials, and the order in which a caller is checked."""

from __future__ import annotations

import base64
import json

from tests.sandbox.driver import Checkbox, sale


def test_ten_tokens_live_and_the_eleventh_kills_the_oldest() -> None:
    """A new sign-in kills no newer token; the first of eleven counts no longer."""
    checkbox = Checkbox()
    tokens = [checkbox.sign_in() for _ in range(11)]
    statuses = [checkbox.get("/cashier/me", token).status for token in tokens]
    assert statuses == [401] + [200] * 10
    counters = checkbox.control("GET", "/counters").body
    assert (counters["sign_ins"], counters["tokens"]) == ({"c0001": 11}, {"c0001": 10})


def test_signing_out_kills_the_presented_token_alone() -> None:
    """205 with null, and then 401 for that token."""
    checkbox = Checkbox()
    first, second = checkbox.sign_in(), checkbox.sign_in()
    answer = checkbox.post("/cashier/signout", token=first)
    assert (answer.status, answer.raw) == (205, b"null")
    assert checkbox.get("/cashier/me", first).body["code"] == "base.credentials"
    assert checkbox.get("/cashier/me", second).status == 200


def test_a_token_is_a_jwt_without_an_end() -> None:
    """Its payload has the members that were seen, and no ``exp``."""
    payload = Checkbox().sign_in().split(".")[1]
    members = json.loads(base64.urlsafe_b64decode(payload + "=="))
    assert members.keys() == {"token_type", "jti", "sub", "nbf", "iat"}


def test_a_token_may_die_of_age_by_option() -> None:
    """ASSUMED A11: never, unless an option gives a lifetime."""
    for lifetime, status in ((None, 200), (3600, 401)):
        checkbox = Checkbox(token_lifetime=lifetime)
        token = checkbox.sign_in()
        checkbox.time += 3601
        assert checkbox.get("/cashier/me", token).status == status


def test_a_pin_code_counts_with_the_licence_key_of_its_organization() -> None:
    """Another organization's register does not know the PIN."""
    checkbox = Checkbox()
    checkbox.control("POST", "/cashiers", {"login": "c0001", "pin_code": "4321"})
    checkbox.state.add_register("test-other", checkbox.state.add_organization("Інша", []))
    ours = checkbox.post("/cashier/signinPinCode", {"pin_code": "4321"}, license_key="test-c0002")
    theirs = checkbox.post("/cashier/signinPinCode", {"pin_code": "4321"}, license_key="test-other")
    assert (ours.status, theirs.status) == (200, 403)


def test_the_caller_is_checked_before_the_body() -> None:
    """Missing bearer 403, bad token 401, then the body 422, then business 400."""
    checkbox = Checkbox()
    token = checkbox.sign_in()
    nonsense = {"goods": "none"}
    assert checkbox.post("/receipts/sell", nonsense).status == 403
    assert checkbox.post("/receipts/sell", nonsense, "wrong").status == 401
    assert checkbox.post("/receipts/sell", nonsense, token).status == 422
    assert checkbox.sell(token, sale(payments=[])).status == 400


def test_a_body_that_is_not_json_is_422() -> None:
    """In the usual envelope."""
    checkbox = Checkbox()
    answer = checkbox.post("/receipts/sell", b'{"goods": [', checkbox.sign_in())
    assert (answer.status, answer.body["detail"][0]["type"]) == (422, "value_error.jsondecode")


def test_an_unknown_path_is_answered_like_fastapi() -> None:
    """ASSUMED A6."""
    answer = Checkbox().call("POST", "/receipts/return", {}, checked=False)
    assert answer.status in (404, 405)
    nowhere = Checkbox().call("GET", "/nowhere", checked=False)
    assert (nowhere.status, nowhere.body) == (404, {"detail": "Not Found"})


def test_new_credentials_put_an_end_to_the_old_ones() -> None:
    """A person changes the password and signs the cashier out."""
    checkbox = Checkbox()
    token = checkbox.sign_in()
    body = {"login": "c0001", "password": "new", "sign_out": True}
    assert checkbox.control("POST", "/cashiers", body).status == 200
    assert checkbox.get("/cashier/me", token).status == 401
    old = checkbox.post("/cashier/signin", {"login": "c0001", "password": "secret-c0001"})
    new = checkbox.post("/cashier/signin", {"login": "c0001", "password": "new"})
    assert (old.status, new.status) == (403, 200)
