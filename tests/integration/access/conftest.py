"""The three services, each built once, and a sign-in provider that makes real tokens."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from services.local.provider import Provider
from tests.integration.access.intake_place import intake_place
from tests.integration.access.notifications_place import notifications_place
from tests.integration.access.places import Place
from tests.integration.access.routing_place import routing_place
from tests.support.databases import Server
from tests.support.web import a_provider

_BUILD: Mapping[str, Callable[[Server, Path, str], AbstractContextManager[Place]]] = {
    "intake": intake_place,
    "routing": routing_place,
    "notifications": notifications_place,
}


@pytest.fixture(scope="package")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    with a_provider(tmp_path_factory.mktemp("provider")) as found:
        yield found


@pytest.fixture(scope="package", params=_BUILD)
def service(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(scope="package")
def place(
    service: str,
    postgres: Server,
    provider: Provider,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp(service)
    with _BUILD[service](postgres, folder, provider.issuer) as found:
        yield found
