"""What the parts are measured on: a real Kafka broker and a PostgreSQL that syncs to disk."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import psycopg

from bench.drive import a_folder
from services.local.kafka import LocalKafka
from services.local.postgres import LocalPostgres
from shared.bus import Bus, Message, TopicSpec, open_bus
from shared.db.schema import WHOLE_BASE_SQL

_DATABASE = "part"
_SENT_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Ground:
    """Where the broker is, and a database with the tables that every service has."""

    servers: str
    dsn: str

    @property
    def bus(self) -> Bus:
        """The product's own way to the broker."""
        return open_bus(f"kafka://{self.servers}")

    def fill_topic(self, topic: str, messages: Sequence[Message]) -> None:
        """Make the topic and store the messages in it."""
        self.bus.create_topics({topic: TopicSpec()})
        producer = self.bus.producer("bench")
        for first in range(0, len(messages), _SENT_AT_ONCE):
            if any(producer.send(messages[first : first + _SENT_AT_ONCE])):
                raise RuntimeError(f"A message for {topic} was refused.")
        producer.close()

    def execute(self, *statements: str) -> None:
        """Run statements as the owner."""
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement)


@contextmanager
def a_ground() -> Iterator[Ground]:
    """Start both in a new folder, which is gone afterwards."""
    with ExitStack() as stack:
        top = stack.enter_context(a_folder())
        postgres, kafka = LocalPostgres(top / "postgres"), LocalKafka(top / "kafka")
        stack.callback(postgres.stop)
        postgres.start()
        stack.callback(kafka.stop)
        kafka.start()
        yield Ground(kafka.servers, _database(postgres))


def _database(postgres: LocalPostgres) -> str:
    with psycopg.connect(postgres.dsn("postgres"), autocommit=True) as connection:
        connection.execute(f"create database {_DATABASE}")
    dsn = postgres.dsn(_DATABASE)
    with psycopg.connect(dsn) as connection:
        connection.execute(WHOLE_BASE_SQL)
    return dsn
