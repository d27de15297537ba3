"""JavaScript for message transforms, by quickjs-ng: plain ECMAScript without network, files, timers or modules.

One context for each function, used by one thread only (the emulator's loop). Text goes in and out as JSON, read and written inside by the context's
own functions, which user code has had no chance to replace. A context that ran out of memory is thrown away and made anew.

PYTEST_DONT_REWRITE
"""

import time
from typing import Any, Final

from publican_emulator.broker import limits
from publican_emulator.broker.transforms import Engine, ScriptError, missing_engine

CALL_S: Final = limits.UDF_MS / 1_000
OPERATION_S: Final = 2.0
MEMORY_BYTES: Final = 64 << 20
STACK_BYTES: Final = 256 << 10
_ERROR_CHARS: Final = 400
_OUT_OF_MEMORY: Final = f"it needed more than {MEMORY_BYTES >> 20} MB of memory"

_PRELUDE: Final = """
(function () {
  "use strict";
  const { parse, stringify } = JSON;
  const { isArray } = Array;
  const { keys } = Object;
  const fail = (text) => {
    const error = new TypeError(text);
    error.stack = "";
    throw error;
  };
  const kind = (value) => (value === null ? "null" : isArray(value) ? "an array" : typeof value);
  return (call) => (message, metadata) => {
    const returned = call(parse(message), parse(metadata));
    if (returned === null) return "null";
    if (typeof returned !== "object" || isArray(returned) || typeof returned.then === "function")
      fail("it must return a message or null, not " + (typeof returned === "object" && !isArray(returned) ? "a promise" : kind(returned)));
    if (typeof returned.data !== "string") fail("data of what it returns must be a string, not " + kind(returned.data));
    const result = { data: returned.data };
    if (returned.attributes !== undefined) {
      const attributes = returned.attributes;
      if (attributes === null || typeof attributes !== "object" || isArray(attributes))
        fail("attributes of what it returns must be an object, not " + kind(attributes));
      result.attributes = {};
      for (const name of keys(attributes)) {
        if (typeof attributes[name] !== "string")
          fail("attributes must be strings, and " + stringify(name) + " is " + kind(attributes[name]));
        result.attributes[name] = attributes[name];
      }
    }
    return stringify(result);
  };
})()
"""


def load() -> Engine:
    """Give an engine.

    Raises:
        FailedPrecondition: quickjs-ng is not installed.
    """
    try:
        import quickjs  # an extra
    except ImportError:
        return missing_engine()
    return QuickJs(quickjs)


class QuickJs:
    """Compiles and runs functions, within bounds of time and memory."""

    def __init__(self, quickjs: Any) -> None:
        self._quickjs = quickjs
        self._spent_s = 0.0

    def begin(self) -> None:
        """Begin an operation."""
        self._spent_s = 0.0

    @property
    def is_spent(self) -> bool:
        """Whether this operation has used up its time."""
        return self._spent_s >= OPERATION_S

    def compile(self, code: str, function_name: str) -> "QuickJsFunction":
        """Give a function."""
        function = QuickJsFunction(self, code, function_name)
        function.make()
        return function

    def run(self, context: Any, call: Any, *arguments: str) -> Any:
        """Call something in a context within its time, and give what it returns.

        Raises:
            ScriptError: it failed.
        """
        if self.is_spent:
            raise ScriptError(f"the functions of this request took longer than {OPERATION_S:g} s together")
        began = time.thread_time()
        context.set_time_limit(CALL_S)
        try:
            return call(*arguments)
        except self._quickjs.StackOverflow:
            raise ScriptError("RangeError: Maximum call stack size exceeded") from None
        except self._quickjs.JSException as error:
            raise ScriptError(_said(str(error))) from None
        finally:
            self._spent_s += time.thread_time() - began

    def new_context(self) -> Any:
        """Give an empty context with its bounds set."""
        context = self._quickjs.Context()
        context.set_memory_limit(MEMORY_BYTES)
        context.set_max_stack_size(STACK_BYTES)
        return context


class QuickJsFunction:
    """One function in a context of its own."""

    def __init__(self, engine: QuickJs, code: str, name: str) -> None:
        self._engine = engine
        self._code = code
        self._name = name
        self._context: Any = None
        self._call: Any = None

    def make(self) -> None:
        """Make the context anew.

        Raises:
            ScriptError: the code does not compile, or has no such function.
        """
        context = self._engine.new_context()
        wrap = context.eval(_PRELUDE)
        self._engine.run(context, context.eval, self._code)
        function = self._engine.run(context, context.eval, f"typeof {self._name} === 'function' ? {self._name} : undefined")
        if function is None:
            raise ScriptError(f"the code has no function {self._name}")
        self._context, self._call = context, wrap(function)

    def __call__(self, message: str, metadata: str, /) -> str:
        """Run it once."""
        if self._context is None:
            self.make()
        try:
            returned: str = self._engine.run(self._context, self._call, message, metadata)
        except ScriptError as error:
            if str(error) == _OUT_OF_MEMORY:
                self._context = self._call = None
            raise
        return returned


def _said(error: str) -> str:
    """Give an error of the engine in one line: what, and where."""
    if error.startswith("InternalError: interrupted"):
        return f"it took longer than {limits.UDF_MS} ms"
    if error.strip() in {"null", "InternalError: out of memory"} or error.startswith("InternalError: out of memory"):
        return _OUT_OF_MEMORY  # where even the error found no memory, null is thrown
    first, _, rest = error.partition("\n")
    place = rest.strip().partition("\n")[0].strip()
    return (f"{first} ({place})" if place else first)[:_ERROR_CHARS]
