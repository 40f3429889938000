"""The pages that a person sees: sign-in, device, and the answers to both."""

import base64
import hashlib
from typing import Any, Final

from jinja2 import DictLoader, Environment, StrictUndefined

from rolecall.demo.idp.directory import Directory

_STYLE: Final = """
:root { color-scheme: light dark; --ink: #1d2430; --soft: #5d6778; --line: #d8dde6;
  --page: #f3f5f9; --card: #ffffff; --accent: #2450c5; --error: #a32020; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8ebf1; --soft: #a2abbb; --line: #39414f;
  --page: #14181f; --card: #1d232d; --accent: #6d95ff; --error: #ff8d85; } }
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 1.5rem;
  background: var(--page); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { width: 100%; max-width: 25rem; padding: 2rem; background: var(--card);
  border: 1px solid var(--line); border-radius: 12px; }
h1 { margin: 0; font-size: 1.35rem; line-height: 1.3; }
p { margin: .4rem 0 0; color: var(--soft); }
p.error { color: var(--error); }
form { margin-top: 1.5rem; display: grid; gap: 1.25rem; }
fieldset { margin: 0; padding: 0; border: 0; display: grid; gap: .5rem; }
legend, .label { padding: 0; margin-bottom: .4rem; font-weight: 600; display: block; }
.person { display: flex; align-items: center; gap: .75rem; padding: .6rem .8rem; cursor: pointer;
  border: 1px solid var(--line); border-radius: 8px; }
.person:has(:checked) { border-color: var(--accent); }
.person small { margin-left: auto; color: var(--soft); text-align: right; }
input[type=text], input[type=password] { width: 100%; padding: .6rem .8rem; font: inherit;
  color: inherit; background: transparent; border: 1px solid var(--line); border-radius: 8px; }
input.code { letter-spacing: .15em; text-transform: uppercase;
  font-family: ui-monospace, monospace; }
input { accent-color: var(--accent); }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
.actions { display: flex; gap: .75rem; }
button { flex: 1; padding: .65rem 1rem; font: inherit; font-weight: 600; cursor: pointer;
  border: 1px solid var(--line); border-radius: 8px; background: transparent; color: inherit; }
button.main { background: var(--accent); border-color: var(--accent); color: var(--card); }
footer { margin-top: 1.5rem; padding-top: 1rem; border-top: 1px solid var(--line);
  font-size: .85rem; color: var(--soft); }
"""

_LAYOUT: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ title }}</title>
<style>{{ style | safe }}</style>
</head>
<body>
<main>
<h1>{{ title }}</h1>
{% block body %}{% endblock %}
<footer>Rolecall's development identity provider, for demos and tests on this computer.</footer>
</main>
</body>
</html>
"""

_PEOPLE: Final = """
<fieldset>
<legend>Person</legend>
{% for user in directory.users %}
<label class="person">
<input type="radio" name="username" value="{{ user.username }}" required
 {%- if user.username == chosen %} checked{% endif %}>
<span>{{ user.username }}</span>
<small>{{ user.roles | join(", ") or "no role" }}</small>
</label>
{% endfor %}
</fieldset>
<label>
<span class="label">Password</span>
<input type="password" name="password" autocomplete="off">
{% if named %}<p>Every development password is the person's name.</p>{% endif %}
</label>
"""

_SIGN_IN: Final = """{% extends "layout" %}{% block body %}
<p>{{ client_id }} asks who you are.</p>
{% if error %}<p class="error" role="alert">{{ error }}</p>{% endif %}
<form method="post" action="{{ action }}">
{% include "people" %}
<div class="actions">
<button class="main" name="decision" value="approve">Sign in</button>
<button name="decision" value="deny" formnovalidate>Cancel</button>
</div>
</form>
{% endblock %}"""

_DEVICE: Final = """{% extends "layout" %}{% block body %}
<p>Approve only a code that your own device shows.</p>
{% if error %}<p class="error" role="alert">{{ error }}</p>{% endif %}
<form method="post" action="{{ action }}">
<label>
<span class="label">Code</span>
<input class="code" type="text" name="user_code" value="{{ user_code }}" required
 autocomplete="off" autocapitalize="characters" spellcheck="false">
</label>
{% include "people" %}
<div class="actions">
<button class="main" name="decision" value="approve">Approve</button>
<button name="decision" value="deny">Deny</button>
</div>
</form>
{% endblock %}"""

_MESSAGE: Final = """{% extends "layout" %}{% block body %}<p>{{ message }}</p>{% endblock %}"""

_TEMPLATES: Final = Environment(
    loader=DictLoader(
        {
            "layout": _LAYOUT,
            "people": _PEOPLE,
            "sign_in": _SIGN_IN,
            "device": _DEVICE,
            "message": _MESSAGE,
        }
    ),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
)

HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; base-uri 'none'; frame-ancestors 'none'; style-src 'sha256-"
        f"{base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()}'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
"""What every page is sent with: no script, no frame (RFC 9700 4.16), nothing from elsewhere."""


def sign_in_page(
    directory: Directory, client_id: str, action: str, chosen: str = "", error: str = ""
) -> str:
    """Render the sign-in page; ``action`` carries the authorization request along."""
    return _render(
        "sign_in",
        f"Sign in to {directory.realm}",
        client_id=client_id,
        action=action,
        error=error,
        **_people(directory, chosen),
    )


def device_page(
    directory: Directory, action: str, user_code: str, chosen: str = "", error: str = ""
) -> str:
    """Render the page where a person approves a device (RFC 8628 3.3)."""
    return _render(
        "device",
        "Connect a device",
        action=action,
        user_code=user_code,
        error=error,
        **_people(directory, chosen),
    )


def message_page(title: str, message: str) -> str:
    """Render a page with something to read and nothing to do."""
    return _render("message", title, message=message)


def _people(directory: Directory, chosen: str) -> dict[str, Any]:
    return {
        "directory": directory,
        "chosen": chosen or directory.users[0].username if directory.users else "",
        "named": all(user.password == user.username for user in directory.users),
    }


def _render(template: str, title: str, **values: Any) -> str:
    return _TEMPLATES.get_template(template).render(title=title, style=_STYLE, **values)
