"""Chooses the engine by the address."""

from shared.bus.kafka import KafkaBus
from shared.bus.port import Bus
from shared.bus.postgres import PostgresBus

_KAFKA = "kafka://"


def open_bus(address: str, *, user: str = "", password: str = "", ca: str = "") -> Bus:
    """Return the bus at an address; nothing is connected yet.

    "kafka://host:port,host:port" is Kafka; `user` and `password` sign in by SCRAM, `ca` is the
    file of the certificate authority of its TLS. Everything else is the libpq connection string
    of the bus database.
    """
    if address.startswith(_KAFKA):
        servers = address.removeprefix(_KAFKA).rstrip("/").split(",")
        return KafkaBus(servers, user=user, password=password, ca=ca)
    return PostgresBus(address)
