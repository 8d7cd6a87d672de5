"""What every answer tells the browser: keep nothing, tell nobody, run nothing but ours."""

from collections.abc import Sequence

from flask import Flask, Response, request

from shared.http.assets import ENDPOINT


def protect(app: Flask, *, form_origins: Sequence[str], secure: bool) -> None:
    """Set the security headers; `form_origins` are the other origins that our forms post to."""
    fixed = {
        "Content-Security-Policy": _policy(form_origins),
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
    }
    if secure:
        fixed["Strict-Transport-Security"] = "max-age=31536000"

    def set_headers(response: Response) -> Response:
        for name, value in fixed.items():
            response.headers[name] = value
        if (request.endpoint or "").rpartition(".")[2] != ENDPOINT:
            response.headers["Cache-Control"] = "no-store"
        return response

    app.after_request(set_headers)


def _policy(form_origins: Sequence[str]) -> str:
    return "; ".join(
        [
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self'",
            "font-src 'self'",
            "connect-src 'self'",
            " ".join(["form-action 'self'", *form_origins]),
            "base-uri 'none'",
            "frame-ancestors 'none'",
        ]
    )
