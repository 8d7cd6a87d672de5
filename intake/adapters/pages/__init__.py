"""The advocate's pages, and the page on which a partner sees how to make contact."""
