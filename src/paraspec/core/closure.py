"""What code and which libraries a step really uses, read from its imports.

Rules carry both as parameters: an edit of a module reruns just the steps that import
it, an edit of a comment or docstring reruns nothing.
"""

import ast
import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]
NAME = PACKAGE.name
DISTRIBUTIONS = {"yaml": "pyyaml"}
"""Import names whose distribution is called otherwise."""


def code_hash(module: str, function: str, only: str = "") -> str:
    """Hash of the syntax trees that a command needs, free of docstrings and comments.

    Parameters
    ----------
    module
        Dotted name of the module that defines the command.
    function
        Its name: of this module only it and what stands outside functions counts.
    only
        Module that the command uses alone among those which its package collects:
        one figure of the package of figures. All of them by default.
    """
    digest = hashlib.sha256(ast.dump(_command(module, function)).encode())
    for name in sorted(closure(module, function, only)):
        digest.update(name.encode() + _source(name).text)
    return digest.hexdigest()[:16]


def code_parts(module: str, function: str, only: str = "") -> dict[str, str]:
    """Hash of each module that :func:`code_hash` covers, and of the command itself."""
    command = ast.dump(_command(module, function)).encode()
    names = sorted(closure(module, function, only))
    parts = {name: _source(name).text for name in names}
    parts[f"{module}.{function}"] = command
    return {name: hashlib.sha256(text).hexdigest()[:16] for name, text in parts.items()}


def environment_hash(module: str, function: str, lock: Path, only: str = "") -> str:
    """Hash of the locked versions of the libraries which that code imports."""
    used = libraries(module, function, lock, only)
    pins = [f"{name}=={version}" for name, version in used.items()]
    return hashlib.sha256(" ".join(pins).encode()).hexdigest()[:16]


def libraries(module: str, function: str, lock: Path, only: str = "") -> dict[str, str]:
    """Locked versions of the libraries which a command's code imports, by name."""
    versions = locked_versions(lock)
    imported = set(_imports(_command(module, function))).union(
        *(_source(name).imports for name in closure(module, function, only))
    )
    used = {name.split(".")[0] for name in imported}
    names = sorted(DISTRIBUTIONS.get(name, name).replace("_", "-") for name in used)
    return {name: versions[name] for name in names if name in versions}


def closure(module: str, function: str, only: str = "") -> frozenset[str]:
    """Modules of the package that a command imports, directly or through others."""
    found: set[str] = set()
    ahead = _own(_imports(_command(module, function)))
    while ahead:
        name = ahead.pop()
        if name not in found:
            found.add(name)
            ahead += _followed(name, only)
    return frozenset(found)


def _followed(name: str, only: str) -> Sequence[str]:
    """What a module imports; a package that collects leads to the one meant alone."""
    imported = _source(name).own
    if not only or name != only.rpartition(".")[0]:
        return imported
    collected = f"{name}."
    return [each for each in imported if each == only or not each.startswith(collected)]


def locked_versions(lock: Path) -> dict[str, str]:
    """Versions in a lock file of ``name==version`` lines."""
    pins = re.findall(r"^([A-Za-z0-9._-]+)==(\S+)", lock.read_text(), re.MULTILINE)
    return {name.lower().replace("_", "-"): version for name, version in pins}


def _file(module: str) -> Path | None:
    path = PACKAGE.joinpath(*module.split(".")[1:])
    for candidate in (path.with_suffix(".py"), path / "__init__.py"):
        if candidate.is_file():
            return candidate
    return None


@dataclass(frozen=True)
class _Source:
    """What is asked of a module again and again, for every step that imports it."""

    tree: ast.Module
    """Without docstrings."""
    text: bytes
    imports: frozenset[str]
    own: Sequence[str]


@cache
def _source(module: str) -> _Source:
    path = _file(module)
    assert path is not None, module
    tree = _without_texts(path)
    imports = frozenset(_imports(tree))
    return _Source(tree, ast.dump(tree).encode(), imports, _own(sorted(imports)))


def _without_texts(path: Path) -> ast.Module:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if hasattr(node, "body") and isinstance(node.body, list):
            node.body = [part for part in node.body if not _is_text(part)] or [
                ast.Pass()
            ]
    return tree


def _is_text(node: ast.stmt) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def _command(module: str, function: str) -> ast.Module:
    """A module's tree with no other top-level function than the one named.

    Helpers of the module whose name starts with an underscore stay.
    """
    kept = [
        node
        for node in _source(module).tree.body
        if not isinstance(node, ast.FunctionDef)
        or node.name == function
        or node.name.startswith("_")
    ]
    return ast.Module(body=kept, type_ignores=[])


def _imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _own(imports: Iterable[str]) -> list[str]:
    """Modules of this package among imports, with the packages that hold them."""
    names = []
    for imported in imports:
        if imported.split(".")[0] != NAME:
            continue
        parts = imported.split(".")
        prefixes = [".".join(parts[:i]) for i in range(1, len(parts) + 1)]
        names += [name for name in prefixes if _file(name) is not None]
    return names
