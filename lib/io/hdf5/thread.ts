// The event loop's end of an HDF5 worker thread: requests out, answers in, aborts at once.
import { Worker } from 'node:worker_threads';
import { LarmorError } from '../../errors.js';
import type { Hdf5Operations, Operation, Reply, Request } from './protocol.js';

interface Waiting {
  resolve(result: never): void;
  reject(error: unknown): void;
}

/** A worker thread with the HDF5 library. It starts in 0.2 s and does not keep the process alive when idle. */
export class Hdf5Thread {
  readonly #worker = new Worker(new URL('./worker.js', import.meta.url), {
    execArgv: [], // flags such as --input-type, meant for the program's own entry, would break this one
  });
  readonly #waiting = new Map<number, Waiting>();
  #requests = 0;
  #ended: LarmorError | undefined;

  constructor() {
    this.#worker.unref();
    this.#worker.on('message', (reply: Reply) => this.#settle(reply));
    this.#worker.on('error', (error) => this.#end('ERR_INTERNAL', `the HDF5 thread failed: ${error.message}`));
    this.#worker.on('exit', () => this.#end('ERR_CLOSED', 'the file is closed'));
  }

  /** Asks for one operation. An abort rejects at once with `signal.reason`; the answer is then dropped. */
  async call<K extends Operation>(
    signal: AbortSignal | undefined,
    operation: K,
    ...args: Parameters<Hdf5Operations[K]>
  ): Promise<ReturnType<Hdf5Operations[K]>> {
    signal?.throwIfAborted();
    if (this.#ended) throw this.#ended;
    this.#requests += 1;
    const id = this.#requests;
    let cancel: (() => void) | undefined;
    try {
      return await new Promise((resolve, reject) => {
        this.#waiting.set(id, { resolve, reject });
        cancel = () => reject(signal?.reason);
        signal?.addEventListener('abort', cancel, { once: true });
        this.#worker.ref();
        this.#worker.postMessage({ id, operation, args } satisfies Request);
      });
    } finally {
      if (cancel) signal?.removeEventListener('abort', cancel);
      this.#waiting.delete(id);
      if (this.#waiting.size === 0) this.#worker.unref();
    }
  }

  /** Ends the thread, whatever it is doing. Requests not yet answered reject with ERR_CLOSED. */
  async terminate(): Promise<void> {
    await this.#worker.terminate();
  }

  #settle({ id, result, error }: Reply): void {
    const waiting = this.#waiting.get(id);
    if (error) waiting?.reject(new LarmorError(error.code, error.message));
    else waiting?.resolve(result as never);
  }

  #end(code: 'ERR_INTERNAL' | 'ERR_CLOSED', message: string): void {
    this.#ended ??= new LarmorError(code, message);
    for (const { reject } of this.#waiting.values()) reject(this.#ended);
  }
}
