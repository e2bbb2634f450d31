// Training sessions for data of several sizes, all of one set of weights.

import type { TrainingSession } from './session.js';
import type { SliceShape } from './sources.js';

/** Sessions open at once: each holds its data and, while it runs, its activations. */
const MOST = 8;

/** One session per size of slices, opened when first asked for; beyond a few, the one longest unused is closed. */
export class SessionPool implements AsyncDisposable {
  readonly #open: (shape: SliceShape) => Promise<TrainingSession>;
  readonly #most: number;
  /** In the order of their last use. */
  readonly #sessions = new Map<string, TrainingSession>();

  constructor(open: (shape: SliceShape) => Promise<TrainingSession>, most = MOST) {
    this.#open = open;
    this.#most = most;
  }

  /** The session for slices of this shape; valid until the next call. Throws as `open`. */
  async get(shape: SliceShape): Promise<TrainingSession> {
    const key = String(shape);
    let session = this.#sessions.get(key);
    if (session) this.#sessions.delete(key);
    else {
      if (this.#sessions.size >= this.#most) {
        const [[oldest, unused]] = this.#sessions;
        this.#sessions.delete(oldest);
        await unused.close();
      }
      session = await this.#open(shape);
    }
    this.#sessions.set(key, session);
    return session;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const session of this.#sessions.values()) await session.close();
    this.#sessions.clear();
  }
}
