// Makes the next items of a sequence while the present one is in use.

/**
 * Items of a sequence, made one after another and so many ahead of their use: memory holds `ahead` items beside the one handed out. An item
 * that cannot be made fails when its turn comes, not before.
 */
export class Prefetch<T> implements AsyncDisposable {
  readonly #make: (signal: AbortSignal) => Promise<T>;
  readonly #ahead: number;
  readonly #queue: Promise<T>[] = [];
  readonly #end = new AbortController();
  readonly #signal: AbortSignal;
  #last: Promise<unknown> = Promise.resolve();

  /**
   * @param make Makes the next item of the sequence; called again only once it has settled. Its signal aborts with `signal`, and when nobody
   *   waits any more.
   */
  constructor(make: (signal: AbortSignal) => Promise<T>, ahead: number, signal?: AbortSignal) {
    this.#make = make;
    this.#signal = signal ? AbortSignal.any([signal, this.#end.signal]) : this.#end.signal;
    this.#ahead = ahead;
  }

  /** The next item. Rejects as its `make` did. */
  next(): Promise<T> {
    this.#fill(1);
    const item = this.#queue.shift() as Promise<T>;
    // What comes after it starts once it is there: the caller waits for this one.
    this.#fill(this.#ahead);
    return item;
  }

  /** Stops what is being made and waits for its end. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#end.abort();
    await this.#last;
  }

  #fill(length: number): void {
    while (this.#queue.length < length) {
      const item = this.#last.then(() => {
        this.#signal.throwIfAborted();
        return this.#make(this.#signal);
      });
      this.#queue.push(item);
      // Also marks the rejection as seen: it is thrown when the item's turn comes, or never.
      this.#last = item.catch(() => undefined);
    }
  }
}
