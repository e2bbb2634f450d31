// What Python's pickles become here: plain data. Numbers, strings, null, Uint8Array, arrays (lists), Map, Set, and the classes below.

/** A tuple. */
export class PickleTuple {
  constructor(readonly items: readonly unknown[]) {}
}

/** A class or function that a pickle names. Nothing is imported; it is only a name. */
export class PickleGlobal {
  constructor(readonly name: string) {}
}

/** An instance of a class that larmor knows nothing of: what the pickle says of it, and no behaviour. */
export class PickleInstance {
  readonly list: unknown[] = [];
  readonly items = new Map<unknown, unknown>();
  state: unknown;

  constructor(readonly className: string) {}
}

/** What kind of value this is, for messages. */
export function describeValue(value: unknown): string {
  if (value === null) return 'None';
  if (value instanceof PickleTuple) return 'a tuple';
  if (value instanceof PickleGlobal) return `the Python object ${value.name}`;
  if (value instanceof PickleInstance) return `an instance of ${value.className}`;
  if (value instanceof Map) return 'a dict';
  if (value instanceof Set) return 'a set';
  if (value instanceof Uint8Array) return 'bytes';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? value.constructor.name : `a ${typeof value}`;
}
