"""The advocate's pages, and the pages on which a partner sees how to make contact."""

from intake.adapters.pages.build import add_pages
from intake.adapters.pages.desk import Desk
from intake.adapters.pages.disclosures import Entrance, add_disclosures
from intake.adapters.pages.room import Room

__all__ = ["Desk", "Entrance", "Room", "add_disclosures", "add_pages"]
