"""Structured logs: one JSON line an event on stdout, with codes and ids, never personal data."""

import logging
import sys
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

import structlog
from structlog.contextvars import bound_contextvars, get_contextvars

from shared.contracts.trace import new_correlation, new_traceparent


def configure(process: str) -> None:
    """Set up logging for a process, the libraries' own lines included (warnings and worse)."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        _placing(process),
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _drop_exception_text,
    ]
    structlog.configure(
        processors=[*shared, structlog.processors.JSONRenderer()],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stdout),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
            foreign_pre_chain=[_drop_foreign_text, *shared],
            pass_foreign_args=True,
        )
    )
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    # It warns at every connection without TLS that the password is sent, which SCRAM does not do.
    logging.getLogger("kafka.net.sasl.scram").setLevel(logging.ERROR)
    sys.excepthook = lambda _, failure, __: _log_end(failure)
    threading.excepthook = lambda ended: _log_end(ended.exc_value)


def _log_end(failure: BaseException | None) -> None:
    """Tell what ended a thread or the process; Python itself would print its text."""
    if not isinstance(failure, SystemExit):
        get_logger(__name__).critical("died", exc_info=failure)


def _drop_foreign_text(
    _: object, __: str, line: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    """Name a library's line by its logger and place only: its text may quote anything."""
    record: logging.LogRecord = line["_record"]
    line["event"], line["logger"] = "foreign", record.name
    line["at"] = f"{record.module}:{record.lineno}"
    told = [said for said in line.pop("positional_args") or () if isinstance(said, BaseException)]
    if told:
        line.setdefault("exc_info", told[0])
    return line


def _placing(process: str) -> structlog.typing.Processor:
    """Name the process in every line, and its own trace where nothing else is worked on.

    What is bound in one thread is unknown to the others.
    """
    own = new_traceparent()

    def place(_: object, __: str, line: structlog.typing.EventDict) -> structlog.typing.EventDict:
        line["process"] = process
        line.setdefault("traceparent", own)
        return line

    return place


def _drop_exception_text(
    _: object, __: str, line: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    """Name an exception by its type and place only: its text may quote what a person typed."""
    failure = line.pop("exc_info", None)
    if failure is True:
        failure = sys.exc_info()[1]
    if isinstance(failure, tuple):
        failure = failure[1]
    if isinstance(failure, BaseException):
        line["error"] = type(failure).__name__
        line["at"] = _place(failure)
    return line


def _place(failure: BaseException) -> str:
    trace = failure.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return "unknown"
    return f"{trace.tb_frame.f_globals.get('__name__', '?')}:{trace.tb_lineno}"


def get_logger(name: str) -> structlog.typing.FilteringBoundLogger:
    """Return the logger of a module."""
    logger: structlog.typing.FilteringBoundLogger = structlog.get_logger(module=name)
    return logger


@contextmanager
def context(*, correlation_id: str, traceparent: str) -> Iterator[None]:
    """Give every log line and every event of the block these ids."""
    with bound_contextvars(correlation_id=correlation_id, traceparent=traceparent):
        yield


def beginning() -> AbstractContextManager[None]:
    """Give every log line and every event of the block ids that begin here."""
    return context(correlation_id=new_correlation(), traceparent=new_traceparent())


def correlation() -> str:
    """Return the correlation id of what is being worked on, or a new one."""
    return str(get_contextvars().get("correlation_id") or new_correlation())


def traceparent() -> str:
    """Return the W3C trace context of what is being worked on, or a new one."""
    return str(get_contextvars().get("traceparent") or new_traceparent())
