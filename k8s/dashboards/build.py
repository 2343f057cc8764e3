"""Builds the dashboards: ``python k8s/dashboards/build.py [FOLDER]`` writes a JSON file for each."""

from __future__ import annotations

import sys
from pathlib import Path

from checkbox import checkbox
from dead_letters import dead_letters
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from overview import overview

BOARDS = {"overview": overview, "checkbox": checkbox, "dead_letters": dead_letters}


def main(folder: Path) -> None:
    """Write them all."""
    for name, build in BOARDS.items():
        dashboard = build().build()
        for number, panel in enumerate(dashboard.panels or (), 1):
            panel.id_val = number
        text = JSONEncoder(sort_keys=True, indent=2).encode(dashboard)
        (folder / f"{name}.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
