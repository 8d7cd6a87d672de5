"""Who may do what at Kafka: a SCRAM user for each service, with the least rights.

An intake writes the topics of its own agency and reads its own, never another agency's.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from kafka import KafkaAdminClient
from kafka.admin import (
    ACL,
    ACLOperation,
    ACLPermissionType,
    ACLResourcePatternType,
    ResourcePattern,
    ResourceType,
    ScramMechanism,
    UserScramCredentialUpsertion,
)

from services.topics import Reading, client_of, read_by, written_by
from shared.config import SetupSettings

_SERVICES = ("routing", "notifications")


def grant_access(settings: SetupSettings, agencies: Iterable[str]) -> None:
    """Make the users that have a password in the settings, and give each its rights."""
    with _admin(settings) as admin:
        admin.alter_user_scram_credentials(
            [
                UserScramCredentialUpsertion(user, ScramMechanism.SCRAM_SHA_512, password)
                for user, password in settings.bus_passwords.items()
            ]
        )
        rights = all_rights(agencies)
        admin.create_acls([acl for user in settings.bus_passwords for acl in rights[user]])


def all_rights(agencies: Iterable[str]) -> Mapping[str, list[ACL]]:
    """Return the rights of each user of a system with these agencies."""
    found = {service: _rights(service, None) for service in _SERVICES}
    return found | {client_of("intake", code): _rights("intake", code) for code in agencies}


def _rights(service: str, agency: str | None) -> list[ACL]:
    user, reading = client_of(service, agency), read_by(service, agency)
    rights = [_acl(user, ACLOperation.READ, _group(reading))]
    for pattern in _patterns(reading):
        rights += [_acl(user, ACLOperation.READ, pattern)]
    for stem in written_by(service, agency):
        rights += [_acl(user, ACLOperation.WRITE, _topic(stem))]
    return rights


def _patterns(reading: Reading) -> list[ResourcePattern]:
    return [*map(_topic, reading.topics), *map(_topic, reading.stems)]


def _topic(name: str) -> ResourcePattern:
    kind = (
        ACLResourcePatternType.PREFIXED if name.endswith(".") else ACLResourcePatternType.LITERAL
    )
    return ResourcePattern(ResourceType.TOPIC, name, kind)


def _group(reading: Reading) -> ResourcePattern:
    return ResourcePattern(ResourceType.GROUP, reading.group)


def _acl(user: str, operation: ACLOperation, pattern: ResourcePattern) -> ACL:
    # Describe comes with both read and write.
    return ACL(f"User:{user}", "*", operation, ACLPermissionType.ALLOW, pattern)


def _admin(settings: SetupSettings) -> Any:  # noqa: ANN401  (the client is untyped)
    tls = {"ssl_cafile": settings.bus_ca} if settings.bus_ca else {}
    sasl = {
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": settings.bus_user,
        "sasl_plain_password": settings.bus_password,
    }
    return KafkaAdminClient(
        bootstrap_servers=settings.bus.removeprefix("kafka://").split(","),
        security_protocol=("SASL_" if settings.bus_user else "") + ("SSL" if tls else "PLAINTEXT"),
        **tls,
        **(sasl if settings.bus_user else {}),
    )
