"""The body of an intake, checked with marshmallow: the same members as ours has."""

from marshmallow import RAISE, Schema, fields
from marshmallow.validate import Length, OneOf, Range

AGES = ("0-12", "13-17", "18-24", "25-59", "60-plus")
URGENCIES = ("routine", "urgent", "emergency")


class Body(Schema):
    class Meta:
        unknown = RAISE


class Person(Body):
    pseudonym = fields.String(required=True, validate=Length(1, 80))
    name = fields.String(validate=Length(1, 80))
    age_band = fields.String(required=True, validate=OneOf(AGES))
    languages = fields.List(fields.String(validate=Length(1, 35)), required=True)
    interpreter = fields.Boolean(required=True)


class Channel(Body):
    channel = fields.String(required=True, validate=Length(1, 20))
    address = fields.String(required=True, validate=Length(1, 200))
    leave_message_ok = fields.Boolean(required=True)
    identify_agency_ok = fields.Boolean(required=True)
    when = fields.String(validate=Length(0, 200))
    who_may_answer = fields.String(validate=Length(0, 200))
    ask_for = fields.String(validate=Length(0, 200))


class Contact(Body):
    route = fields.String(required=True, validate=Length(1, 40))
    code_word = fields.String(validate=Length(0, 40))
    channels = fields.List(fields.Nested(Channel))
    confirmed_at = fields.AwareDateTime()


class Encounter(Body):
    role = fields.String(required=True, validate=Length(1, 40))
    involved_agencies = fields.List(fields.String(validate=Length(1, 64)))


class Wishes(Body):
    needs = fields.List(fields.String(), required=True, validate=Length(1, 50))
    urgency = fields.String(required=True, validate=OneOf(URGENCIES))
    county = fields.String(required=True, validate=Length(5, 5))
    preferences = fields.List(fields.String())


class Signature(Body):
    method = fields.String(required=True, validate=OneOf(("drawn", "paper")))
    content = fields.String(required=True)


class Release(Body):
    partner_id = fields.UUID(required=True)
    rank = fields.Integer(required=True, validate=Range(1, 10))
    items = fields.List(fields.String(), required=True)
    report_back = fields.List(fields.String())
    expires_on = fields.Date(required=True)
    statement = fields.String(required=True, validate=Length(1, 4000))
    signature = fields.Nested(Signature, required=True)


class Intake(Body):
    person = fields.Nested(Person, required=True)
    contact = fields.Nested(Contact, required=True)
    encounter = fields.Nested(Encounter, required=True)
    wishes = fields.Nested(Wishes, required=True)
    releases = fields.List(fields.Nested(Release), required=True, validate=Length(1, 10))
