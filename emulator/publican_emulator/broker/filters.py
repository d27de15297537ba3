"""Filters: which messages a subscription gets, by their attributes.

    filter      = ws , [ expression , ws ] ;
    expression  = and_expr | or_expr | unary ;
    and_expr    = unary , { ws1 , "AND" , ws1 , unary } ;
    or_expr     = unary , { ws1 , "OR" , ws1 , unary } ;
    unary       = [ "NOT" , ws1 | "-" ] , primary ;
    primary     = "(" , ws , expression , ws , ")" | has | compare | prefix ;
    has         = "attributes" , ws , ":" , ws , key ;
    compare     = "attributes" , "." , key , ws , ( "=" | "!=" ) , ws , string ;
    prefix      = "hasPrefix" , ws , "(" , ws , "attributes" , "." , key , ws , "," , ws , string , ws , ")" ;
    key         = identifier | string ;
    identifier  = ( letter | "_" ) , { letter | digit | "_" | "-" } ;
    string      = '"' , { char | escape } , '"' ;

AND and OR may not be mixed on one level: write `(a AND b) OR c`. Operators are upper case; comparisons are case-sensitive and exact. An absent
attribute equals nothing, so `!=` is true of it. A filter of nothing but blanks lets everything pass.

Source: "Filter messages from a subscription", cloud.google.com/pubsub/docs/subscription-message-filter; docs/semantics.md, filters.

PYTEST_DONT_REWRITE
"""

import functools
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

Attributes = Mapping[str, str]
_Test = Callable[[Attributes], bool]

_BLANKS: Final = re.compile(r"[ \t\r\n]*")
_IDENTIFIER: Final = re.compile(r"[^\W\d][\w-]*")
_ESCAPES: Final = {'"': '"', "'": "'", "\\": "\\", "?": "?", "`": "`", "a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_CODED: Final = {**dict.fromkeys("01234567", (3, 8)), "x": (2, 16), "u": (4, 16), "U": (8, 16)}
_NESTING_MAX: Final = 128
"""Parentheses in parentheses: more than fit into the 256 bytes that a filter may have, and few enough for Python's stack."""


class FilterError(ValueError):
    """Text that is no filter; `position` is the column, from 1."""

    def __init__(self, reason: str, position: int) -> None:
        super().__init__(f"{reason} at position {position}")
        self.reason = reason
        self.position = position


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter that was understood."""

    text: str
    _test: _Test

    def matches(self, attributes: Attributes) -> bool:
        """Say whether a message with these attributes passes."""
        return self._test(attributes)


@functools.lru_cache(maxsize=1024)
def parse(text: str) -> Filter:
    """Understand a filter.

    Raises:
        FilterError: pointing at the column where the text stops being one.
    """
    return Filter(text, _Parser(text).whole())


class _Parser:
    """Recursive descent, one character ahead."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._nesting = 0

    def whole(self) -> _Test:
        self._blanks()
        if self._at == len(self._text):
            return lambda attributes: True
        test = self._expression()
        self._blanks()
        if self._at < len(self._text):
            raise self._error("expected AND, OR or the end of the filter")
        return test

    def _expression(self) -> _Test:
        tests = [self._unary()]
        operator = ""
        while (word := self._operator()) is not None:
            if operator and word != operator:
                raise FilterError(f"{operator} and {word} may not be mixed without parentheses", self._at - len(word) + 1)
            operator = word
            if not self._blanks():
                raise self._error(f"expected a blank after {word}")
            tests.append(self._unary())
        if len(tests) == 1:
            return tests[0]
        combine = all if operator == "AND" else any
        return lambda attributes: combine(test(attributes) for test in tests)

    def _operator(self) -> str | None:
        before = self._at
        had_blank = self._blanks()
        for word in ("AND", "OR"):
            if self._text.startswith(word, self._at) and not re.match(r"[\w-]", self._text[self._at + len(word) : self._at + len(word) + 1]):
                if not had_blank:
                    raise self._error(f"expected a blank before {word}")
                self._at += len(word)
                return word
        self._at = before
        return None

    def _unary(self) -> _Test:
        if self._take("-"):
            test = self._primary()
            return lambda attributes: not test(attributes)
        if re.match(r"NOT(?![\w-])", self._text[self._at :]):
            self._at += 3
            if not self._blanks():
                raise self._error("expected a blank after NOT")
            test = self._primary()
            return lambda attributes: not test(attributes)
        return self._primary()

    def _primary(self) -> _Test:
        if self._take("("):
            return self._nested()
        start = self._at
        word = self._identifier()
        if word == "attributes":
            return self._has_or_compare()
        if word == "hasPrefix":
            return self._prefix()
        self._at = start
        raise self._error('expected "attributes", "hasPrefix", NOT or "("')

    def _nested(self) -> _Test:
        self._nesting += 1
        if self._nesting > _NESTING_MAX:
            raise FilterError("nested too deeply", self._at)
        self._blanks()
        test = self._expression()
        self._blanks()
        self._expect(")")
        self._nesting -= 1
        return test

    def _has_or_compare(self) -> _Test:
        if self._take("."):
            key = self._key()
            self._blanks()
            differs = self._take("!=")
            if not differs:
                self._expect("=", 'expected "=" or "!="')
            self._blanks()
            value = self._string()
            if differs:
                return lambda attributes: attributes.get(key) != value
            return lambda attributes: attributes.get(key) == value
        self._blanks()
        self._expect(":", 'expected ":" or "." after "attributes"')
        self._blanks()
        key = self._key()
        return lambda attributes: key in attributes

    def _prefix(self) -> _Test:
        self._blanks()
        self._expect("(")
        self._blanks()
        start = self._at
        if self._identifier() != "attributes":
            self._at = start
            raise self._error('expected "attributes"')
        self._expect(".")
        key = self._key()
        self._blanks()
        self._expect(",")
        self._blanks()
        value = self._string()
        self._blanks()
        self._expect(")")
        return lambda attributes: key in attributes and attributes[key].startswith(value)

    def _key(self) -> str:
        if self._text.startswith('"', self._at):
            return self._string()
        key = self._identifier()
        if not key:
            raise self._error("expected an attribute key")
        return key

    def _identifier(self) -> str:
        found = _IDENTIFIER.match(self._text, self._at)
        if found is None:
            return ""
        self._at = found.end()
        return found.group()

    def _string(self) -> str:
        self._expect('"', "expected a string in double quotes")
        start = self._at
        chars: list[str] = []
        while self._at < len(self._text):
            char = self._text[self._at]
            self._at += 1
            if char == '"':
                return "".join(chars)
            chars.append(self._escape() if char == "\\" else char)
        raise FilterError("unclosed string", start)

    def _escape(self) -> str:
        char = self._text[self._at : self._at + 1]
        if char in _ESCAPES and char:
            self._at += 1
            return _ESCAPES[char]
        size, base = _CODED.get(char, (0, 0))
        start = self._at if base == 8 else self._at + 1
        digits = self._text[start : start + size]
        try:
            if not size or len(digits) < size or not (digits.isascii() and digits.isalnum()):
                raise ValueError
            coded = chr(int(digits, base))
        except (ValueError, OverflowError):
            raise self._error("unknown escape") from None
        self._at = start + size
        return coded

    def _blanks(self) -> bool:
        start = self._at
        found = _BLANKS.match(self._text, self._at)
        self._at = found.end() if found else self._at
        return self._at > start

    def _take(self, sign: str) -> bool:
        if self._text.startswith(sign, self._at):
            self._at += len(sign)
            return True
        return False

    def _expect(self, sign: str, reason: str = "") -> None:
        if not self._take(sign):
            raise self._error(reason or f'expected "{sign}"')

    def _error(self, reason: str) -> FilterError:
        return FilterError(reason, self._at + 1)
