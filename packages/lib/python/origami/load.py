"""Importing a model by its path, as part of the packages that it lies in."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType


def load(path: Path) -> ModuleType:
    """Imports a model, with its folder first on the path of modules.

    In a folder with ``__init__.py`` it may import relatively.
    """
    sys.path.insert(0, str(path.parent))
    package = _package_of(path.parent)
    # Its package may have imported it already.
    imported = sys.modules.get(f"{package}.{path.stem}") if package else None
    module = imported or _run(f"{package}.{path.stem}" if package else path.stem, path)
    sys.modules.setdefault(path.stem, module)
    return module


def _package_of(folder: Path) -> str:
    """Imports the packages around a folder, the outermost first.

    The name of the innermost; empty where there is none.
    """
    around: list[Path] = []
    while (folder / "__init__.py").is_file():
        around.insert(0, folder)
        folder = folder.parent
    if not around:
        return ""
    # Last on the path: processes that the model starts find the package, and nothing else is found there before its
    # time.
    sys.path.append(str(folder))
    name = re.sub(r"\W", "_", around[0].name) or "package"
    while name in sys.modules:
        name += "_"
    _run(name, around[0] / "__init__.py", around[0])
    for inner in around[1:]:
        name = f"{name}.{inner.name}"
        if name not in sys.modules:
            _run(name, inner / "__init__.py", inner)
    return name


def _run(name: str, path: Path, package: Path | None = None) -> ModuleType:
    folders = None if package is None else [str(package)]
    spec = importlib.util.spec_from_file_location(name, path, submodule_search_locations=folders)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} cannot be imported")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    parent, _, last = name.rpartition(".")
    if parent:
        setattr(sys.modules[parent], last, module)
    return module
