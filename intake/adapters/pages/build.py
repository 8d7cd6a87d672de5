"""Adds the pages to an app."""

from flask import Flask
from flask_babel import lazy_gettext as _l

from intake.adapters.pages.check import check
from intake.adapters.pages.form import form
from intake.adapters.pages.referrals import referrals
from intake.adapters.pages.room import Room
from intake.adapters.pages.sheet import sheet
from intake.adapters.pages.signing import signing
from shared.http.render import add_navigation
from shared.http.web import NavItem

ADVOCATES = frozenset({"advocate"})


def add_pages(app: Flask, room: Room) -> None:
    """Add the advocate's pages to intake's app, and their links to the header."""
    for blueprint in (form, signing, check, sheet, referrals):
        app.register_blueprint(blueprint(room))
    add_navigation(
        app,
        NavItem(_l("My referrals"), "referrals_pages.mine", ADVOCATES),
        NavItem(_l("New referral"), "form.start", ADVOCATES),
    )
