"""Globs of Cloud Storage: which object names a pattern means.

`*` and `?` stop at a slash, `**` does not; `[abc]` and `{one,two}` are as in a shell.

Source: "List objects and prefixes using glob", cloud.google.com/storage/docs/json_api/v1/objects/list.

PYTEST_DONT_REWRITE
"""

import functools
import re


@functools.lru_cache(maxsize=256)
def pattern(glob: str) -> re.Pattern[str]:
    """Give a glob as a pattern for whole names; an empty one means every name."""
    return re.compile("".join(_translated(glob)) if glob else ".*", re.DOTALL)


def _translated(glob: str) -> list[str]:
    parts: list[str] = []
    braces = 0
    for token in re.findall(r"\*\*/?|\*|\?|\[[^\]]+\]|.", glob, re.DOTALL):
        if token == "**/":
            parts.append("(?:.*/)?")
        elif token in _WORDS:
            parts.append(_WORDS[token])
        elif len(token) > 1:
            inside = re.escape(token[1:-1]).replace(r"\-", "-")
            parts.append(f"[^{inside[1:]}]" if inside.startswith("!") else f"[{inside}]")
        elif token == "{":
            braces += 1
            parts.append("(?:")
        elif token == "}" and braces:
            braces -= 1
            parts.append(")")
        else:
            parts.append("|" if token == "," and braces else re.escape(token))
    return [*parts, ")" * braces]


_WORDS = {"**": ".*", "*": "[^/]*", "?": "[^/]"}
