"""The bus of a demo: the engine that its folder is stamped with."""

from services.local.folder import Refused
from services.local.settings import Place
from services.topics import all_topics
from shared.bus import open_bus
from shared.site import load_site


class Broker:
    """The engine's server: nothing for `postgres`, a Kafka broker for `kafka`."""

    def __init__(self, place: Place) -> None:
        """Name the demo; nothing is started yet."""
        stamp = place.folder.stamp()
        self._kafka = place.kafka if stamp is not None and stamp.bus == "kafka" else None

    def start(self) -> None:
        """Start the server, if it does not run.

        Raises:
            CannotRun: there is no JDK or no Maven.

        """
        if self._kafka is not None:
            self._kafka.start()

    def stop(self) -> None:
        """Stop the server."""
        if self._kafka is not None:
            self._kafka.stop()


def choose_engine(place: Place, wanted: str | None) -> None:
    """Change the folder's engine to the wanted one, if nothing waits on the old one.

    Raises:
        Refused: events wait; the text has their number.

    """
    stamp = place.folder.stamp()
    if stamp is None or wanted is None or wanted == stamp.bus:
        return
    broker = Broker(place)
    broker.start()
    try:
        unread = open_bus(place.bus()).unread()
    finally:
        broker.stop()
    if unread:
        raise Refused(
            f"Events that nobody has read yet wait on the bus engine {stamp.bus}: {unread}."
            f" Changed to {wanted}, they would be lost. Start with BUS={stamp.bus} until they"
            " are read, then change."
        )
    place.folder.change_bus(wanted)


def make_topics(place: Place) -> None:
    """Make sure that the topics exist; the bus runs."""
    agencies = [agency.code for agency in load_site(place.folder.site).agencies]
    open_bus(place.bus()).create_topics(all_topics(agencies))
