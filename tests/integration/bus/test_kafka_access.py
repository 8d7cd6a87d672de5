"""On Kafka with passwords and ACLs, an agency's service reaches its own topics and no other's."""

import re
from collections.abc import Iterator

import pytest
from kafka import KafkaAdminClient
from kafka.admin import ScramMechanism, UserScramCredentialUpsertion

from services.access import all_rights
from services.local import ports
from services.topics import all_topics, read_by
from shared.bus import Bus, Message, SendFailed, open_bus
from shared.bus.kafka import open_client
from shared.errors import TransientError
from tests.support.brokers import an_own_broker

AGENCIES = ("brva", "other")
OWN, OTHERS = (f"intake.referral.{agency}" for agency in AGENCIES)
PASSWORD = "of-tests"


def guarded(open_port: int, port: int, controller: int) -> dict[str, str]:
    """Return settings of a broker with a listener that asks for passwords, and rules."""
    open_, asking = (f"{ports.HOST}:{number}" for number in (open_port, port))
    return {
        "listeners": f"PLAINTEXT://{open_},SASL://{asking},CONTROLLER://{ports.HOST}:{controller}",
        "advertised.listeners": f"PLAINTEXT://{open_},SASL://{asking}",
        "listener.security.protocol.map": (
            "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SASL:SASL_PLAINTEXT"
        ),
        "sasl.enabled.mechanisms": "SCRAM-SHA-512",
        "listener.name.sasl.scram-sha-512.sasl.jaas.config": (
            "org.apache.kafka.common.security.scram.ScramLoginModule required;"
        ),
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": "User:ANONYMOUS",
    }


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Give the listener that asks for passwords, with every service's user and rights."""
    open_port = ports.choose()
    controller = ports.choose({open_port})
    asking = ports.choose({open_port, controller})
    numbers = {"broker": open_port, "controller": controller}
    with an_own_broker(guarded(open_port, asking, controller), numbers) as broker:
        open_bus(broker.url).create_topics(all_topics(AGENCIES))
        with open_client(KafkaAdminClient, {"bootstrap_servers": [broker.servers]}) as admin:
            for user, rights in all_rights(AGENCIES).items():
                admin.alter_user_scram_credentials(
                    [UserScramCredentialUpsertion(user, ScramMechanism.SCRAM_SHA_512, PASSWORD)]
                )
                admin.create_acls(rights)
        yield f"kafka://{ports.HOST}:{asking}"


def bus_of(address: str, user: str) -> Bus:
    return open_bus(address, user=user, password=PASSWORD)


def test_an_intake_writes_its_own_topic_and_is_refused_the_others_for_ever(address: str) -> None:
    producer = bus_of(address, "intake-brva").producer("relay")

    sent, refused, sent_too = producer.send(
        [Message(topic, "key", {}, b"{}") for topic in (OWN, OTHERS, OWN)]
    )
    producer.close()

    assert sent is sent_too is None
    assert isinstance(refused, SendFailed)
    assert (refused.code, refused.permanent) == ("not-allowed", True)


def test_routing_finds_every_agency_and_an_intake_no_other(address: str) -> None:
    for agency in AGENCIES:
        producer = bus_of(address, f"intake-{agency}").producer("relay")
        assert producer.send([Message(f"intake.referral.{agency}", "key", {}, b"{}")]) == [None]
        producer.close()
    reading = read_by("routing")
    everything = bus_of(address, "routing").subscribe(
        reading.group, reading.topics, reading.patterns
    )
    stranger = bus_of(address, "intake-brva").subscribe("intake-brva", [], [re.escape(OTHERS)])

    found = {record.topic for _ in range(6) for record in everything.poll(0.5)}
    lag = everything.lag()
    nothing = [record for _ in range(4) for record in stranger.poll(0.5)]
    everything.close()
    stranger.close()

    assert found == {OWN, OTHERS}
    assert {OWN, OTHERS} <= set(lag)
    assert nothing == []


def test_a_group_of_another_service_is_refused(address: str) -> None:
    subscription = bus_of(address, "intake-brva").subscribe("routing", [OWN])

    with pytest.raises(TransientError):
        for _ in range(10):
            subscription.poll(0.5)
    subscription.close()


def test_a_wrong_password_gets_nowhere(address: str) -> None:
    producer = open_bus(address, user="intake-brva", password="wrong").producer("relay")

    with pytest.raises(TransientError):
        producer.send([Message(OWN, "key", {}, b"{}")])
