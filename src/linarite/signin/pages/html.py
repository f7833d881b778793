"""Pages without scripts, frames, cookies or anything from elsewhere."""

from __future__ import annotations

import base64
import hashlib
from html import escape

from linarite.signin.request import Reply

STYLE = """
body { margin: 0; min-height: 100vh; display: grid; place-items: center;
       background: #eef1f6; color: #1b1a19; font: 16px/1.5 "Segoe UI", system-ui, sans-serif; }
main { box-sizing: border-box; width: min(27rem, 100vw); padding: 2.5rem; background: #fff;
       box-shadow: 0 2px 8px #0002; }
h1 { margin: 0 0 1rem; font-size: 1.5rem; font-weight: 600; }
p { margin: 0 0 1rem; overflow-wrap: anywhere; }
label { display: block; margin: 0 0 1rem; }
input { box-sizing: border-box; width: 100%; margin-top: .25rem; padding: .5rem;
        border: 1px solid #605e5c; font: inherit; }
.code { letter-spacing: .2em; text-transform: uppercase; }
.wrong { padding: .75rem 1rem; background: #fde7e9; }
.actions { display: flex; gap: .75rem; justify-content: flex-end; }
button { padding: .5rem 1.5rem; border: 0; background: #0f6cbd; color: #fff; font: inherit; }
button.other { background: #e1dfdd; color: #1b1a19; }
@media (prefers-color-scheme: dark) {
  body { background: #141414; color: #f3f2f1; }
  main { background: #242424; }
  input { background: #1b1a19; color: inherit; }
  .wrong { background: #442726; }
}
"""
POST_ITSELF = "document.forms[0].submit()"


def _hash(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


STYLE_HASH, SCRIPT_HASH = _hash(STYLE), _hash(POST_ITSELF)


def page(
    title: str, *blocks: str, status: int = 200, goes_to: str = "", posts_itself: bool = False
) -> Reply:
    """A page of blocks that are HTML already.

    `goes_to` is an origin beside our own that the page's form may lead to.
    """
    script = f"<script>{POST_ITSELF}</script>" if posts_itself else ""
    text = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head>"
        f"<body><main><h1>{escape(title)}</h1>{''.join(blocks)}</main>{script}</body></html>"
    )
    policy = [
        "default-src 'none'",
        f"style-src 'sha256-{STYLE_HASH}'",
        f"form-action 'self' {goes_to}".rstrip(),
        "frame-ancestors 'none'",
        "base-uri 'none'",
    ]
    if posts_itself:
        policy.append(f"script-src 'sha256-{SCRIPT_HASH}'")
    return Reply(
        status=status,
        text=text.encode(),
        headers={
            "content-security-policy": "; ".join(policy),
            "x-frame-options": "DENY",
            # Not no-referrer: the form's own Origin would be null then.
            "referrer-policy": "same-origin",
        },
    )


def paragraph(text: str) -> str:
    """A line for people."""
    return f"<p>{escape(text)}</p>"


def wrong(text: str) -> str:
    """What went wrong; nothing for ""."""
    return f'<p class="wrong" role="alert">{escape(text)}</p>' if text else ""


def field(label: str, name: str, *, value: str = "", kind: str = "text", hint: str = "") -> str:
    """An input with its label; `hint` is what browsers may fill in."""
    return (
        f'<label>{escape(label)}<input name="{escape(name)}" type="{escape(kind)}" '
        f'value="{escape(value)}" autocomplete="{escape(hint or "off")}" '
        f'class="{"code" if name == "code" else ""}" required></label>'
    )


def hidden(name: str, value: str) -> str:
    """Something that the form sends along."""
    return f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'


def form(*blocks: str, button: str, other: str = "", action: str = "") -> str:
    """A form with its button; `other` is the way out, sent as `cancel`."""
    way_out = (
        f'<button class="other" name="cancel" value="1" formnovalidate>{escape(other)}</button>'
        if other
        else ""
    )
    return (
        f'<form method="post" action="{escape(action)}">{"".join(blocks)}<div class="actions">'
        f"{way_out}<button>{escape(button)}</button></div></form>"
    )
