"""The shapes of what may be said of a referral: none takes a name or a phone number (R-02)."""

from typing import Any, Final

from marshmallow import fields
from marshmallow.validate import Length, Regexp

CODE: Final = "^([a-z]+|[0-9]{1,2}-([0-9]{1,2}|[a-z]+))(-[a-z]+)*$"
"""Words in small letters, or a range of ages such as 18-24 or 60-plus."""

COUNTY: Final = "^[0-9]{5}$"
"""A FIPS code."""

LANGUAGE: Final = "^[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?$"
"""A BCP 47 tag of language, script and region, written as RFC 5646 recommends (2.1.1)."""

_LONGEST_CODE: Final = 64


def code(**more: Any) -> fields.String:  # noqa: ANN401  (a field's options)
    """Return a field for a code, one that this reader does not know included."""
    return fields.String(validate=(Length(1, _LONGEST_CODE), Regexp(CODE)), **more)


def county(**more: Any) -> fields.String:  # noqa: ANN401
    """Return a field for a county."""
    wrong = "Write the county as its FIPS code, such as 22033."
    return fields.String(validate=Regexp(COUNTY, error=wrong), **more)


def language() -> fields.String:
    """Return a field for a language."""
    wrong = "Write each language as its BCP 47 tag, such as es or zh-Hant."
    return fields.String(validate=Regexp(LANGUAGE, error=wrong))
