"""The parts of notifications' worker, put together from its settings."""

from notifications.adapters.addresses import Gate
from notifications.adapters.dispatcher import Dispatcher
from notifications.adapters.events import CONSUMER, FINAL, IMMEDIATE, Events
from notifications.adapters.mail import MailSender, MailServer
from notifications.adapters.message import Sender
from notifications.adapters.secrets_at_rest import Safe
from notifications.adapters.texts import Texts
from notifications.adapters.webhook import WebhookSender
from notifications.domain.notices import Audience, Owner
from shared.config import NotificationsWorkerSettings
from shared.db import Pool
from shared.db.outbox import Outbox
from shared.site import Site
from shared.worker import Inbox, Loop


def build_inbox(pool: Pool, site: Site) -> Inbox:
    """Return what applies routing's events."""
    audience = Audience(
        site.host.organization_id,
        {agency.code: agency.organization_id for agency in site.agencies},
    )
    events = Events(audience, outbox_of(site))
    return Inbox(CONSUMER, pool, events.handlers(), immediate=IMMEDIATE, final=FINAL)


def build_dispatcher(
    settings: NotificationsWorkerSettings, pool: Pool, site: Site, safe: Safe | None = None
) -> Dispatcher:
    """Return what sends; its `wake` is to be set after the consumer's commit."""
    server = MailServer(
        host=settings.smtp_host,
        port=settings.smtp_port,
        sender=settings.mail_from,
        user=settings.smtp_user,
        password=settings.smtp_password,
        starttls=settings.smtp_starttls,
    )
    senders: dict[str, Sender] = {
        "email": MailSender(server, Texts(site, sign_in_pages(settings))),
        "webhook": WebhookSender(Gate(demo=settings.demo), safe or Safe()),
    }
    return Dispatcher(pool, outbox_of(site), senders)


def dispatcher_loop(dispatcher: Dispatcher) -> Loop:
    """Return the loop that sends at once when woken, and looks each second by itself."""
    return Loop(
        "notifications-dispatcher", dispatcher.step, dispatcher.wake, close=dispatcher.close
    )


def sign_in_pages(settings: NotificationsWorkerSettings) -> dict[Owner, str]:
    """Return where each kind of owner signs in: no id in the address (R-28)."""
    intake, routing = (
        f"{url.rstrip('/')}/sign-in" for url in (settings.intake_url, settings.routing_url)
    )
    return {
        Owner.PARTNER: routing,
        Owner.HOST: routing,
        Owner.MEMBER: intake,
        Owner.AGENCY: intake,
    }


def outbox_of(site: Site) -> Outbox:
    """Return the outbox of this service at the site."""
    return Outbox(f"/notifications/{site.code}")
