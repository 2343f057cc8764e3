"""The folder for temporary files is cleaned, or full: no order notices."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from tests.system.shop import CONTRACT, Shop

Eventually = Callable[..., object]
ORDER = (CONTRACT / "valid" / "one_line_card.json").read_text()
REFUSED = (CONTRACT / "invalid" / "TAX_RATE_NOT_MAPPED.14_percent.json").read_text()


@pytest.fixture
def temporary(tmp_path: Path) -> Path:
    folder = tmp_path / "temporary"
    folder.mkdir()
    return folder


@pytest.fixture
def small(temporary: Path) -> Iterator[Path]:
    """A file system of its own, of 2 MiB."""
    mounting = ["mount", "-t", "tmpfs", "-o", "size=2m", "none", str(temporary)]
    if subprocess.run(mounting, capture_output=True, check=False).returncode:
        pytest.skip("mounting a file system takes rights that are not there")
    yield temporary
    subprocess.run(["umount", "--lazy", str(temporary)], check=True)


def fill(path: Path) -> None:
    """Raises ``OSError`` when nothing more fits."""
    with path.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))


def kill_workers(shop: Shop) -> None:
    """All but the monitor, which is started first."""
    process = shop.worker.process
    assert process is not None
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    for pid in children[1:]:
        os.kill(int(pid), signal.SIGKILL)


def settles(shop: Shop, name: str) -> None:
    """A sale and an order that is refused: one event each, one letter, and nothing left at the broker."""
    shop.events.clear()
    shop.letters.clear()
    for kind, text in (("sold", ORDER), ("refused", REFUSED)):
        message = json.loads(text) | {"id": f"{name}-{kind}", "subject": str(uuid4())}
        message["data"]["order"]["uuid"] = message["subject"]
        shop.publish(json.dumps(message).encode())
    shop.until(lambda: shop.events_of(f"{name}-sold") and shop.events_of(f"{name}-refused"))
    shop.until(lambda: sum(depth.messages for depth in shop.vhost.queues().values()) == 0)
    assert [event["routing_key"] for event in shop.events_of(f"{name}-sold")] == ["fiscalization.succeeded"]
    assert [event["data"]["code"] for event in shop.events_of(f"{name}-refused")] == ["TAX_RATE_NOT_MAPPED"]
    assert [headers["x-fiscal-code"] for headers, _ in shop.letters] == ["TAX_RATE_NOT_MAPPED"]


def goes_on(shop: Shop, eventually: Eventually) -> None:
    settles(shop, "before")
    kill_workers(shop)
    eventually(lambda: "fiscal_process_restarts_total 2.0" in shop.worker.page("/metrics")[1])
    eventually(lambda: shop.worker.page("/readyz")[0] == 200)
    settles(shop, "after")
    page = shop.worker.page("/metrics")[1]
    assert 'fiscal_dead_letters_total{code="TAX_RATE_NOT_MAPPED"} 2.0' in page
    assert shop.worker.terminate() == 0


def test_a_cleaned_folder_changes_nothing(
    shop: Callable[..., Shop], temporary: Path, eventually: Eventually
) -> None:
    """Orders go on, a process that replaces a dead one sells, and no counter goes down."""
    running = shop(TMPDIR=str(temporary))
    for left in temporary.iterdir():
        shutil.rmtree(left)
    goes_on(running, eventually)


def test_a_full_folder_changes_nothing(
    shop: Callable[..., Shop], small: Path, eventually: Eventually
) -> None:
    """Not a page of it is left to write to."""
    running = shop(TMPDIR=str(small))
    with pytest.raises(OSError, match="No space left"):
        fill(small / "filling")
    goes_on(running, eventually)


def test_the_worker_leaves_nothing_in_the_folder(shop: Callable[..., Shop], temporary: Path) -> None:
    """Neither while it runs nor afterwards."""
    running = shop(TMPDIR=str(temporary))
    settles(running, "one")
    assert not list(temporary.iterdir())
    assert running.worker.terminate() == 0
    assert not list(temporary.iterdir())
