"""Where in a draft a request is: the page it is about, how it looks, where it leads."""

from dataclasses import dataclass
from uuid import UUID

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from intake.adapters.pages import contexts
from intake.adapters.pages.journey import STEPS, Form, Stop
from intake.adapters.pages.reader import Typed
from intake.adapters.pages.room import Room
from intake.adapters.pages.said import Said
from shared.http.access import current_member
from shared.http.render import page

ASKS_ABOUT_IT = frozenset({"safety", "about"})
"""Pages that stay open when the answers end the form: they are where that can be changed."""


@dataclass(frozen=True, slots=True)
class Place:
    """One page of one draft."""

    room: Room
    draft_id: UUID
    form: Form
    stop: Stop

    def show(
        self, *, typed: Typed | None = None, problems: dict[str, str] | None = None
    ) -> ResponseReturnValue:
        """Answer with the page: what was typed kept, problems named on top."""
        found = self.form.answers.typed.get(self.stop.key)
        return page(
            f"intake/form/{self.stop.page.name}.html",
            status=422 if problems else 200,
            said=Said(found if typed is None else typed, contexts.defaults(self.form, self.stop)),
            errors={name: [problem] for name, problem in (problems or {}).items()},
            steps=[str(step) for step in STEPS],
            step=self.stop.page.step,
            draft_id=self.draft_id,
            then=then(),
            here=address(self.draft_id, self.stop),
            back=self._back(),
            **contexts.context(self.room.desk, self.form, self.stop),
        )

    def save(self, form: Form) -> None:
        """Keep the draft as it is now."""
        self.room.desk.save(current_member(), self.draft_id, form.answers)

    def onward(self, form: Form) -> ResponseReturnValue:
        """Lead to the next page, or back to the check page when this one came from there."""
        fresh = self.room.form(form.answers)
        if fresh.ending():
            return redirect(url_for("form.ends", draft_id=self.draft_id))
        if then() == "check":
            stop = fresh.first_open()
            wanted = "" if stop.page.name == "check" else "check"
            return redirect(address(self.draft_id, stop, then=wanted))
        return redirect(address(self.draft_id, fresh.after(self.stop)))

    def _back(self) -> str:
        if then() == "check":
            return url_for("form.show", draft_id=self.draft_id, name="check")
        before = self.form.before(self.stop)
        return address(self.draft_id, before) if before else url_for("form.start")


def find(room: Room, draft_id: UUID, name: str, about: str) -> Place | ResponseReturnValue:
    """Return the page if the draft's answers lead to it; else the way to where they lead."""
    form = room.open(current_member(), draft_id)
    if not isinstance(form, Form):
        return form
    if form.ending() and name not in ASKS_ABOUT_IT:
        return redirect(url_for("form.ends", draft_id=draft_id))
    stop, every = form.stop(name, about), form.stops()
    if stop is None or every.index(stop) > every.index(form.first_open()):
        return redirect(address(draft_id, form.first_open()))
    return Place(room, draft_id, form, stop)


def address(draft_id: UUID, stop: Stop, *, then: str = "") -> str:
    """Return the address of a page of the form."""
    return url_for(
        "form.show",
        draft_id=draft_id,
        name=stop.page.name,
        about=stop.about or None,
        then=then or None,
    )


def then() -> str:
    """Return where Continue leads instead of the next page: "check" or nothing."""
    return "check" if request.values.get("then") == "check" else ""
