"""The parts of notifications' worker, put together from its settings."""

from notifications.adapters.addresses import Gate
from notifications.adapters.dispatcher import Dispatcher
from notifications.adapters.events import CONSUMER, FINAL, IMMEDIATE, Events
from notifications.adapters.mail import MailSender, MailServer
from notifications.adapters.message import Sender
from notifications.adapters.secrets_at_rest import Safe
from notifications.adapters.store import PostgresStore
from notifications.adapters.texts import SignIn, Texts
from notifications.adapters.webhook import WebhookSender
from notifications.domain.notices import Audience
from shared.config import CONTACT_KEY, NotificationsWorkerSettings, WrongSettings
from shared.db import Pool
from shared.db.outbox import Outbox
from shared.site import Site
from shared.worker import Inbox, Loop


def build_inbox(pool: Pool, site: Site) -> Inbox[PostgresStore]:
    """Return what applies routing's events."""
    audience = Audience(
        site.host.organization_id,
        {agency.code: agency.organization_id for agency in site.agencies},
    )
    events = Events(audience, outbox_of(site))
    return Inbox(CONSUMER, pool, events.handlers(), events.begin, IMMEDIATE, FINAL)


def build_dispatcher(settings: NotificationsWorkerSettings, pool: Pool, site: Site) -> Dispatcher:
    """Return what sends; its `wake` is to be set after the consumer's commit."""
    server = MailServer(
        host=settings.smtp_host,
        port=settings.smtp_port,
        sender=settings.mail_from,
        user=settings.smtp_user,
        password=settings.smtp_password,
        starttls=settings.smtp_starttls,
    )
    sign_in = SignIn(settings.routing_url, settings.intake_urls)
    senders: dict[str, Sender] = {
        "email": MailSender(server, Texts(site, sign_in)),
        "webhook": WebhookSender(Gate(demo=settings.demo), safe_of(settings)),
    }
    return Dispatcher(pool, outbox_of(site), senders)


def dispatcher_loop(dispatcher: Dispatcher) -> Loop:
    """Return the loop that sends at once when woken, and looks each second by itself."""
    return Loop(
        "notifications-dispatcher", dispatcher.step, dispatcher.wake, close=dispatcher.close
    )


def safe_of(settings: NotificationsWorkerSettings) -> Safe:
    """Return what opens the secrets of webhooks.

    Raises:
        WrongSettings: there is no key, and this is no demo.
        WrongKey: the key's file cannot be used.

    """
    if settings.contact_key:
        return Safe.of_file(settings.contact_key)
    if not settings.demo:
        raise WrongSettings(f"WH_CONTACT_KEY is missing: {CONTACT_KEY}.")
    return Safe()


def outbox_of(site: Site) -> Outbox:
    """Return the outbox of this service at the site."""
    return Outbox(f"/notifications/{site.code}")
