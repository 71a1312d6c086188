// The JavaScript end of the bridge: automation objects as proxies, and values as the primitives that the engine passes.
// Evaluated once, before any script; gives the function by which Python enters. primordials.js says what it is written with,
// language.js what it gives to scripts beside ECMAScript.
//
// A value is null, a boolean, a number, or a string whose first letter says what the rest is: s text, e escaped text,
// u undefined, o handle of an object of Python's, a handle and length of an array of Python's (from here: length and
// number of an array, its elements follow), c handle of a function of Python's, f j number of a function or an object of
// the script's, d milliseconds of a date; and of answers m method, p property with parameters, n nothing, x an error, q stop.
(function (py, primordials, language) {
  "use strict";
  const {
    apply, get, defineProperty, setPrototypeOf, list, hide, evaluate, array, string, number, date, map, weakMap, callable,
    FATAL, toObject, hasOwn, freeze, isArray, fromCharCode, parseInteger, asText, asNumber, isA, uncurry, toPrimitive,
    NativeDate, NativeError, NativeReferenceError, NativeProxy,
  } = primordials;
  const VALUE = Symbol("value");
  const CALLS = Symbol("calls");
  const STOP = Object.freeze({ __proto__: null });
  const DEEPEST = 32;
  const WIDEST = 8192;
  const NATIVE = {
    __proto__: null,
    TypeError: true, ReferenceError: true, RangeError: true, SyntaxError: true, URIError: true, InternalError: true,
  };
  const WRAPPERS = [String, Number, Boolean].map((native) => ({ native, valueOf: uncurry(native.prototype.valueOf) }));
  const handles = new WeakMap(); // what stands here for an object of Python's -> its handle
  const readers = new WeakMap(); // what stands for a property with parameters -> what reads it
  const views = new WeakMap(); // what stands for an object of Python's -> what stands for it where its members are called
  const stand = new Map(); // handle -> what stands for it
  const owned = new Map(); // number -> a function or an object of the script's that Python has
  const numbers = new WeakMap(); // and back
  let known = 0;
  let stopped = false;

  // --- values

  // joined, not added: a long sum is kept in pieces, which the engine's Python side does not take
  function text(value) {
    return string.isWellFormed(value) && !string.includes(value, "\0") ? array.join(["s", value], "") : escaped(value);
  }

  function escaped(value) {
    const pieces = list();
    let from = 0;
    for (let i = 0; i < value.length; i++) {
      const code = string.charCodeAt(value, i);
      if (code !== 0 && code !== 92 && (code < 0xd800 || code > 0xdfff)) continue;
      pieces[pieces.length] = string.slice(value, from, i);
      pieces[pieces.length] = "\\u" + string.padStart(number.toString(code, 16), 4, "0");
      from = i + 1;
    }
    return array.join(["e", array.join(pieces, ""), string.slice(value, from)], "");
  }

  function unescaped(value) {
    const pieces = list();
    let from = 0;
    for (let at; (at = string.indexOf(value, "\\", from)) >= 0; from = at + 6) {
      pieces[pieces.length] = string.slice(value, from, at);
      pieces[pieces.length] = fromCharCode(parseInteger(string.slice(value, at + 2, at + 6), 16));
    }
    pieces[pieces.length] = string.slice(value, from);
    return array.join(pieces, "");
  }

  function own(value) {
    let found = weakMap.get(numbers, value);
    if (found === undefined) {
      found = known++;
      map.set(owned, found, value);
      weakMap.set(numbers, value, found);
    }
    return found;
  }

  function encode(value, out, depth) {
    const type = typeof value;
    if (type === "string") out[out.length] = text(value);
    else if (type === "number" || type === "boolean" || value === null) out[out.length] = value;
    else if (value === undefined) out[out.length] = "u";
    else if (type === "object" || type === "function") encodeObject(value, out, depth);
    else throw failure(-2146828275, "Type mismatch");
    return out;
  }

  function encodeObject(value, out, depth) {
    const handle = weakMap.get(handles, value);
    if (handle !== undefined) out[out.length] = "o" + handle;
    else if (weakMap.has(readers, value)) encode(weakMap.get(readers, value)(), out, depth);
    else if (isArray(value)) encodeArray(value, out, depth);
    else if (isA(NativeDate, value)) {
      const time = date.getTime(value);
      out[out.length] = time === time ? "d" + time : null;
    } else {
      for (let i = 0; i < WRAPPERS.length; i++) {
        if (isA(WRAPPERS[i].native, value)) return encode(WRAPPERS[i].valueOf(value), out, depth);
      }
      out[out.length] = (typeof value === "function" ? "f" : "j") + own(value);
    }
  }

  function encodeArray(value, out, depth) {
    if (depth > DEEPEST) throw failure(-2146828275, "Type mismatch");
    const length = value.length;
    out[out.length] = "a" + length + ":" + own(value);
    for (let i = 0; i < length; i++) encode(value[i], out, depth + 1);
  }

  const decoders = {
    __proto__: null,
    s: (rest) => rest,
    e: unescaped,
    u: () => undefined,
    o: (rest) => standing(rest, hostObject),
    a: (rest) => standing(rest, hostArray),
    c: (rest) => standing(rest, hostFunction),
    d: (rest) => new NativeDate(+rest),
    j: (rest) => map.get(owned, +rest),
    x: (rest) => {
      const first = string.indexOf(rest, "\0");
      const second = string.indexOf(rest, "\0", first + 1);
      throw failure(+string.slice(rest, 0, first), string.slice(rest, second + 1), string.slice(rest, first + 1, second));
    },
    q: () => {
      stopped = true;
      throw STOP;
    },
  };

  function decode(answer) {
    return typeof answer === "string" ? decoders[answer[0]](string.slice(answer, 1)) : answer;
  }

  function standing(rest, make) {
    let found = map.get(stand, rest);
    if (found === undefined) map.set(stand, rest, (found = make(rest)));
    return found;
  }

  function failure(number, description, source) {
    const error = new NativeError(description);
    hide(error, "number", number);
    if (source) hide(error, "source", source);
    return error;
  }

  // an operation: what it needs first, then encoded values from `head` on: a call takes only so many
  function tell(out, head) {
    if (out.length - head <= WIDEST) return apply(py, undefined, out);
    let at = head;
    for (; out.length - at > WIDEST; at += WIDEST) apply(py, undefined, part(["part"], out, at, at + WIDEST));
    return apply(py, undefined, part(array.slice(out, 0, head), out, at, out.length));
  }

  function part(made, out, from, to) {
    setPrototypeOf(made, null);
    for (let i = from; i < to; i++) made[made.length] = out[i];
    return made;
  }

  // op of a handle, with a name where there is one, and values
  function ask(op, handle, name, values) {
    const out = list();
    out[0] = op;
    out[1] = handle;
    if (name !== undefined) out[2] = text(name);
    const head = out.length;
    for (let i = 0; i < values.length; i++) encode(values[i], out, 0);
    return decode(tell(out, head));
  }

  // --- what stands for Python's objects

  const base = {
    __proto__: null,
    getPrototypeOf: () => null,
    ownKeys: () => [],
    getOwnPropertyDescriptor: () => undefined,
    deleteProperty: () => false,
    defineProperty: () => false,
  };

  function member(proxy, handle, name, answer) {
    if (answer === "m") return (...values) => ask("call", handle, name, values);
    if (answer === "p") return propertyWithParameters(handle, name);
    if (answer === "n") return name === "toString" || name === "valueOf" ? () => ask("value", handle, undefined, []) : undefined;
    return decode(answer);
  }

  function hostObject(rest) {
    const handle = +rest;
    const proxy = new NativeProxy(() => undefined, {
      __proto__: base,
      get(target, name) {
        if (typeof name === "string") return member(proxy, handle, name, py("get", handle, text(name)));
        if (name === VALUE) return proxy;
        if (name === CALLS) return view(proxy, handle);
        return name === toPrimitive ? () => ask("value", handle, undefined, []) : undefined;
      },
      set(target, name, value) {
        ask("put", handle, asText(name), [value]);
        return true;
      },
      has: (target, name) => typeof name === "string" && py("get", handle, text(name)) !== "n",
      apply: (target, self, values) => ask("index", handle, undefined, values),
    });
    weakMap.set(handles, proxy, handle);
    return proxy;
  }

  // ``x.Count()``: automation calls a method and reads a property alike. A function that the object keeps is called.
  function view(proxy, handle) {
    let found = weakMap.get(views, proxy);
    if (found === undefined) {
      const read = (target, name) => {
        const answer = py("get", handle, text(name));
        const value = member(proxy, handle, name, answer);
        if (typeof answer === "string" && (answer[0] === "m" || answer[0] === "p" || answer[0] === "n")) return value;
        const kept = typeof value === "function" && (answer[0] === "c" || answer[0] === "j");
        return kept ? () => apply(value, proxy, []) : () => value;
      };
      found = new NativeProxy(() => undefined, { __proto__: null, get: read });
      weakMap.set(views, proxy, found);
    }
    return found;
  }

  function propertyWithParameters(handle, name) {
    const read = () => ask("call", handle, name, []);
    const proxy = new NativeProxy(() => undefined, {
      __proto__: null,
      get(target, key) {
        const value = read();
        if (key === VALUE) return value;
        if (key === toPrimitive) return () => value;
        const found = toObject(value)[key];
        return typeof found === "function" && !weakMap.has(handles, value) ? callable.bind(found, value) : found;
      },
      apply: (target, self, values) => ask("call", handle, name, values),
    });
    weakMap.set(readers, proxy, read);
    return proxy;
  }

  function hostArray(rest) {
    const colon = string.indexOf(rest, ":");
    const found = freeze({ length: +string.slice(rest, colon + 1), toString: () => "[array]" });
    weakMap.set(handles, found, +string.slice(rest, 0, colon));
    return found;
  }

  function hostFunction(rest) {
    const handle = +rest;
    const stub = (...values) => ask("invoke", handle, undefined, values);
    weakMap.set(handles, stub, handle);
    return stub;
  }

  // --- errors: what a script put in their members may fail itself when it is read

  const isError = (value) => quietly(() => isA(NativeError, value), false);
  const words = (error, name) => quietly(() => text(asText(error[name] ?? "")), "s");
  const numberOf = (error) => (quietly(() => hasOwn(error, "number"), false) ? quietly(() => asNumber(error.number) | 0, 0) : null);

  function quietly(read, instead) {
    try {
      return read();
    } catch (error) {
      if (error === STOP || error === null || (hasOwn(toObject(error), "message") && FATAL[error.message] === true)) throw error;
      return instead;
    }
  }

  function report(error) {
    if (error === STOP || stopped) return;
    if (isError(error)) py("failed", numberOf(error), words(error, "message"), words(error, "source"), words(error, "name"), words(error, "stack"));
    else py("failed", null, typeof error === "string" ? text(error) : "s", "s", "s", "s");
  }

  // --- what the normalized text of a script calls

  const host = {
    __proto__: null,
    value: VALUE,
    calls: CALLS,
    caught(error) {
      if (stopped || error === STOP) throw STOP;
      const name = isError(error) && numberOf(error) === null ? words(error, "name") : "s";
      const native = NATIVE[string.slice(name, 1)] === true;
      if (!native && error !== null) return;
      const answer = native ? py("caught", name, words(error, "message"), words(error, "stack")) : py("caught", "s", "s", "s");
      if (answer === null) return;
      try {
        decode(answer);
      } catch (told) {
        if (told === STOP) throw STOP;
        hide(error, "source", told.source);
        hide(error, "message", told.message);
        hide(error, "number", told.number);
      }
    },
    go() {
      if (stopped) throw STOP;
    },
    type(read, bare) {
      let value;
      try {
        value = read();
      } catch (error) {
        if (error === STOP) throw STOP;
        if (bare === 1 && isA(NativeReferenceError, error)) return "undefined";
        if (bare !== 2) throw error;
        return "unknown";
      }
      if (value === null || value === undefined || (typeof value !== "function" && typeof value !== "object")) return typeof value;
      if (weakMap.has(readers, value)) return host.type(weakMap.get(readers, value), 2);
      if (!weakMap.has(handles, value)) return typeof value;
      return map.get(stand, asText(weakMap.get(handles, value))) === value ? "object" : typeof value === "function" ? "function" : "unknown";
    },
    source: (code) => (typeof code === "string" ? decode(py("source", text(code))) : code),
    put(target, name, values, value) {
      if (!weakMap.has(handles, target)) throw failure(-2146823285, "Cannot assign to a function result");
      const given = part([], values, 0, values.length);
      given[given.length] = value;
      ask("put", weakMap.get(handles, target), asText(name), given);
    },
    on(target, event, handler) {
      target[string.toLowerCase(string.slice(event, 0, 2)) === "on" ? event : "on" + event] = handler;
    },
  };
  defineProperty(globalThis, "$host", { value: freeze(host) });
  const itself = { get() { return this; } };
  defineProperty(Object.prototype, VALUE, itself);
  defineProperty(Object.prototype, CALLS, itself);

  // --- what Python enters by

  // what a collection or an array of Python's holds
  function elements(value, op) {
    if (isArray(value)) throw failure(-2146827837, "Object not a collection"); // a collection of Python's is none here
    const out = list();
    out[0] = op;
    const found = decode(tell(encode(value, out, 0), 1));
    const handle = weakMap.get(handles, found);
    const items = list();
    for (let i = 0; i < found.length; i++) items[i] = decode(py("element", handle, i));
    return items;
  }
  const isHosts = (value) => typeof value === "object" && value !== null && weakMap.has(handles, value);
  const create = (op, name) => decode(py(op, text(asText(name))));
  language(primordials, { failure, elements, isHosts, create });

  const builtin = new Map(Object.getOwnPropertyNames(globalThis).map((name) => [name, globalThis[name]]));
  const ordinary = Object.prototype;
  const missing = {
    __proto__: null,
    get(target, name, receiver) {
      if (typeof name === "symbol" || name in target) return get(target, name, receiver);
      const answer = py("missing", text(name));
      if (answer !== "n") return decode(answer);
      if (py("bare", text(name), words(new NativeError(), "stack"))) throw new NativeReferenceError(name + " is not defined");
      return undefined; // this.name
    },
    set(target, name, value, receiver) {
      return defineProperty(receiver, name, { __proto__: null, value, writable: true, enumerable: true, configurable: true });
    },
  };
  const has = (name) => hasOwn(globalThis, name) && !(map.has(builtin, name) && map.get(builtin, name) === globalThis[name]);
  const entries = {
    __proto__: null,
    run: (code) => void evaluate(code),
    make: (code) => evaluate(code),
    define: (name, value) => hide(globalThis, decode(name), decode(value)),
    missing: () => void setPrototypeOf(globalThis, new NativeProxy(ordinary, missing)),
    has: (name) => has(decode(name)),
    get: (name) => globalThis[decode(name)],
    put: (name, value) => void (globalThis[decode(name)] = decode(value)),
    call: (number, self, ...values) => {
      for (let i = 0; i < values.length; i++) values[i] = decode(values[i]);
      return apply(map.get(owned, number), decode(self), values);
    },
    member: (number, name) => map.get(owned, number)[decode(name)],
    hasMember: (number, name) => decode(name) in map.get(owned, number),
    setMember: (number, name, value) => void (map.get(owned, number)[decode(name)] = decode(value)),
    string: (number) => asText(map.get(owned, number)),
  };

  return function (op, ...values) {
    stopped = false;
    try {
      const out = list();
      out[0] = "result";
      decode(tell(encode(apply(entries[op], undefined, values), out, 0), 1));
    } catch (error) {
      report(error);
    } finally {
      stopped = false;
    }
  };
})
