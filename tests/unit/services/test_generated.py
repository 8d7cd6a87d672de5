from pathlib import Path

import pytest

from services.access import all_rights
from services.documents import SERVICES_WITH_API, openapi, settings_table
from services.topics import all_topics, read_by
from shared.config import PROCESSES


def test_every_setting_of_every_process_is_in_the_table() -> None:
    table = settings_table()

    for settings in PROCESSES.values():
        for name in settings.__dataclass_fields__:
            assert f"`WH_{name.upper()}`" in table


def test_the_committed_table_is_the_generated_one() -> None:
    committed = (Path(__file__).parents[3] / "docs" / "settings.md").read_text(encoding="utf-8")

    assert settings_table() in committed


def test_the_topics_of_referrals_are_each_agencys_own() -> None:
    topics = all_topics(["brva", "second"])

    assert {"intake.referral.brva", "routing.referral.second", "routing.partner"} <= set(topics)
    assert topics["routing.partner"].compacted
    assert not topics["intake.referral.brva"].compacted


def test_an_intake_reads_only_its_own_agencys_topics() -> None:
    reading = read_by("intake", "brva")

    assert set(reading.topics) == {"routing.partner", "routing.referral.brva"}
    assert reading.patterns == ()
    assert reading.group == "intake-brva"


def test_an_intake_has_no_right_to_another_agencys_topics() -> None:
    rights = all_rights(["brva", "second"])["intake-brva"]

    named = {acl.resource_pattern.resource_name for acl in rights}
    assert named == {
        "intake-brva",
        "intake.referral.brva",
        "routing.partner",
        "routing.referral.brva",
    }
    assert all(acl.principal == "User:intake-brva" for acl in rights)


def test_the_openapi_document_describes_what_an_agencys_system_sends() -> None:
    document = openapi("intake")

    post = document["paths"]["/api/referrals"]["post"]
    assert document["openapi"] == "3.1.0"
    assert {parameter["name"] for parameter in post["parameters"]} == {"Idempotency-Key"}
    assert post["requestBody"]["content"]["application/json"]["schema"]


@pytest.mark.parametrize("service", SERVICES_WITH_API)
def test_every_error_is_described_as_a_problem(service: str) -> None:
    document = openapi(service)
    shared = document["components"]["responses"]
    operations = [one for path in document["paths"].values() for one in path.values()]

    kinds = {
        kind
        for operation in operations
        if "responses" in operation
        for status, response in operation["responses"].items()
        if status == "default" or int(status) >= 400
        for kind in shared[response["$ref"].rsplit("/", 1)[-1]]["content"]
    }

    assert kinds == {"application/problem+json"}
