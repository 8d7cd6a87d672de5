"""What the peer's processes are told by the environment."""

import os

DATABASE = os.environ["PEER_DATABASE"]
REDIS = os.environ["PEER_REDIS"]
PARTNERS = os.environ["PEER_PARTNERS"]
"""A JSON file: the partners as `matching.Partner` has them."""
