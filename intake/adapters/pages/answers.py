"""All that was typed so far, read page by page: the content of a draft."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

from intake.adapters.pages.reader import Typed


@dataclass(frozen=True, slots=True)
class Signature:
    """How one release was signed: the very words, and the picture of the signature or scan.

    `statement` is what stood above the signature. When the choices change, the words do, and the
    release has to be signed again.
    """

    statement: str
    method: str
    signed_at: str
    picture: str
    media_type: str
    witness: str = ""


@dataclass(frozen=True, slots=True)
class Answers:
    """A draft's content. `typed` maps a page's key to what was typed there, untouched.

    `person` and `referral` are set when the draft continues an earlier referral: one more for the
    same person, or one more release for the same referral; `used` are the partners that one was
    released to before.
    """

    typed: Mapping[str, Typed] = field(default_factory=dict)
    signatures: Mapping[str, Signature] = field(default_factory=dict)
    person: str = ""
    referral: str = ""
    used: tuple[str, ...] = ()

    @property
    def is_new_release(self) -> bool:
        """Whether this adds a release to a referral that was sent already."""
        return bool(self.referral)

    def with_typed(self, key: str, typed: Typed) -> Self:
        """Return the answers with one page typed anew."""
        return replace(self, typed={**self.typed, key: {k: list(v) for k, v in typed.items()}})

    def without(self, key: str) -> Self:
        """Return the answers as if the page had never been seen."""
        return replace(self, typed={k: v for k, v in self.typed.items() if k != key})

    def with_signature(self, partner: str, signature: Signature) -> Self:
        """Return the answers with one release signed."""
        return replace(self, signatures={**self.signatures, partner: signature})

    def to_document(self) -> dict[str, Any]:
        """Return what is sealed and kept on the server."""
        return {
            "typed": {key: dict(typed) for key, typed in self.typed.items()},
            "signatures": {
                partner: {name: getattr(sign, name) for name in Signature.__slots__}
                for partner, sign in self.signatures.items()
            },
            "person": self.person,
            "referral": self.referral,
            "used": list(self.used),
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Return the answers of a draft that was kept."""
        return cls(
            typed=document.get("typed", {}),
            signatures={
                partner: Signature(**sign)
                for partner, sign in document.get("signatures", {}).items()
            },
            person=document.get("person", ""),
            referral=document.get("referral", ""),
            used=tuple(document.get("used", ())),
        )
