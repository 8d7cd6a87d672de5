"""The verbs of intake; each works in the transaction of the unit of work that it is given."""
