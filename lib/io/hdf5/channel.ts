// One open HDF5 file on a worker thread of its own; one thread is kept for the next file.
import { LarmorError } from '../../errors.js';
import type { Hdf5Operations, Operation } from './protocol.js';
import { Hdf5Thread } from './thread.js';

/** A thread whose library holds more than this is not kept: its memory never shrinks. */
const MAX_SPARE_BYTES = 64 * 2 ** 20;

let spare: Hdf5Thread | undefined;

function takeThread(): Hdf5Thread {
  const thread = spare ?? new Hdf5Thread();
  spare = undefined;
  return thread;
}

/**
 * The operations on one file; errors name it. Files do not share threads: they are read side by side, and a corrupt one,
 * which may leave the library unusable, takes its thread with it.
 */
export class Hdf5Channel {
  readonly #thread = takeThread();
  #open = true;
  #reusable = true;
  #running = 0;

  constructor(readonly path: string) {}

  /** Asks for one operation. @throws LarmorError `ERR_CLOSED` after `close`; as the operation; `signal.reason`. */
  async call<K extends Operation>(
    signal: AbortSignal | undefined,
    operation: K,
    ...args: Parameters<Hdf5Operations[K]>
  ): Promise<ReturnType<Hdf5Operations[K]>> {
    this.#running += 1;
    try {
      if (!this.#open) throw new LarmorError('ERR_CLOSED', 'the file is closed');
      return await this.#thread.call(signal, operation, ...args);
    } catch (error) {
      this.#reusable = false;
      if (error instanceof LarmorError) throw new LarmorError(error.code, `${this.path}: ${error.message}`);
      throw error;
    } finally {
      this.#running -= 1;
    }
  }

  /** Closes the file. Whatever is still running or went wrong ends with its thread. */
  async close(): Promise<void> {
    if (!this.#open) return;
    this.#open = false;
    const idle = this.#running === 0;
    const bytes = idle && this.#reusable ? await this.#thread.call(undefined, 'close').catch(() => Infinity) : Infinity;
    if (bytes <= MAX_SPARE_BYTES && !spare) spare = this.#thread;
    else await this.#thread.terminate();
  }
}
