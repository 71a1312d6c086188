// What JScript has beside ECMAScript, and what it does otherwise: objects and functions of its own, errors with numbers,
// dates as it spells them, and the regular expressions' last match. Evaluated with prelude.js; knows no handle.
(function (primordials, bridge) {
  "use strict";
  const {
    FATAL, apply, construct, list, hide, accessor, object, array, string, date, regExp, error: errors, hasOwn, abs, floor,
    parseInteger, asText, isA, NativeDate, NativeError, NativeProxy, NativeRegExp,
  } = primordials;
  const { failure, elements, isHosts, create } = bridge;

  // --- objects

  function ActiveXObject(identifier) {
    return create("create", identifier);
  }

  function GetObject(name) {
    return create("moniker", name);
  }

  class Enumerator {
    #items;
    #at = 0;
    constructor(collection) {
      this.#items = elements(collection, "enumerate");
    }
    atEnd() { return this.#at >= this.#items.length; }
    item() { return this.#items[this.#at]; }
    moveFirst() { this.#at = 0; }
    moveNext() { this.#at++; }
  }

  class VBArray {
    #items;
    constructor(value) {
      if (!isHosts(value)) throw failure(-2146823275, "VBArray expected");
      this.#items = elements(value, "array");
    }
    #level(dimension) {
      let level = this.#items;
      for (let i = 1; i < dimension; i++) level = elements(level[0], "array");
      return level;
    }
    dimensions() {
      let count = 1;
      for (let level = this.#items; level.length && isHosts(level[0]); count++) level = elements(level[0], "array");
      return count;
    }
    getItem(...at) {
      let level = this.#items;
      for (let i = 0; i < at.length; i++) {
        if (!(at[i] >= 0 && at[i] < level.length)) throw failure(-2146828279, "Subscript out of range");
        level = i < at.length - 1 ? elements(level[at[i]], "array") : level[at[i]];
      }
      return level;
    }
    lbound() { return 0; }
    ubound(dimension = 1) { return this.#level(dimension).length - 1; }
    toArray() { return array.slice(this.#items); }
  }

  // --- errors

  const JScriptError = new NativeProxy(NativeError, {
    __proto__: null,
    apply: (target, self, values) => makeError(target, values, target),
    construct: (target, values, made) => makeError(target, values, made === JScriptError ? target : made),
  });

  function makeError(target, values, made) {
    if (typeof values[0] !== "number") return construct(target, values.length ? [values[0]] : [], made);
    const error = construct(target, [values.length > 1 ? asText(values[1]) : ""], made);
    error.number = values[0] | 0;
    return error;
  }

  for (const name of ["prepareStackTrace", "stackTraceLimit", "captureStackTrace"]) delete NativeError[name];
  hide(NativeError.prototype, "constructor", JScriptError);
  hide(NativeError.prototype, "number", 0);
  hide(NativeError.prototype, "toString", function () {
    const message = this.message;
    const fatal = typeof message === "string" && FATAL[message] === true;
    return fatal ? errors.toString(this) : "[object Error]"; // Python reads those that it cannot be told
  });
  const describe = function (value) { hide(this, "message", value); };
  accessor(NativeError.prototype, "description", function () { return this.message; }, describe);

  // --- dates

  const DAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
  const MONTHS = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];
  const short = (name) => string.slice(name, 0, 3);
  const two = (value) => (value < 10 ? "0" : "") + value;
  const clock = (hours, minutes, seconds) => two(hours) + ":" + two(minutes) + ":" + two(seconds);
  const dayOf = (moment) => `${short(DAYS[date.getDay(moment)])} ${short(MONTHS[date.getMonth(moment)])} ${date.getDate(moment)}`;
  const timeOf = (moment) => `${clock(date.getHours(moment), date.getMinutes(moment), date.getSeconds(moment))} UTC${zoneOf(moment)}`;

  function zoneOf(moment) {
    const behind = date.getTimezoneOffset(moment);
    return behind ? (behind > 0 ? "-" : "+") + two(floor(abs(behind) / 60)) + two(abs(behind) % 60) : "";
  }

  function longDay(moment) {
    return `${DAYS[date.getDay(moment)]}, ${MONTHS[date.getMonth(moment)]} ${two(date.getDate(moment))}, ${date.getFullYear(moment)}`;
  }

  function longTime(moment) {
    const hours = date.getHours(moment);
    return `${hours % 12 || 12}:${two(date.getMinutes(moment))}:${two(date.getSeconds(moment))} ${hours < 12 ? "AM" : "PM"}`;
  }

  function universal(moment) {
    const day = `${short(DAYS[date.getUTCDay(moment)])}, ${date.getUTCDate(moment)} ${short(MONTHS[date.getUTCMonth(moment)])}`;
    const time = clock(date.getUTCHours(moment), date.getUTCMinutes(moment), date.getUTCSeconds(moment));
    return `${day} ${date.getUTCFullYear(moment)} ${time} UTC`;
  }

  const spelled = {
    toString: (moment) => `${dayOf(moment)} ${timeOf(moment)} ${date.getFullYear(moment)}`,
    toDateString: (moment) => `${dayOf(moment)} ${date.getFullYear(moment)}`,
    toTimeString: timeOf,
    toLocaleString: (moment) => `${longDay(moment)} ${longTime(moment)}`,
    toLocaleDateString: longDay,
    toLocaleTimeString: longTime,
    toUTCString: universal,
    toGMTString: universal,
  };
  for (const name in spelled) {
    const spell = spelled[name];
    hide(NativeDate.prototype, name, function () {
      const time = date.getTime(this);
      return time === time ? spell(this) : "NaN";
    });
  }
  hide(NativeDate.prototype, "getVarDate", function () { return new NativeDate(date.getTime(this)); });
  hide(NativeDate.prototype, "getYear", function () {
    const year = date.getFullYear(this);
    return year >= 1900 && year < 2000 ? year - 1900 : year;
  });

  // --- regular expressions: RegExp tells of the last match, a group that took no part is "", and split leaves out what is empty

  let groups = list();
  let input = "";
  let begin = -1;
  const end = () => (begin < 0 ? -1 : begin + groups[0].length);

  function remember(found) {
    const kept = list();
    for (let i = 0; i < found.length; i++) {
      if (found[i] === undefined) found[i] = "";
      kept[i] = found[i];
    }
    groups = kept;
    input = found.input;
    begin = found.index;
    return found;
  }

  hide(NativeRegExp.prototype, "exec", function (value) {
    const found = regExp.exec(this, value);
    return found === null ? null : remember(found);
  });

  const isRegExp = (value) => value !== null && typeof value === "object" && isA(NativeRegExp, value);

  // the function of a replacement sees its own match, though all were made before it is called
  hide(String.prototype, "replace", function (pattern, replacement) {
    if (typeof replacement !== "function" || !isRegExp(pattern)) return string.replace(this, pattern, replacement);
    return string.replace(this, pattern, (...given) => {
      const last = given.length - (typeof given[given.length - 1] === "string" ? 1 : 2); // named groups stand behind
      groups = list();
      for (let i = 0; i < last - 1; i++) groups[i] = given[i];
      begin = given[last - 1];
      input = given[last];
      return apply(replacement, undefined, given);
    });
  });

  const told = {
    input: () => input, $_: () => input,
    lastMatch: () => groups[0] ?? "", "$&": () => groups[0] ?? "",
    lastParen: () => (groups.length > 1 ? groups[groups.length - 1] : ""), "$+": () => (groups.length > 1 ? groups[groups.length - 1] : ""),
    leftContext: () => (begin < 0 ? "" : string.slice(input, 0, begin)), "$`": () => (begin < 0 ? "" : string.slice(input, 0, begin)),
    rightContext: () => (begin < 0 ? "" : string.slice(input, end())), "$'": () => (begin < 0 ? "" : string.slice(input, end())),
    index: () => begin, lastIndex: end,
  };
  for (const name in told) accessor(NativeRegExp, name, told[name], () => undefined);
  for (let i = 1; i < 10; i++) accessor(NativeRegExp, "$" + i, () => groups[i] ?? "", () => undefined);

  const getter = (name) => Object.getOwnPropertyDescriptor(NativeRegExp.prototype, name).get;
  const reads = { source: getter("source"), ignoreCase: getter("ignoreCase"), multiline: getter("multiline") };
  const flagsOf = (pattern) => "g" + (apply(reads.ignoreCase, pattern, []) ? "i" : "") + (apply(reads.multiline, pattern, []) ? "m" : "");

  function pieces(whole, pattern, most) {
    const found = [];
    let from = 0;
    let at = 0;
    const add = (to) => {
      if (to > from && at < most) found[at++] = string.slice(whole, from, to);
    };
    let match;
    if (whole === "" && regExp.exec(pattern, whole) === null) found[0] = whole;
    while ((match = regExp.exec(pattern, whole)) !== null) {
      add(match.index);
      from = match.index + match[0].length;
      remember(match);
      if (match[0] === "") pattern.lastIndex++;
    }
    add(whole.length);
    return found;
  }

  hide(String.prototype, "split", function (separator, limit) {
    if (!isRegExp(separator)) return string.split(this, separator, limit);
    const most = limit === undefined ? 0xffffffff : limit >>> 0;
    return pieces(asText(this), new NativeRegExp(apply(reads.source, separator, []), flagsOf(separator)), most);
  });

  // --- functions

  // a number that begins with 0 is octal
  function parseInt(value, radix) {
    const text = string.trim(asText(value));
    const first = text[text[0] === "-" || text[0] === "+" ? 1 : 0];
    const next = text[text[0] === "-" || text[0] === "+" ? 2 : 1];
    const octal = (radix | 0) === 0 && first === "0" && next >= "0" && next <= "9";
    return parseInteger(text, octal ? 8 : radix);
  }

  const names = {
    ActiveXObject, Enumerator, GetObject, VBArray, parseInt,
    Error: JScriptError,
    CollectGarbage: () => undefined,
    ScriptEngine: () => "JScript",
    ScriptEngineMajorVersion: () => 5,
    ScriptEngineMinorVersion: () => 8,
    ScriptEngineBuildVersion: () => 18702,
  };
  for (const name in names) hide(globalThis, name, names[name]);
})
