"""A mistake puts one row out of service; its last sound version, and all other rows, stay in force."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.errors import ConfigurationError
from tests.config.test_integrations_watch import Watched
from worker.fiscal.configured import Problem
from worker.fiscal.outcomes import Code, Rejected

SHOP = """\
  - id: {id}
    company: "{company}"
    cashiers:
      - {{id: x, login: x, password: {password}}}
      - {{id: y, login: y, password: p}}
    tax_rates:
      - {{rate: 20, code: {code}}}
"""


def shop(name: str, *, company: str = "1", word: str = "p", code: str = "1") -> str:
    return SHOP.format(id=name, company=company, password=word, code=code)


def document(*shops: str) -> str:
    return "integrations:\n" + "".join(shops)


@pytest.fixture
def watched(tmp_path: Path) -> Watched:
    path = tmp_path / "integrations.yaml"
    path.write_text(document(shop("a"), shop("b")))
    return Watched(path)


def verdict(watched: Watched, integration: str, cashier: str = "x", company: str = "1") -> Code | str:
    """Why a message is refused, or the password with which it is sold."""
    try:
        _, found = watched.watch.current.choose(integration, cashier, f"/companies/{company}")
    except Rejected as rejected:
        return rejected.code
    assert found.password is not None
    return found.password.get_secret_value()


def test_last_sound_version_of_a_cashier(watched: Watched) -> None:
    """He signs in as before, with the integration and his colleague as they are now."""
    watched.put(document(shop("a", word="env:NO", code="7"), shop("b", word="new")))
    assert (verdict(watched, "a"), verdict(watched, "a", "y"), verdict(watched, "b")) == ("p", "p", "new")
    assert watched.watch.current.in_force["a"].tax_rates.codes == {20: 7}
    watched.put(document(shop("a", word="mended"), shop("b")))
    assert verdict(watched, "a") == "mended"


def test_last_sound_version_of_an_integration(watched: Watched) -> None:
    """A wrong tax table leaves the whole as it was: a new password waits for the mended table."""
    watched.put(document(shop("a", word="new", code="zero"), shop("b", word="new")))
    assert (verdict(watched, "a"), verdict(watched, "b")) == ("p", "new")
    assert watched.watch.current.in_force["a"].tax_rates.codes == {20: 1}
    row = watched.watch.current.rows["a"]
    rule = "'zero' is not a code; allowed is a positive integer, the code of the tax in Checkbox"
    assert row.problems == (Problem("/tax_rates/0/code", rule),)
    assert row.cashiers is not None
    assert [cashier.id for cashier in row.cashiers] == ["x", "y"]


def test_never_sound(watched: Watched) -> None:
    """A row that comes with its mistake is refused with the mistake's place."""
    text = document(shop("a"), shop("b"), shop("c", code="zero"), shop("d", word="env:NO"))
    watched.put(text)
    for integration, path in (("c", "/tax_rates/0/code"), ("d", "/cashiers/0/password")):
        with pytest.raises(Rejected) as raised:
            watched.watch.current.choose(integration, "x", "/companies/1")
        assert raised.value.code is Code.CONFIGURATION_INVALID
        assert [problem["path"] for problem in raised.value.detail["problems"]] == [path]
    assert verdict(watched, "d", "y") == "p"
    assert verdict(watched, "c", "nobody") is Code.UNKNOWN_CASHIER
    assert verdict(watched, "c", company="2") is Code.UNKNOWN_INTEGRATION
    assert (verdict(watched, "a"), verdict(watched, "b")) == ("p", "p")


def test_cashiers_that_cannot_be_read(watched: Watched) -> None:
    """Whoever is named may be among them; those of the last version sell on."""
    watched.put(
        document(shop("a").replace("cashiers:", "cashiers: none\n    x:"), "  - {id: c, cashiers: 1}\n")
    )
    assert verdict(watched, "a") == "p"
    assert verdict(watched, "a", "new") is Code.CONFIGURATION_INVALID
    assert verdict(watched, "c") is Code.CONFIGURATION_INVALID


def test_new_cashier_of_an_integration_out_of_service(watched: Watched) -> None:
    """He is in the configuration, and the last sound version does not have him."""
    row = shop("a", code="zero") + "      - {rate: 7, code: 2}\n"
    watched.put(document(row.replace("id: y, login: y", "id: z, login: z"), shop("b")))
    assert verdict(watched, "a", "z") is Code.CONFIGURATION_INVALID
    assert verdict(watched, "a", "y") == "p"
    assert verdict(watched, "a", "nobody") is Code.UNKNOWN_CASHIER


def test_one_id_twice(watched: Watched) -> None:
    """Neither counts, and what was sound under the id stays; each is told the other's place."""
    watched.put(document(shop("a", word="new"), shop("b"), shop("a", word="other")))
    assert (verdict(watched, "a"), verdict(watched, "b")) == ("p", "p")
    assert [problem.path for problem in watched.watch.current.rows["a"].problems] == ["/id", "/id"]
    watched.put(document(shop("c"), shop("b"), shop("c")))
    assert verdict(watched, "c") is Code.CONFIGURATION_INVALID
    assert verdict(watched, "c", "nobody") is Code.CONFIGURATION_INVALID
    assert verdict(watched, "c", company="2") is Code.UNKNOWN_INTEGRATION


def test_one_cashiers_id_twice(watched: Watched) -> None:
    """Neither row counts, and the last sound version of that id stays."""
    watched.put(document(shop("a", word="new").replace("id: y", "id: x"), shop("b")))
    assert verdict(watched, "a") == "p"
    assert verdict(watched, "a", "y") is Code.UNKNOWN_CASHIER
    row = watched.watch.current.rows["a"]
    assert [problem.path for problem in row.all_problems] == ["/cashiers/0/id", "/cashiers/1/id"]


def test_a_register_is_not_lent_to_a_new_company(watched: Watched) -> None:
    """Under an id that went to another company the old one's cashiers sell for nobody."""
    watched.put(document(shop("a", company="2", word="env:NO"), shop("b", company="2", code="zero")))
    assert verdict(watched, "a", company="2") is Code.CONFIGURATION_INVALID
    assert verdict(watched, "b", company="2") is Code.CONFIGURATION_INVALID
    assert verdict(watched, "a", company="1") is Code.UNKNOWN_INTEGRATION
    assert verdict(watched, "b", company="1") is Code.UNKNOWN_INTEGRATION


def test_removed_row(watched: Watched) -> None:
    """What is taken out soundly is gone."""
    watched.put(document(shop("b")))
    assert verdict(watched, "a") is Code.UNKNOWN_INTEGRATION
    assert verdict(watched, "b") == "p"


@pytest.fixture
def folder(tmp_path: Path) -> Watched:
    (tmp_path / "a.yaml").write_text(document(shop("a")))
    (tmp_path / "b.yaml").write_text(document(shop("b")))
    (tmp_path / "notes.txt").write_text("no YAML: [")
    (tmp_path / ".c.yaml").write_text(document(shop("a")))
    return Watched(tmp_path)


def test_folder(folder: Watched) -> None:
    """Its files are read together; one that is new counts, one that cannot be read keeps what it had."""
    assert folder.ids == ["a", "b"]
    folder.put(document(shop("c")), "c.yaml")
    assert sorted(folder.ids) == ["a", "b", "c"]
    folder.put("integrations: [", "b.yaml")
    (folder.path / "c.yaml").unlink()
    folder.put(document(shop("a", word="new")), "a.yaml")
    assert sorted(folder.ids) == ["a", "b", "c"]
    assert verdict(folder, "a") == "new"
    assert len(folder.versions[-1].faults) == 2
    folder.put("integrations: []", "c.yaml")
    assert sorted(folder.ids) == ["a", "b"]


def test_renamed_file_of_a_folder(folder: Watched) -> None:
    """What a file that is gone had gives way to the same rows elsewhere."""
    (folder.path / "b.yaml").rename(folder.path / "d.yaml")
    folder.look()
    assert folder.watch.version.problems == {}
    folder.put(document(shop("b", word="new")), "d.yaml")
    assert verdict(folder, "b") == "new"


def test_one_id_in_two_files(folder: Watched) -> None:
    """Neither counts, and what was sound before stays."""
    folder.put(document(shop("a", word="other")), "b.yaml")
    assert verdict(folder, "a") == "p"
    assert "is the id of" in folder.watch.version.problems["a"][0]


def test_start_with_a_folder(tmp_path: Path) -> None:
    """A file that cannot be read is left out; without any that can be there is no start."""
    with pytest.raises(ConfigurationError, match=r"holds no \*\.yaml"):
        Watched(tmp_path)
    (tmp_path / "a.yaml").write_text("integrations: [")
    with pytest.raises(ConfigurationError, match="is not YAML"):
        Watched(tmp_path)
    (tmp_path / "b.yaml").write_text(document(shop("b")))
    assert Watched(tmp_path).ids == ["b"]
