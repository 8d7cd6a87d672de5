"""Who may do what at Kafka: SCRAM users and access lists."""

from collections.abc import Sequence
from dataclasses import dataclass

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

_DESCRIBE = ACLOperation.DESCRIBE


@dataclass(frozen=True, slots=True)
class User:
    """A service at Kafka. A name that ends in a dot stands for all topics that begin so."""

    name: str
    password: str
    writes: Sequence[str]
    reads: Sequence[str]
    group: str


def admit(servers: Sequence[str], user: str, password: str, admitted: Sequence[User]) -> None:
    """Make sure that these users exist and may do exactly what they need; `user` administers.

    Raises KafkaError when the brokers are away or refuse.
    """
    client = KafkaAdminClient(
        bootstrap_servers=list(servers),
        security_protocol="SASL_PLAINTEXT" if user else "PLAINTEXT",
        **_sign_in(user, password),
    )
    try:
        client.alter_user_scram_credentials(
            [
                UserScramCredentialUpsertion(
                    who.name, ScramMechanism.SCRAM_SHA_512, who.password.encode()
                )
                for who in admitted
            ]
        )
        client.create_acls([acl for who in admitted for acl in _access(who)])
    finally:
        client.close()


def _sign_in(user: str, password: str) -> dict[str, str]:
    if not user:
        return {}
    return {
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": user,
        "sasl_plain_password": password,
    }


def _access(who: User) -> list[ACL]:
    wanted = [(_topics(name), ACLOperation.WRITE) for name in who.writes]
    wanted += [(_topics(name), ACLOperation.READ) for name in who.reads]
    wanted += [(_topics(name), _DESCRIBE) for name in (*who.writes, *who.reads)]
    wanted += [
        (ResourcePattern(ResourceType.GROUP, who.group), operation)
        for operation in (ACLOperation.READ, _DESCRIBE)
    ]
    return [
        ACL(f"User:{who.name}", "*", operation, ACLPermissionType.ALLOW, pattern)
        for pattern, operation in wanted
    ]


def _topics(name: str) -> ResourcePattern:
    kind = (
        ACLResourcePatternType.PREFIXED if name.endswith(".") else ACLResourcePatternType.LITERAL
    )
    return ResourcePattern(ResourceType.TOPIC, name, kind)
