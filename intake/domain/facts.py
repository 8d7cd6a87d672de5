"""What leaves intake: codes and ranges that the releases name, and nothing else."""

from collections.abc import Sequence
from dataclasses import dataclass

from intake.domain.people import SUBSTANCE_USE, Story
from intake.domain.releases import ReleaseRequest
from intake.domain.rules import Problems


@dataclass(frozen=True, slots=True)
class Facts:
    """Released facts: codes, BCP 47 tags and a county's FIPS code."""

    needs: tuple[str, ...]
    urgency: str
    age_band: str
    languages: tuple[str, ...]
    interpreter: bool
    access_needs: tuple[str, ...]
    county: str
    preferences: tuple[str, ...]
    contact_route: str


def facts_of(story: Story, *, protected: bool = False) -> Facts:
    """Return the facts of a person's wishes; a protected need only where it is released (R-20)."""
    person, wishes = story.person, story.wishes
    return Facts(
        needs=tuple(need for need in wishes.needs if protected or need != SUBSTANCE_USE),
        urgency=wishes.urgency,
        age_band=person.age_band,
        languages=person.languages,
        interpreter=person.interpreter,
        access_needs=person.access_needs,
        county=wishes.county,
        preferences=wishes.preferences,
        contact_route=story.contact.route,
    )


def released_facts(story: Story, releases: Sequence[ReleaseRequest]) -> Facts:
    """Return what the releases together let out.

    Raises:
        Rejected: no need is left that any of them names.

    """
    protected = any(SUBSTANCE_USE in release.items for release in releases)
    facts = facts_of(story, protected=protected)
    if not facts.needs:
        problems = Problems()
        problems.add("releases", "No release names the need. Tick it, or add another need.")
        problems.refuse()
    return facts
