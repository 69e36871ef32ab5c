"""Says where a model stands whose import does not come back, as with ``app.launch()``, ``serve()`` or a loop without
end.
"""

from __future__ import annotations

import linecache
import math
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

#: Names the seconds until the first word.
PATIENCE_VARIABLE = "ORIGAMI_IMPORT_PATIENCE"
PATIENCE = 20.0
BETWEEN = 60.0


@contextmanager
def watched(path: Path) -> Iterator[None]:
    """While ``path`` is imported inside, a thread writes to stderr where it stands: after 20 s, then each minute.

    Raises ValueError for a wrong ``ORIGAMI_IMPORT_PATIENCE``.
    """
    over = threading.Event()
    thread = threading.Thread(target=_watch, args=(path, _patience(), threading.get_ident(), over), daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()


def _watch(path: Path, patience: float, importing: int, over: threading.Event) -> None:
    waited, wait = 0.0, patience
    while not over.wait(wait):
        waited, wait = waited + wait, BETWEEN
        frame = sys._current_frames().get(importing)
        if frame is None:
            return
        late = f"{path.name} has not finished importing after {waited:g} s"
        print(f"origami: {late}. {_where(frame, path.parent)}", file=sys.stderr)


def _where(frame: FrameType, folder: Path) -> str:
    file, line = _standing(frame, folder)
    name = os.path.relpath(file, folder) if _is_own(file, folder) else file
    source = linecache.getline(file, line).strip()
    return (
        f"It stands in {name}, line {line}: {source}\n"
        'origami: what serves or never ends belongs under `if __name__ == "__main__":`; '
        "slow loading belongs into `def setup()`."
    )


def _standing(frame: FrameType, folder: Path) -> tuple[str, int]:
    """The innermost line of the model's own code; of any code where none of its own runs."""
    innermost = (frame.f_code.co_filename, frame.f_lineno)
    outer: FrameType | None = frame
    while outer is not None:
        if _is_own(outer.f_code.co_filename, folder):
            return outer.f_code.co_filename, outer.f_lineno
        outer = outer.f_back
    return innermost


def _is_own(file: str, folder: Path) -> bool:
    within = Path(file).is_relative_to(folder)
    return within and not {"site-packages", "dist-packages"} & set(Path(file).parts)


def _patience() -> float:
    said = os.environ.get(PATIENCE_VARIABLE) or str(PATIENCE)
    try:
        seconds = float(said)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds < threading.TIMEOUT_MAX:  # nan is in no range
        raise ValueError(f"{PATIENCE_VARIABLE}: expected seconds, such as {PATIENCE:g}, got {said!r}")
    return seconds
