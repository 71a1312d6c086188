// The engine's own functions as they are before any script: what a script puts in their place on a prototype or in the
// global namespace, the bridge does not meet. A method takes its object first: string.slice(text, 1). What the files beside
// this one make of arrays they keep in arrays without a prototype, and they neither spread nor take arrays apart, both of
// which ask prototypes.
(function () {
  "use strict";
  const { apply, construct, defineProperty, get, ownKeys } = Reflect;
  const { getOwnPropertyDescriptor, setPrototypeOf } = Object;
  const uncurry = Function.prototype.bind.bind(Function.prototype.call);
  const isPrototypeOf = uncurry(Object.prototype.isPrototypeOf);

  function functions(holder, made) {
    const found = { __proto__: null };
    for (const name of ownKeys(holder)) {
      const value = typeof name === "string" ? getOwnPropertyDescriptor(holder, name).value : undefined;
      if (typeof value === "function") found[name] = made(value);
    }
    return found;
  }
  const methods = (native) => functions(native.prototype, uncurry);
  const list = () => setPrototypeOf([], null);

  function hide(target, name, value) {
    defineProperty(target, name, { __proto__: null, value, writable: true, configurable: true });
  }

  function accessor(target, name, get, set) {
    defineProperty(target, name, { __proto__: null, get, set, configurable: true });
  }

  const FATAL = { // what the engine says where it can do no more
    __proto__: null,
    "Maximum call stack size exceeded": true, "out of memory": true, "string too long": true, "Python call failed.": true,
  };
  return {
    __proto__: null, FATAL,
    apply, construct, get, defineProperty, setPrototypeOf, uncurry, list, hide, accessor, evaluate: eval,
    object: methods(Object), array: methods(Array), string: methods(String), number: methods(Number), date: methods(Date),
    boolean: methods(Boolean), map: methods(Map), weakMap: methods(WeakMap), regExp: methods(RegExp), error: methods(Error),
    callable: methods(Function), toObject: Object, hasOwn: Object.hasOwn, freeze: Object.freeze,
    isArray: Array.isArray, fromCharCode: String.fromCharCode, abs: Math.abs, floor: Math.floor, parseInteger: parseInt,
    asText: String, asNumber: Number, NativeDate: Date, NativeError: Error, NativeReferenceError: ReferenceError,
    NativeProxy: Proxy, NativeRegExp: RegExp, toPrimitive: Symbol.toPrimitive,
    isA: (native, value) => isPrototypeOf(native.prototype, value),
  };
})
