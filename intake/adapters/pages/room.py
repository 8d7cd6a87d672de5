"""What the pages share: the desk behind them, the site and agency they speak for."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from uuid import UUID

from flask import redirect, url_for
from flask.typing import ResponseReturnValue

from intake.adapters.pages.answers import Answers
from intake.adapters.pages.asking import Asking
from intake.adapters.pages.desk import Desk
from intake.adapters.pages.journey import Form
from shared.db.members import Member
from shared.errors import NotFound
from shared.site import Agency, Site


@dataclass(frozen=True, slots=True)
class Room:
    """Everything a view needs; handed over when the pages are built."""

    desk: Desk
    site: Site
    agency: Agency

    def now(self) -> datetime:
        """Return the time; what has to hold is checked again by the database's."""
        return datetime.now(UTC)

    def form(self, answers: Answers) -> Form:
        """Return the form as these answers leave it."""
        asking = Asking(
            site=self.site,
            agency=self.agency,
            today=self.site.local(self.now()).date(),
            partners=self.desk.partners(),
            used=frozenset(answers.used),
        )
        form = Form(answers, asking)
        return Form(answers, replace(asking, barred=self.desk.barred(form)))

    def open(self, member: Member, draft_id: UUID) -> Form | ResponseReturnValue:
        """Return the member's draft as a form; once it was sent, the way to what it became."""
        try:
            answers = self.desk.draft(member, draft_id)
        except NotFound:
            sent = self.desk.sent(draft_id)
            if sent is None:
                raise
            return redirect(url_for("referrals_pages.sent", referral_id=sent))
        return self.form(answers)
