"""What a page asks of the browser around it: navigator, location, history, screen, and the event that is happening.

The browser is Internet Explorer 6 on Windows XP unless the run says otherwise, for that is where pages with Xenroll believe
to be; a page that looks for "Windows NT 6" to choose CertEnroll finds it under "vista" and "7". Knows no document.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urljoin, urlsplit

from certenroll.com import ComObject
from xenroll_compat.hosts.automation import MISSING

# navigator.appVersion of the browser of each Windows.
VERSIONS: Final = {
    "xp": "4.0 (compatible; MSIE 6.0; Windows NT 5.1; SV1)",
    "vista": "4.0 (compatible; MSIE 7.0; Windows NT 6.0)",
    "7": "4.0 (compatible; MSIE 8.0; Windows NT 6.1; Trident/4.0)",
}
HOST: Final = "localhost"


def user_agent(windows: str) -> str:
    """The User-Agent of the browser of a Windows."""
    return f"Mozilla/{VERSIONS[windows]}"


class Lenient(ComObject):
    """An object that keeps what a script puts on it, beside its members."""

    def __init__(self) -> None:
        self._extra: Final[dict[str, Any]] = {}

    def _dynamic_get(self, name: str) -> Any:
        return self._extra.get(name.lower(), MISSING)

    def _dynamic_put(self, name: str, value: Any) -> None:
        self._extra[name.lower()] = value


class Fixed(Lenient):
    """An object whose properties are rows of a table."""

    _facts_: dict[str, Any] = {}

    def _dynamic_get(self, name: str) -> Any:
        found = super()._dynamic_get(name)
        return self._facts_.get(name.lower(), MISSING) if found is MISSING else found


class Navigator(Fixed):
    """The browser itself."""

    _type_name_ = "DispHTMLNavigator"
    _facts_ = {
        "appname": "Microsoft Internet Explorer", "appcodename": "Mozilla",
        "appminorversion": ";SP2;", "platform": "Win32", "cpuclass": "x86", "cookieenabled": True, "online": True,
        "systemlanguage": "en-us", "userlanguage": "en-us", "browserlanguage": "en-us",
    }  # fmt: skip

    def __init__(self, windows: str) -> None:
        super().__init__()
        self._extra["appversion"] = VERSIONS[windows]
        self._extra["useragent"] = user_agent(windows)
        self._extra["plugins"] = []
        self._extra["mimetypes"] = []

    def javaEnabled(self) -> bool:
        """False: no applet runs here."""
        return False

    def taintEnabled(self) -> bool:
        """False, as in Internet Explorer."""
        return False


class Screen(Fixed):
    """The screen, in pixels."""

    _type_name_ = "DispHTMLScreen"
    _facts_ = {"width": 1024, "height": 768, "availwidth": 1024, "availheight": 738, "colordepth": 32}


class History(ComObject):
    """The pages before and after: there are none."""

    _type_name_ = "DispHTMLHistory"

    @property
    def length(self) -> int:
        """0."""
        return 0

    def back(self, distance: int = 0) -> None:
        """Nothing."""

    def forward(self, distance: int = 0) -> None:
        """Nothing."""

    def go(self, distance: object = 0) -> None:
        """Nothing."""


class Location(ComObject):
    """The page's address. What is put there is an address that the page opens."""

    _type_name_ = "DispHTMLLocation"
    _default_ = "href"

    def __init__(self, address: str, follow: Callable[[str], None]) -> None:
        self._address: Final = address
        self._follow: Final = follow

    @property
    def href(self) -> str:
        """The whole address."""
        return self._address

    @href.setter
    def href(self, v: str) -> None:
        self._follow(v)

    @property
    def protocol(self) -> str:
        """https: (pages that insist on it go on)."""
        return f"{urlsplit(self._address).scheme}:"

    @property
    def host(self) -> str:
        """The host's name, with its port where it has one."""
        return urlsplit(self._address).netloc

    @property
    def hostname(self) -> str:
        """The host's name."""
        return urlsplit(self._address).hostname or ""

    @property
    def port(self) -> str:
        """Empty: the port of the protocol."""
        return str(urlsplit(self._address).port or "")

    @property
    def pathname(self) -> str:
        """The path; Internet Explorer gives the slash with it for every page that comes from a server."""
        return urlsplit(self._address).path

    @property
    def search(self) -> str:
        """The query with its question mark, or ""."""
        query = urlsplit(self._address).query
        return f"?{query}" if query else ""

    @search.setter
    def search(self, v: str) -> None:
        self._follow(urljoin(self._address, v if v.startswith("?") else f"?{v}"))

    @property
    def hash(self) -> str:
        """The place within the page, with its number sign, or ""."""
        return ""

    @hash.setter
    def hash(self, v: str) -> None:
        """Goes nowhere: the page is the same."""

    def assign(self, url: str) -> None:
        """Opens an address."""
        self._follow(url)

    def replace(self, url: str) -> None:
        """Opens an address."""
        self._follow(url)

    def reload(self, flag: object = False) -> None:
        """Notes that the page is to be loaded again."""
        self._follow(self._address)

    def toString(self) -> str:
        """The whole address."""
        return self._address


class Event(Lenient):
    """An event that is happening."""

    _type_name_ = "DispCEventObj"
    _UNSET: Final[dict[str, Any]] = {
        "keycode": 0, "button": 0, "altkey": False, "ctrlkey": False, "shiftkey": False, "x": 0, "y": 0, "clientx": 0,
        "clienty": 0, "screenx": 0, "screeny": 0, "fromelement": None, "toelement": None, "cancelbubble": False,
        "returnvalue": None,
    }  # fmt: skip

    def __init__(self, kind: str, target: Any) -> None:
        super().__init__()
        self._extra.update(self._UNSET, type=kind.removeprefix("on"), srcelement=target)

    def is_cancelled(self) -> bool:
        """Whether a handler said that what follows the event must not."""
        return self._extra["returnvalue"] is False

    def is_stopped(self) -> bool:
        """Whether a handler keeps the event from the elements around."""
        return bool(self._extra["cancelbubble"])
