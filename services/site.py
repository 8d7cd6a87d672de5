"""The site that a process works for, refused where its host must not be trusted with it."""

from pathlib import Path

from shared.site import Site, load_site


class NotSafe(Exception):
    """The site may not be used as it is; the text says why."""


def safe_site(folder: Path) -> Site:
    """Return the site of a folder, if a process may start with it.

    Raises:
        WrongSite: the file cannot be used.
        NotSafe: the host has a tie to law enforcement: it could be, or belong to, the agency
            that caused the harm.

    """
    site = load_site(folder)
    if site.host.le_ties:
        ties = ", ".join(site.host.le_ties)
        raise NotSafe(
            f"{site.host.name} cannot host the site {site.code}: it has ties to law enforcement"
            f" ({ties}). Another organization has to."
        )
    return site
