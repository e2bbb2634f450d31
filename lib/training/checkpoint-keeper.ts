// When a training run is saved, and which step its newest checkpoint holds.
import { type Checkpoint, loadCheckpoint, saveCheckpoint } from './checkpoint.js';
import type { CheckpointOptions } from './plan.js';

/** Between checkpoints, where no number of steps is given. */
const CHECKPOINT_SECONDS = 60;

/** The checkpoint file of one run; without options nothing is ever due, saved or loaded. */
export class CheckpointKeeper {
  readonly #options: CheckpointOptions | undefined;
  #step: number | undefined;
  /** When the newest was written, or the run began. */
  #savedAt = performance.now();

  constructor(options: CheckpointOptions | undefined) {
    this.#options = options;
  }

  /** Step of the newest checkpoint. */
  get step(): number | undefined {
    return this.#step;
  }

  isDue(step: number): boolean {
    if (!this.#options) return false;
    const { every } = this.#options;
    if (every === undefined) return performance.now() - this.#savedAt >= 1000 * CHECKPOINT_SECONDS;
    return every > 0 && step % every === 0;
  }

  /** Throws as `saveCheckpoint`; the checkpoint before then stays. */
  async save(checkpoint: Omit<Checkpoint, 'run'>): Promise<void> {
    if (!this.#options) return;
    const { path, run } = this.#options;
    await saveCheckpoint(path, { run, ...checkpoint });
    this.#step = checkpoint.state.steps;
    this.#savedAt = performance.now();
  }

  /** What to go on from, where the options ask for that. Throws as `loadCheckpoint`. */
  async load(): Promise<Checkpoint | undefined> {
    if (!this.#options?.resume) return undefined;
    const checkpoint = await loadCheckpoint(this.#options.path, this.#options.run);
    this.#step = checkpoint.state.steps;
    return checkpoint;
  }

  /** A sentence for people; empty where there is no checkpoint. */
  get kept(): string {
    if (!this.#options || this.#step === undefined) return '';
    return `The checkpoint of step ${this.#step} is kept in ${this.#options.path}.`;
  }
}
