"""Releases: who may be chosen, until when, with what evidence."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intake.domain.partners import Partner, barred_partners
from intake.domain.people import Encounter
from intake.domain.releases import (
    MOST_PICTURE_BYTES,
    Drawn,
    OnPaper,
    Release,
    ReleaseRequest,
    Surroundings,
    check_releases,
    default_expiry,
    end_of,
    latest_expiry,
)
from tests.unit.intake.builders import (
    NOW,
    PNG,
    POLICE,
    RULES,
    SHERIFF,
    TODAY,
    a_partner,
    a_request,
    a_tie,
    an_encounter,
)

KINDS = ("run-by", "funded-by", "co-located", "employs")


def problems(
    *requests: ReleaseRequest,
    partners: list[Partner] | None = None,
    encounter: Encounter | None = None,
    **changes: Any,
) -> Mapping[str, list[str]]:
    around = Surroundings(
        rules=RULES,
        now=NOW,
        partners={p.partner_id: p for p in partners or []},
        encounter=encounter or an_encounter(),
        needs=("trauma-therapy",),
    )
    return check_releases(requests, replace(around, **changes)).fields


def test_a_whole_release_has_no_problem() -> None:
    partner = a_partner()

    assert not problems(a_request(partner), partners=[partner])


def test_up_to_three_partners_in_a_distinct_order() -> None:
    partners = [a_partner() for _ in range(4)]
    requests = [a_request(partner, rank=rank) for rank, partner in enumerate(partners, 1)]

    assert not problems(*requests[:3], partners=partners)
    assert "releases" in problems(*requests, partners=partners)
    assert "releases" in problems(requests[0], replace(requests[1], rank=1), partners=partners)
    assert "releases" in problems(requests[0], replace(requests[0], rank=2), partners=partners)
    assert "releases" in problems(partners=partners)


@given(days=st.integers(-400, 400))
def test_an_end_is_from_today_to_ninety_days(days: int) -> None:
    """R-16."""
    partner = a_partner()
    request = a_request(partner, expires_on=TODAY + timedelta(days=days))

    refused = "releases.0.expires_on" in problems(request, partners=[partner])

    assert refused is not (0 <= days <= 90)


def test_an_end_is_needed() -> None:
    """R-16."""
    partner = a_partner()

    assert "releases.0.expires_on" in problems(
        a_request(partner, expires_on=None), partners=[partner]
    )
    assert default_expiry(RULES, NOW) == TODAY + timedelta(days=30)
    assert latest_expiry(RULES, NOW) == TODAY + timedelta(days=90)


def test_a_release_holds_through_its_last_day_at_the_site() -> None:
    ends = [end_of(date(2027, 3, day), RULES).isoformat() for day in (13, 14)]

    assert ends == ["2027-03-14T06:00:00+00:00", "2027-03-15T05:00:00+00:00"]


@pytest.mark.parametrize(
    "signature",
    [
        None,
        Drawn(b""),
        Drawn(b"GIF89a"),
        Drawn(PNG + bytes(MOST_PICTURE_BYTES)),
        OnPaper(PNG, "image/png", witness=" "),
        OnPaper(PNG, "application/pdf", witness="Invented Witness"),
        OnPaper(b"MZ", "application/x-msdownload", witness="Invented Witness"),
    ],
)
def test_a_release_without_evidence_is_refused(signature: Drawn | OnPaper | None) -> None:
    """R-15: a grant needs a signature; taking back needs none."""
    partner = a_partner()

    assert "releases.0.signature" in problems(
        a_request(partner, signature=signature), partners=[partner]
    )


def test_paper_with_a_witness_is_evidence() -> None:
    partner = a_partner()
    scan = OnPaper(b"%PDF-1.7", "application/pdf", witness="Invented Witness")

    assert not problems(a_request(partner, signature=scan), partners=[partner])


@pytest.mark.parametrize(
    "partner",
    [
        a_partner(site="oakland"),
        a_partner(recipient=False),
        a_partner(ties=(a_tie(POLICE),)),
    ],
)
def test_a_partner_that_may_not_be_asked_is_refused(partner: Partner) -> None:
    assert "releases.0.partner_id" in problems(a_request(partner), partners=[partner])


def test_an_unknown_partner_and_one_that_was_asked_are_refused() -> None:
    partner = a_partner()

    assert "releases.0.partner_id" in problems(a_request(uuid4()), partners=[partner])
    assert "releases.0.partner_id" in problems(
        a_request(partner), partners=[partner], taken=frozenset({partner.partner_id})
    )


def test_a_protected_item_is_for_a_need_that_was_named() -> None:
    """R-20."""
    partner = a_partner()
    request = a_request(partner, items=("needs", "facts", "substance-use"))

    assert "releases.0.items" in problems(request, partners=[partner])
    assert not problems(request, partners=[partner], needs=("substance-use",))


@given(
    ties=st.lists(
        st.builds(a_tie, st.sampled_from([POLICE, SHERIFF]), st.sampled_from(KINDS)), max_size=3
    ),
    involved=st.sets(st.sampled_from([POLICE, SHERIFF])),
    not_told=st.sets(st.sampled_from([POLICE, SHERIFF])),
    named=st.booleans(),
)
def test_whoever_is_tied_to_an_involved_agency_is_barred_and_nobody_else(
    ties: list[Any],
    involved: set[str],
    not_told: set[str],
    named: bool,  # noqa: FBT001
) -> None:
    """R-10: whatever the kind of the tie."""
    partner = a_partner(ties=tuple(ties))
    told_by_name = {str(partner.partner_id)} if named else set()
    encounter = an_encounter(
        involved_agencies=tuple(involved), do_not_tell=(*not_told, *told_by_name)
    )

    barred = barred_partners([partner, a_partner()], encounter)

    is_tied = any(tie.agency in involved | not_told for tie in ties)
    assert barred == ((partner.partner_id,) if is_tied or named else ())
    if barred:
        found = problems(a_request(partner), partners=[partner], encounter=encounter)
        assert "releases.0.partner_id" in found


@given(revoked=st.booleans(), hours=st.integers(-50, 50))
def test_a_release_is_live_until_it_ends_or_is_taken_back(
    revoked: bool,  # noqa: FBT001
    hours: int,
) -> None:
    release = Release(
        release_id=UUID(int=1),
        partner_id=UUID(int=2),
        rank=1,
        items=(),
        report_back=(),
        expires_at=NOW + timedelta(hours=hours),
        revoked_at=NOW if revoked else None,
    )

    assert release.is_live(NOW) is (hours > 0 and not revoked)
    assert (release.state(NOW) == "live") is release.is_live(NOW)
