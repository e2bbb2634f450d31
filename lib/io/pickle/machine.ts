// The state of a pickle machine, which calls nothing but the constructors it is given.
import type { LarmorError } from '../../errors.js';
import type { PickleCursor } from './cursor.js';
import { describeValue, PickleGlobal, PickleInstance, PickleTuple } from './values.js';

/** What a reader of pickles allows. */
export interface PickleRules {
  /** By full name: what stands for a call of a Python class or function. Calls of any other are refused. */
  readonly constructors: Readonly<Record<string, (args: readonly unknown[]) => unknown>>;
  /** The object of a persistent id. */
  readonly persistent: (id: unknown) => unknown;
}

/** Stack, marks and memo, and what operations do with them. */
export class PickleMachine {
  readonly cursor: PickleCursor;
  readonly #rules: PickleRules;
  readonly #stack: unknown[] = [];
  readonly #marks: number[] = [];
  readonly #memo = new Map<number, unknown>();

  constructor(cursor: PickleCursor, rules: PickleRules) {
    this.cursor = cursor;
    this.#rules = rules;
  }

  error(what: string): LarmorError {
    return this.cursor.error(what);
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
