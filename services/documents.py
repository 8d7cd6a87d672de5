"""Documents generated from the code."""

import dataclasses

from shared.config import PREFIX, PROCESSES


def settings_table() -> str:
    """Return every setting with the processes that read it and its default, in Markdown."""
    readers: dict[str, list[str]] = {}
    fields: dict[str, dataclasses.Field[object]] = {}
    for process, settings in reversed(
        list(PROCESSES.items())
    ):  # set-up, the odd one, is the first
        for field in dataclasses.fields(settings):
            readers.setdefault(field.name, []).append(process.replace("_", " "))
            fields.setdefault(field.name, field)
    lines = ["| setting | what | default | read by |", "|---|---|---|---|"]
    for name, field in sorted(fields.items()):
        what = str(field.metadata["what"])
        lines.append(
            f"| `{PREFIX}{name.upper()}` | {what} | {_default(field)} | {_who(readers[name])} |"
        )
    return "\n".join(lines)


def _default(field: dataclasses.Field[object]) -> str:
    if field.default is dataclasses.MISSING:
        return "must be given"
    return f"`{str(field.default).lower()}`" if field.default != "" else "empty"


def _who(processes: list[str]) -> str:
    if len(processes) == len(PROCESSES):
        return "all"
    return ", ".join(processes)
