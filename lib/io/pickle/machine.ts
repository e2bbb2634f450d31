// A pickle machine (protocols 2 to 5) that builds plain data and calls nothing but the constructors it is given.
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { LarmorError } from '../../errors.js';
import { PickleCursor } from './cursor.js';
import { describeValue, PickleGlobal, PickleInstance, PickleTuple } from './values.js';

/** What a reader of pickles allows. */
export interface PickleRules {
  /** By full name: what stands for a call of a Python class or function. Calls of any other are refused. */
  readonly constructors: Readonly<Record<string, (args: readonly unknown[]) => unknown>>;
  /** The object of a persistent id. */
  readonly persistent: (id: unknown) => unknown;
}

/** Far beyond any checkpoint (about 40 a tensor), and little enough that hostile ones stay below a gigabyte. */
const MAX_OPERATIONS = 2_000_000;
const TURN = 50_000; // operations between turns of the event loop: some milliseconds
const NEWEST_PROTOCOL = 5;

/**
 * The value that a pickle describes.
 *
 * @param who Names the file in messages.
 * @throws LarmorError `ERR_FILE_FORMAT` for a broken pickle, an opcode or a size beyond the limits, and for a call that is not among
 *   the constructors, by its name.
 */
export async function unpickle(bytes: Uint8Array, rules: PickleRules, who: string): Promise<unknown> {
  const machine = new Machine(new PickleCursor(bytes, who), rules);
  for (let count = 1; machine.step(); count++) {
    if (count > MAX_OPERATIONS) throw machine.error(`more than ${MAX_OPERATIONS} operations`);
    if (count % TURN === 0) await nextTurn();
  }
  return machine.result;
}

class Machine {
  readonly cursor: PickleCursor;
  readonly #rules: PickleRules;
  readonly #stack: unknown[] = [];
  readonly #marks: number[] = [];
  readonly #memo = new Map<number, unknown>();
  result: unknown;

  constructor(cursor: PickleCursor, rules: PickleRules) {
    this.cursor = cursor;
    this.#rules = rules;
  }

  error(what: string): LarmorError {
    return this.cursor.error(what);
  }

  /** Executes one operation; false after the last one. */
  step(): boolean {
    const code = this.cursor.uint8();
    if (code === STOP) {
      this.result = this.pop();
      return false;
    }
    const operation = OPERATIONS.get(code);
    if (!operation) throw this.error(REFUSED.get(code) ?? `opcode 0x${code.toString(16)} is not of protocols 2 to 5`);
    operation(this);
    return true;
  }

  push(value: unknown): void {
    this.#stack.push(value);
  }

  pop(): unknown {
    if (this.#stack.length <= (this.#marks.at(-1) ?? 0)) throw this.error('the stack is empty');
    return this.#stack.pop();
  }

  peek(): unknown {
    const top = this.pop();
    this.push(top);
    return top;
  }

  mark(): void {
    this.#marks.push(this.#stack.length);
  }

  popMark(): unknown[] {
    const start = this.#marks.pop();
    if (start === undefined) throw this.error('a mark is missing');
    return this.#stack.splice(start);
  }

  remember(index = this.#memo.size): void {
    this.#memo.set(index, this.peek());
  }

  recall(index: number): void {
    if (!this.#memo.has(index)) throw this.error(`nothing is remembered as ${index}`);
    this.push(this.#memo.get(index));
  }

  append(items: readonly unknown[]): void {
    const target = this.peek();
    const list = target instanceof PickleInstance ? target.list : target;
    if (!Array.isArray(list)) throw this.error(`${describeValue(target)} is appended to`);
    for (const item of items) list.push(item);
  }

  setItems(pairs: readonly unknown[], target = this.peek()): void {
    const map = target instanceof PickleInstance ? target.items : target;
    if (!(map instanceof Map)) throw this.error(`${describeValue(target)} is given items`);
    if (pairs.length % 2 !== 0) throw this.error('a key has no value');
    for (let i = 0; i < pairs.length; i += 2) map.set(pairs[i], pairs[i + 1]);
  }

  addItems(items: readonly unknown[]): void {
    const target = this.peek();
    if (!(target instanceof Set)) throw this.error(`${describeValue(target)} is given members`);
    for (const item of items) target.add(item);
  }

  /** `callable(*args)`: only what the rules know. */
  call(): void {
    const args = this.#arguments(this.pop());
    const callable = this.pop();
    if (!(callable instanceof PickleGlobal)) throw this.error(`${describeValue(callable)} is called`);
    const { constructors } = this.#rules;
    if (!Object.hasOwn(constructors, callable.name))
      throw this.error(
        `it wants to call ${callable.name}, which larmor never does. If you trust the file, save its weights alone in PyTorch: ` +
          'torch.save(model.state_dict(), path)',
      );
    this.push(constructors[callable.name](args));
  }

  /** An instance without its constructor being called: a name that later operations fill. */
  instantiate(): void {
    this.#arguments(this.pop());
    const type = this.pop();
    if (!(type instanceof PickleGlobal)) throw this.error(`an instance of ${describeValue(type)}`);
    const { constructors } = this.#rules;
    this.push(Object.hasOwn(constructors, type.name) ? constructors[type.name]([]) : new PickleInstance(type.name));
  }

  /** State of an instance; that of known types (the attributes of a dict) carries no data. */
  setState(): void {
    const state = this.pop();
    const target = this.peek();
    if (target instanceof PickleInstance) target.state = state;
  }

  global(module: unknown, name: unknown): void {
    if (typeof module !== 'string' || typeof name !== 'string') throw this.error('a global without a name');
    this.push(new PickleGlobal(`${module}.${name}`));
  }

  persistent(): void {
    this.push(this.#rules.persistent(this.pop()));
  }

  #arguments(value: unknown): readonly unknown[] {
    if (!(value instanceof PickleTuple)) throw this.error(`arguments that are ${describeValue(value)}`);
    return value.items;
  }
}

const STOP = 0x2e;
const code = (letter: string): number => letter.charCodeAt(0);
const tuple = (machine: Machine, length: number): void => {
  const items = Array.from({ length }, () => machine.pop()).reverse();
  machine.push(new PickleTuple(items));
};

const OPERATIONS: ReadonlyMap<number, (machine: Machine) => void> = new Map([
  [
    0x80, // PROTO
    (m) => {
      const protocol = m.cursor.uint8();
      if (protocol < 2 || protocol > NEWEST_PROTOCOL) throw m.error(`protocol ${protocol}; known are 2 to 5`);
    },
  ],
  [0x95, (m) => void m.cursor.uint64()], // FRAME

  [code('N'), (m) => m.push(null)],
  [0x88, (m) => m.push(true)],
  [0x89, (m) => m.push(false)],
  [code('J'), (m) => m.push(m.cursor.int32())],
  [code('K'), (m) => m.push(m.cursor.uint8())],
  [code('M'), (m) => m.push(m.cursor.uint16())],
  [0x8a, (m) => m.push(m.cursor.long(m.cursor.uint8()))],
  [0x8b, (m) => m.push(m.cursor.long(m.cursor.uint32()))],
  [code('G'), (m) => m.push(m.cursor.float64())],
  [code('X'), (m) => m.push(m.cursor.text(m.cursor.uint32()))],
  [0x8c, (m) => m.push(m.cursor.text(m.cursor.uint8()))],
  [0x8d, (m) => m.push(m.cursor.text(m.cursor.uint64()))],
  [code('B'), (m) => m.push(m.cursor.bytes(m.cursor.uint32()))],
  [code('C'), (m) => m.push(m.cursor.bytes(m.cursor.uint8()))],
  [0x8e, (m) => m.push(m.cursor.bytes(m.cursor.uint64()))],
  [0x96, (m) => m.push(m.cursor.bytes(m.cursor.uint64()))], // BYTEARRAY8

  [code('('), (m) => m.mark()],
  [code('0'), (m) => void m.pop()],
  [code('1'), (m) => void m.popMark()],
  [code('2'), (m) => m.push(m.peek())],
  [code('h'), (m) => m.recall(m.cursor.uint8())],
  [code('j'), (m) => m.recall(m.cursor.uint32())],
  [code('q'), (m) => m.remember(m.cursor.uint8())],
  [code('r'), (m) => m.remember(m.cursor.uint32())],
  [0x94, (m) => m.remember()],

  [code(')'), (m) => m.push(new PickleTuple([]))],
  [code('t'), (m) => m.push(new PickleTuple(m.popMark()))],
  [0x85, (m) => tuple(m, 1)],
  [0x86, (m) => tuple(m, 2)],
  [0x87, (m) => tuple(m, 3)],
  [code(']'), (m) => m.push([])],
  [code('l'), (m) => m.push(m.popMark())],
  [code('a'), (m) => m.append([m.pop()])],
  [code('e'), (m) => m.append(m.popMark())],
  [code('}'), (m) => m.push(new Map())],
  [
    code('d'),
    (m) => {
      const items = new Map();
      m.setItems(m.popMark(), items);
      m.push(items);
    },
  ],
  [
    code('s'),
    (m) => {
      const [value, key] = [m.pop(), m.pop()];
      m.setItems([key, value]);
    },
  ],
  [code('u'), (m) => m.setItems(m.popMark())],
  [0x8f, (m) => m.push(new Set())],
  [0x90, (m) => m.addItems(m.popMark())],
  [0x91, (m) => m.push(new Set(m.popMark()))],

  [code('c'), (m) => m.global(m.cursor.line(), m.cursor.line())],
  [
    0x93, // STACK_GLOBAL
    (m) => {
      const [name, module] = [m.pop(), m.pop()];
      m.global(module, name);
    },
  ],
  [code('R'), (m) => m.call()],
  [0x81, (m) => m.instantiate()], // NEWOBJ
  [
    0x92, // NEWOBJ_EX
    (m) => {
      m.pop();
      m.instantiate();
    },
  ],
  [code('b'), (m) => m.setState()],
  [code('Q'), (m) => m.persistent()],
]);

const REFUSED: ReadonlyMap<number, string> = new Map([
  [code('i'), 'INST would call a class; larmor never does'],
  [code('o'), 'OBJ would call a class; larmor never does'],
  [0x82, 'EXT1 stands for an object that is not in the file'],
  [0x83, 'EXT2 stands for an object that is not in the file'],
  [0x84, 'EXT4 stands for an object that is not in the file'],
  [0x97, 'NEXT_BUFFER stands for data that are not in the file'],
]);
