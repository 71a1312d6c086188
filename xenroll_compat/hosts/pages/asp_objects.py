"""What an ASP page finds: Response, Request, Server, Session and Application.

There is no server and no request: values come of the run's settings, the answer is kept. Knows no syntax of ASP.

Source: the ASP reference of Internet Information Services 6.0.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from html import escape
from typing import Any, Final
from urllib.parse import quote_plus, urlencode

from certenroll.com import ComObject, stored
from certenroll.errors import BadArgument
from certenroll.hresults import HRESULT
from certenroll.variants import Vacant
from xenroll_compat.hosts.environment import Environment
from xenroll_compat.hosts.objects.values import text_of
from xenroll_compat.hosts.pages.browser import HOST, user_agent
from xenroll_compat.hosts.pages.sources import Sources


class ResponseEnded(SystemExit):
    """Response.End or Redirect: the page ends here, and no script handles it."""


class Values(ComObject):
    """Values by name without regard to case; what is not there is Empty."""

    _default_ = "Item"

    def __init__(self, values: dict[str, Any] | None = None) -> None:
        self._values: Final[dict[str, Any]] = {}
        self._names: Final[dict[str, str]] = {}
        for name, value in (values or {}).items():
            self.keep_value(name, value)

    def keep_value(self, name: str, value: Any) -> None:
        """Keeps a value."""
        self._names.setdefault(name.lower(), name)
        self._values[name.lower()] = value

    def Item(self, Key: object) -> Any:
        """The value of a name, or of a number counted from 1; Empty where there is none."""
        if isinstance(Key, (int, float)) and not isinstance(Key, bool):
            found = list(self._values.values())
            return found[int(Key) - 1] if 0 < Key <= len(found) else Vacant.EMPTY
        return self._values.get(str(Key).lower(), Vacant.EMPTY)

    def Key(self, Index: int) -> str:
        """The name of a number counted from 1."""
        names = list(self._names.values())
        if not 0 < Index <= len(names):
            raise BadArgument(HRESULT.WIN32_INVALID_INDEX, f"{Index} of {len(names)}", argerror=0)
        return names[Index - 1]

    @property
    def Count(self) -> int:
        """How many there are."""
        return len(self._values)

    @property
    def _NewEnum(self) -> Iterator[str]:
        return iter(list(self._names.values()))


class Variables(Values):
    """Values that a page also sets: Session and Application."""

    Timeout = stored("int", "_timeout", 20, "Minutes that a session lasts: kept.")
    LCID = stored("int", "_lcid", 1033, "The locale: kept.")
    CodePage = stored("int", "_code_page", 65001, "The code page: kept.")

    def setItem(self, Key: str, Value: object) -> None:
        """Sets a value."""
        self.keep_value(Key, Value)

    @property
    def Contents(self) -> Any:
        """The values themselves."""
        return self

    @property
    def SessionID(self) -> int:
        """1: there is one session."""
        return 1

    def Remove(self, Key: str) -> None:
        """Takes a value away."""
        self._values.pop(Key.lower(), None)
        self._names.pop(Key.lower(), None)

    def RemoveAll(self) -> None:
        """Takes all values away."""
        self._values.clear()
        self._names.clear()

    def Abandon(self) -> None:
        """Takes all values away."""
        self.RemoveAll()

    def Lock(self) -> None:
        """Nothing: there is one page."""

    def Unlock(self) -> None:
        """Nothing: there is one page."""


class Cookie(Values):
    """A cookie that the page sets: a value, or keys with values."""

    _default_ = "Item"
    Expires = stored("object", "_expires", "", "When it ends: kept.")
    Domain = stored("str", "_domain", "", "Where it is sent: kept.")
    Path = stored("str", "_path", "/", "Where it is sent: kept.")
    Secure = stored("bool", "_secure", False, "Whether it is sent over TLS only: kept.")

    def setItem(self, Key: str, Value: object) -> None:
        """Sets the value of a key."""
        self.keep_value(Key, Value)

    @property
    def HasKeys(self) -> bool:
        """Whether it has keys."""
        return bool(self._values)


class Cookies(ComObject):
    """The cookies that the page sets."""

    _default_ = "Item"

    def __init__(self) -> None:
        self._cookies: Final[dict[str, Cookie]] = {}
        self._texts: Final[dict[str, str]] = {}

    def Item(self, Key: str) -> Any:
        """The cookie of a name; a new one where there was none."""
        return self._cookies.setdefault(Key, Cookie())

    def setItem(self, Key: str, Value: object) -> None:
        """Sets a cookie's value."""
        self._texts[Key] = written(Value)

    def headers_of(self) -> list[tuple[str, str]]:
        """The headers that set them."""
        texts = dict(self._texts)
        for name, cookie in self._cookies.items():
            if cookie.HasKeys:
                texts[name] = urlencode({cookie._names[key]: written(value) for key, value in cookie._values.items()})
        return [("Set-Cookie", f"{name}={value}") for name, value in texts.items()]


class Response(ComObject):
    """The answer to the browser."""

    Buffer = stored("bool", "_buffer", True, "Whether the answer is kept until the page ends: it always is.")
    Charset = stored("str", "_charset", "", "The charset of the answer.")
    CodePage = stored("int", "_code_page", 65001, "The code page of the answer: kept.")
    LCID = stored("int", "_lcid", 1033, "The locale of the answer: kept.")
    ContentType = stored("str", "_content_type", "text/html", "The media type of the answer.")
    Status = stored("str", "_status", "200 OK", "The status of the answer.")
    Expires = stored("object", "_expires", 0, "After how many minutes the answer is old: kept.")
    ExpiresAbsolute = stored("object", "_expires_absolute", "", "When the answer is old: kept.")
    CacheControl = stored("str", "_cache_control", "private", "Who may keep the answer: kept.")

    def __init__(self, blocks: list[str]) -> None:
        self._blocks: Final = blocks
        self._text: Final[list[str]] = []
        self._headers: Final[list[tuple[str, str]]] = []
        self._cookies: Final = Cookies()

    @property
    def IsClientConnected(self) -> bool:
        """True."""
        return True

    @property
    def Cookies(self) -> Any:
        """The cookies that the page sets."""
        return self._cookies

    def Write(self, Value: object = "") -> None:
        """Writes a value into the answer."""
        self._text.append(written(Value))

    def WriteBlock(self, Number: int) -> None:
        """Writes the page's own text of a number."""
        self._text.append(self._blocks[Number])

    def BinaryWrite(self, Data: object) -> None:
        """Writes bytes, as letters of windows-1252."""
        self._text.append(Data.decode("cp1252", "replace") if isinstance(Data, (bytes, bytearray)) else written(Data))

    def AddHeader(self, Name: str, Value: str) -> None:
        """Adds a header."""
        self._headers.append((Name, Value))

    def AppendToLog(self, Text: str) -> None:
        """Nothing: there is no log."""

    def Clear(self) -> None:
        """Takes back what was written."""
        self._text.clear()

    def Flush(self) -> None:
        """Nothing: the answer is read when the page has ended."""

    def End(self) -> None:
        """Ends the page."""
        raise ResponseEnded(0)

    def Redirect(self, URL: str) -> None:
        """Sends the browser elsewhere, and ends the page."""
        self._text.clear()
        self._headers.append(("Location", URL))
        self.__dict__["_status"] = "302 Object moved"
        raise ResponseEnded(0)

    def is_html(self) -> bool:
        """Whether the answer is a page."""
        return "html" in self.ContentType.lower()

    def text_of_page(self) -> str:
        """What was written."""
        return "".join(self._text)

    def headers_of_page(self) -> tuple[tuple[str, str], ...]:
        """The status and the headers."""
        charset = f"; charset={self.Charset}" if self.Charset else ""
        own = [("Status", self.Status), ("Content-Type", self.ContentType + charset)]
        return (*own, *self._headers, *self._cookies.headers_of())


class Request(ComObject):
    """What the browser asked."""

    _default_ = "Item"

    def __init__(self, sources: Sources, environment: Environment) -> None:
        query = environment.settings.query
        self._values: Final = Values(dict(query))
        self._cookies: Final = Values()
        self._variables: Final = Values(_variables(query, sources, environment.settings.windows))

    @property
    def QueryString(self) -> Any:
        """The values of the run, as of a query."""
        return self._values

    @property
    def Form(self) -> Any:
        """The values of the run, as of a form."""
        return self._values

    @property
    def Cookies(self) -> Any:
        """No cookie came."""
        return self._cookies

    @property
    def ServerVariables(self) -> Any:
        """The variables of a server."""
        return self._variables

    @property
    def ClientCertificate(self) -> Any:
        """No certificate came."""
        return self._cookies

    @property
    def TotalBytes(self) -> int:
        """How long the body is."""
        return len(urlencode({name: str(value) for name, value in self._values._values.items()}))

    def Item(self, Key: str) -> Any:
        """A value by its name: of the query and form, else of the server variables; else Empty."""
        found = self._values.Item(Key)
        return self._variables.Item(Key) if found is Vacant.EMPTY else found


class Server(ComObject):
    """The server."""

    ScriptTimeout = stored("int", "_timeout", 90, "Seconds that a page may run: kept. --time-limit is what counts.")

    def __init__(self, sources: Sources, environment: Environment) -> None:
        self._sources: Final = sources
        self._environment: Final = environment

    def CreateObject(self, ProgID: str) -> Any:
        """A new object. Raises ComError CO_E_CLASSSTRING (429) where no such class is registered."""
        return self._environment.create(ProgID)

    def MapPath(self, Path: str) -> str:
        """The file name of an address. Raises ComError E_ACCESSDENIED outside the folder."""
        return self._sources.shown(Path)

    def HTMLEncode(self, String: object) -> str:
        """A text with the signs of markup written as entities."""
        return escape(written(String)).replace("&#x27;", "'")

    def URLEncode(self, String: object) -> str:
        """A text for a query."""
        return quote_plus(written(String), safe="", encoding="utf-8")


def written(value: object) -> str:
    """A value as Response.Write shows it: nothing for Empty and Null."""
    if isinstance(value, bool):
        return str(value)
    return "" if value is None or isinstance(value, Vacant) else text_of(value)


def asp_objects(response: Response, sources: Sources, environment: Environment) -> dict[str, Any]:
    """The objects that an ASP page finds, by name."""
    makers: dict[str, Callable[[], Any]] = {
        "Request": lambda: Request(sources, environment),
        "Server": lambda: Server(sources, environment),
        "Session": Variables,
        "Application": Variables,
    }
    return {"Response": response, **{name: make() for name, make in makers.items()}}


def _variables(query: Mapping[str, str], sources: Sources, windows: str) -> dict[str, Any]:
    path = f"/{sources.place}"
    return {
        "REQUEST_METHOD": "POST" if query else "GET", "QUERY_STRING": urlencode(query), "URL": path, "SCRIPT_NAME": path,
        "PATH_INFO": path, "SERVER_NAME": HOST, "HTTP_HOST": HOST, "SERVER_PORT": "443", "SERVER_PORT_SECURE": "1",
        "HTTPS": "on", "SERVER_PROTOCOL": "HTTP/1.1", "SERVER_SOFTWARE": "Microsoft-IIS/6.0",
        "HTTP_USER_AGENT": user_agent(windows),
        "HTTP_ACCEPT_LANGUAGE": "en-us", "REMOTE_ADDR": "127.0.0.1", "REMOTE_HOST": "127.0.0.1", "LOCAL_ADDR": "127.0.0.1",
        "AUTH_TYPE": "", "AUTH_USER": "", "LOGON_USER": "", "REMOTE_USER": "", "HTTP_COOKIE": "", "HTTP_REFERER": "",
    }  # fmt: skip
