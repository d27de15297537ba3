"""Building programs in other languages: which tools are missing, and a build that shows all it said when it fails."""

import shutil
import subprocess
from pathlib import Path

BUILD_LIMIT_S = 600
"""The first build on a machine downloads its modules."""
TRIES = 2
"""A registry that answers badly once is no failure of ours."""


def missing(*tools: str) -> str:
    """Name the tools that are not on the PATH, for a skip that says so; empty when all are there."""
    return " and no ".join(tool for tool in tools if shutil.which(tool) is None)


def run_tool(folder: Path, *command: str) -> None:
    """Run a build tool and show all it said when it fails."""
    for _ in range(TRIES):
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=BUILD_LIMIT_S, check=False)
        if done.returncode == 0:
            return
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"


def is_older(product: Path, *sources: Path) -> bool:
    """Whether the product is missing or was made before its newest source."""
    return not product.exists() or product.stat().st_mtime < max(source.stat().st_mtime for source in sources)
