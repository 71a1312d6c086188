"""Pages of PHP, Smarty, JSP, Facelets and Perl as a browser would get them, as far as one can tell without running them.

What the server does is taken out; a text that it translates becomes the text, and a variable its value where that is given,
else its own name. Both branches of a condition stay, but for Smarty's, which are taken for false. Runs nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

_PHP: Final = re.compile(r"<\?(?!xml)(php|=)?(.*?)(?:\?>\n?|\Z)", re.DOTALL | re.IGNORECASE)
_QUOTED: Final = r"""(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')"""
_TRANSLATED: Final = re.compile(rf"\b_\(\s*({_QUOTED}(?:\s*\.\s*{_QUOTED})*)\s*\)", re.DOTALL)
_PIECE: Final = re.compile(_QUOTED, re.DOTALL)
_PHP_NOTE: Final = re.compile(r"/\*.*?\*/|^\s*(?://|#)[^\n]*$", re.DOTALL | re.MULTILINE)
_INCLUDED: Final = re.compile(r"""\b(?:require|include)(?:_once)?\b[^;]*?['"]([^'"]+\.(?:php|inc))['"]\s*\)?\s*;""")
_VARIABLE: Final = re.compile(r"\$(\w+)")
_LITERAL: Final = re.compile(r"\{literal\}(.*?)\{/literal\}", re.DOTALL)
_SMARTY_NOTE: Final = re.compile(r"\{\*.*?\*\}", re.DOTALL)
_SMARTY_IF: Final = re.compile(r"\{if\b[^{}]*\}((?:(?!\{if\b).)*?)(?:\{else\}((?:(?!\{if\b).)*?))?\{/if\}", re.DOTALL)
_SMARTY: Final = re.compile(r"\{(/?[$A-Za-z][^{}\n]*)\}")
_JSP_TAG: Final = re.compile(r"<%--.*?--%>|<%@.*?%>|<%(?![=@-]).*?%>", re.DOTALL)
_JSP_VALUE: Final = re.compile(r"<%=(.*?)%>", re.DOTALL)
_JSTL_OUT: Final = re.compile(r"<c:out\s+value\s*=\s*([\"'])[$#]\{(.*?)\}\1[^>]*?/?>")
_JSTL: Final = re.compile(r"</?(?:c|fn|fmt|jsp|ui|h|f):\w+(?:[^<>\"']|\"[^\"]*\"|'[^']*')*>")
_EXPRESSION: Final = re.compile(r"[$#]\{([^{}]*)\}")
_PERL_TEXT: Final = re.compile(r'qq\^(.*?)\^|<<\s*"(\w+)";\n(.*?)^\2$', re.DOTALL | re.MULTILINE)
_LAST_NAME: Final = re.compile(r"(\w+)\W*\Z")


@dataclass(frozen=True)
class Server:
    """What is known of a page's server: its variables, what its blocks write, and its other files."""

    variables: Mapping[str, str] = field(default_factory=dict)
    blocks: Mapping[str, str] = field(default_factory=dict)
    include: Callable[[str], str | None] = lambda _name: None

    def value(self, name: str) -> str:
        """A variable's value, or its name."""
        return self.variables.get(name, name)


def from_php(text: str, server: Server) -> str:
    """A PHP page without its blocks."""
    number = 0

    def block(found: re.Match[str]) -> str:
        nonlocal number
        number += 1
        if str(number) in server.blocks:
            return server.blocks[str(number)] + "\n"
        code = _PHP_NOTE.sub("", found.group(2))
        if found.group(1) == "=" or re.match(r"\s*(?:echo|print|printf)\b[^;]*;?\s*\Z", code):
            return _echoed(code, server)
        included = (server.include(name) for name in _INCLUDED.findall(code))
        return "".join(from_php(one, Server(server.variables, {}, server.include)) for one in included if one is not None)

    return _PHP.sub(block, text)


def from_smarty(text: str, server: Server) -> str:
    """A Smarty template without its tags; what stands between {literal} tags stays as it is."""
    kept: list[str] = []

    def keep(found: re.Match[str]) -> str:
        kept.append(found.group(1))
        return f"\0{len(kept) - 1}\0"

    text = _SMARTY_NOTE.sub("", _LITERAL.sub(keep, text))
    while _SMARTY_IF.search(text):
        text = _SMARTY_IF.sub(lambda found: found.group(2) or "", text)
    text = _SMARTY.sub(lambda found: _smarty_value(found.group(1), server), text)
    return re.sub(r"\0(\d+)\0", lambda found: kept[int(found.group(1))], text)


def from_jsp(text: str, server: Server) -> str:
    """A JSP or Facelets page without its tags."""
    text = _JSP_VALUE.sub(lambda found: _named(found.group(1), server), _JSP_TAG.sub("", text))
    text = _JSTL.sub("", _JSTL_OUT.sub(lambda found: _named(found.group(2), server), text))
    return _EXPRESSION.sub(lambda found: _named(found.group(1), server), text)


def from_perl(text: str, _server: Server) -> str:
    """The texts that a Perl module quotes with ``qq^`` or as documents that stand here, one after the other."""
    found = (quoted or document for quoted, _mark, document in _PERL_TEXT.findall(text))
    return "\n".join(re.sub(r"\\(.)", r"\1", one) for one in found)


def _echoed(code: str, server: Server) -> str:
    texts = [_unquoted(piece) for pieces in _TRANSLATED.findall(code) for piece in _PIECE.findall(pieces)]
    if texts:
        return "".join(texts)
    names = _VARIABLE.findall(code)
    return server.value(names[0]) if names else ""


def _unquoted(piece: str) -> str:
    return re.sub(rf"\\([{piece[0]}\\])", r"\1", piece[1:-1])


def _smarty_value(tag: str, server: Server) -> str:
    found = _VARIABLE.match(tag)
    return server.value(found.group(1)) if found is not None else ""


def _named(expression: str, server: Server) -> str:
    found = _LAST_NAME.search(expression.strip())
    return server.value(found.group(1)) if found is not None else ""


# The ending of a file -> what makes a browser's page of it.
READERS: Final[dict[str, Callable[[str, Server], str]]] = {
    ".php": from_php,
    ".tpl": from_smarty,
    ".jsp": from_jsp,
    ".jspf": from_jsp,
    ".xhtml": from_jsp,
    ".pm": from_perl,
}
