"""A partner as the pages show it: public facts, and its ties to law enforcement."""

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from intake.adapters.pages.explain import Tie


class Service(Protocol):
    """One service of a partner."""

    @property
    def service_id(self) -> UUID:
        """Id of the service."""

    @property
    def name(self) -> str:
        """Name of the service."""

    @property
    def description(self) -> str:
        """What it offers, in a line."""

    @property
    def needs(self) -> Sequence[str]:
        """Codes of the needs that it meets."""

    @property
    def hours_text(self) -> str:
        """When it is open, in words."""

    @property
    def first_contact_text(self) -> str:
        """When to expect first contact, in words."""


class Partner(Protocol):
    """One organization that may receive referrals."""

    @property
    def name(self) -> str:
        """Name of the organization."""

    @property
    def description(self) -> str:
        """What it is, in a line."""

    @property
    def phone(self) -> str:
        """Public phone number, or empty."""

    @property
    def website(self) -> str:
        """Public website, or empty."""

    @property
    def advocate_type(self) -> str:
        """Code of the kind of advocate."""

    @property
    def confidentiality(self) -> str:
        """Code of who may learn what is said to it."""

    @property
    def ties(self) -> Sequence[Tie]:
        """Ties to law enforcement."""

    @property
    def services(self) -> Sequence[Service]:
        """What it offers."""
