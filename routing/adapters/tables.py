"""CSV tables of a data package, cell by cell; what is wrong is collected with its place."""

import csv
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, time
from pathlib import Path
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

_TRUE: Final = frozenset({"true", "yes", "1"})
_FALSE: Final = frozenset({"false", "no", "0", ""})
_LANGUAGE: Final = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_MAX_TEXT: Final = 4000
_HEADER_ROWS: Final = 2


@dataclass(frozen=True, slots=True)
class Fault:
    """One error: in which file, row (the header is row 1; 0 is the file) and column, and why."""

    file: str
    row: int
    column: str
    reason: str

    @property
    def place(self) -> str:
        """Where it is: file, row and column as far as there is one."""
        row = f"row {self.row}" if self.row else ""
        return ", ".join(part for part in (self.file, row, self.column) if part)

    def __str__(self) -> str:
        """Return it as one line."""
        return f"{self.place}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Row:
    """One row. Each reader returns an empty value after it has noted a fault."""

    file: str
    number: int
    cells: Mapping[str, str]
    faults: list[Fault]

    def fault(self, column: str, reason: str) -> None:
        """Note an error of this row."""
        self.faults.append(Fault(self.file, self.number, column, reason))

    def text(self, column: str, *, required: bool = False) -> str:
        """Return the text of a cell without the space around it."""
        value = self.cells.get(column, "").strip()
        if required and not value:
            self.fault(column, "is empty")
        if len(value) > _MAX_TEXT:
            self.fault(column, f"is longer than {_MAX_TEXT} characters")
        return value

    def id(self, column: str) -> UUID | None:
        """Return a required id."""
        value = self.text(column, required=True)
        try:
            return UUID(value) if value else None
        except ValueError:
            self.fault(column, "is not a UUID")
            return None

    def reference(self, column: str, known: Collection[UUID], file: str) -> UUID | None:
        """Return a required id that must be one of another file's."""
        found = self.id(column)
        if found is not None and found not in known:
            self.fault(column, f"is no id of {file}")
            return None
        return found

    def optional_reference(self, column: str, known: Collection[UUID], file: str) -> UUID | None:
        """Return an id that may be missing, and otherwise must be one of another file's."""
        return self.reference(column, known, file) if self.text(column) else None

    def number_in(self, column: str, low: int, high: int) -> int | None:
        """Return a whole number, None for an empty cell."""
        value = self.text(column)
        if not value:
            return None
        if not value.isascii() or not value.isdigit() or not low <= int(value) <= high:
            self.fault(column, f"is not a whole number from {low} to {high}")
            return None
        return int(value)

    def flag(self, column: str) -> bool:
        """Return true or false; an empty cell is false."""
        value = self.text(column).lower()
        if value not in _TRUE | _FALSE:
            self.fault(column, "is neither true nor false")
        return value in _TRUE

    def code(self, column: str, known: Collection[str]) -> str:
        """Return a required code."""
        value = self.text(column, required=True)
        if value and value not in known:
            self.fault(column, f"is not one of: {', '.join(known)}")
        return value

    def codes(self, column: str, known: Collection[str], what: str) -> tuple[str, ...]:
        """Return the codes of a list, in their order, without repeats."""
        found = tuple(dict.fromkeys(self.items(column)))
        for value in found:
            if value not in known:
                self.fault(column, f"{value!r} is no {what}")
        return found

    def items(self, column: str, separators: str = ";") -> list[str]:
        """Return the items of a list."""
        parts = re.split(f"[{separators}]", self.text(column))
        return [part.strip() for part in parts if part.strip()]

    def day(self, column: str) -> date | None:
        """Return a date, None for an empty cell."""
        value = self.text(column)
        try:
            return date.fromisoformat(value) if value else None
        except ValueError:
            self.fault(column, "is not a date such as 2027-06-30")
            return None

    def clock(self, column: str) -> time | None:
        """Return a time of day, None for an empty cell."""
        value = self.text(column).removesuffix("Z")
        try:
            found = time.fromisoformat(value) if value else None
        except ValueError:
            self.fault(column, "is not a time such as 08:30")
            return None
        return found.replace(tzinfo=None, second=0, microsecond=0) if found else None

    def language(self, column: str) -> str:
        """Return a BCP 47 tag."""
        value = self.text(column, required=True)
        if value and not _LANGUAGE.fullmatch(value):
            self.fault(column, "is not a language tag such as en or es-MX")
        return value

    def zone(self, column: str, default: str) -> str:
        """Return an IANA zone's name."""
        value = self.text(column) or default
        try:
            ZoneInfo(value)
        except (KeyError, OSError, ValueError):
            self.fault(column, "is not a time zone such as America/Chicago")
            return default
        return value


@dataclass(slots=True)
class Package:
    """The tables of a folder; faults of all of them are collected in one list."""

    folder: Path
    faults: list[Fault] = field(default_factory=list)

    def rows(self, name: str, columns: Collection[str], *, required: bool = False) -> list[Row]:
        """Return the rows of `<name>.csv`; empty when the file is missing or cannot be read."""
        file = f"{name}.csv"
        if not (self.folder / file).is_file():
            if required:
                self.faults.append(Fault(file, 0, "", "is missing"))
            return []
        try:
            return list(self._read(file, columns))
        except UnicodeDecodeError:
            self.faults.append(Fault(file, 0, "", "is not UTF-8"))
        except csv.Error as wrong:
            self.faults.append(Fault(file, 0, "", f"is not CSV: {wrong}"))
        return []

    def _read(self, file: str, columns: Collection[str]) -> Iterator[Row]:
        with (self.folder / file).open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.reader(stream, strict=True)
            header = [name.strip() for name in next(reader, [])]
            missing = [name for name in columns if name not in header]
            for name in missing:
                self.faults.append(Fault(file, 1, name, "the column is missing"))
            if missing:
                return
            for number, cells in enumerate(reader, _HEADER_ROWS):
                if not any(cells):
                    continue
                row = Row(file, number, dict(zip(header, cells, strict=False)), self.faults)
                if len(cells) != len(header):
                    row.fault("", f"has {len(cells)} cells, the header {len(header)}")
                    continue
                yield row
