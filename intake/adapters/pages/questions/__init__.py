"""The questions of the form: one module a subject, one function a page, each reads its input."""
