"""Directory versions: immutable, so each is read once and kept."""

import threading
from collections import OrderedDict

from psycopg.types.json import Jsonb

from routing.adapters import sql
from routing.adapters.records import from_json, to_json
from routing.domain.model import Directory, Partner
from shared.db import Tx
from shared.errors import NotFound

_KEPT = 8


class Directories:
    """A site's directory by version; thread-safe, shared by the transactions of a process."""

    def __init__(self, site: str) -> None:
        """Keep nothing yet."""
        self._site = site
        self._kept: OrderedDict[int, Directory] = OrderedDict()
        self._lock = threading.Lock()

    def active(self, tx: Tx) -> Directory:
        """Return the newest version; empty, with number 0, before the first import."""
        row = tx.execute(sql.ACTIVE_VERSION, (self._site,)).fetchone()
        if row is None or row["version"] is None:
            return Directory(0, self._site, {})
        return self.version(tx, row["version"])

    def version(self, tx: Tx, version: int) -> Directory:
        """Return one version.

        Raises:
            NotFound: there is none of this number.

        """
        with self._lock:
            if version in self._kept:
                self._kept.move_to_end(version)
                return self._kept[version]
        row = tx.execute(
            "select body from directory_version where version = %s", (version,)
        ).fetchone()
        if row is None:
            raise NotFound("There is no such version of the directory.")
        partners = [from_json(Partner, record) for record in row["body"]]
        found = Directory(version, self._site, {p.partner_id: p for p in partners})
        self._keep(found)
        return found

    def add(self, tx: Tx, partners: list[Partner]) -> int:
        """Store a new active version and return its number."""
        row = tx.execute(
            "insert into directory_version (site, body) values (%s, %s) returning version",
            (self._site, Jsonb(to_json(partners))),
        ).fetchone()
        assert row is not None  # noqa: S101  (insert .. returning gives a row)
        version: int = row["version"]
        return version

    def _keep(self, directory: Directory) -> None:
        with self._lock:
            self._kept[directory.version] = directory
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
