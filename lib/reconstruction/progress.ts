// Turns what single slices report into the progress of the whole reconstruction.
import type { Stage } from './method.js';
import type { ReconstructionProgress } from './options.js';

const INTERVAL_MS = 50;

/** Share of a slice's time before a stage begins, and the share it takes: rough, for the bar only. */
const SHARES: Readonly<Record<Stage, readonly [before: number, share: number]>> = {
  reading: [0, 0.05],
  calibrating: [0.05, 0.15],
  reconstructing: [0.2, 0.8],
  adapting: [0.2, 0.7],
  measuring: [1, 0],
};

export class ProgressTracker {
  readonly #total: number;
  readonly #device: string;
  readonly #listener: ((progress: ReconstructionProgress) => void) | undefined;
  readonly #started = performance.now();
  readonly #fractions = new Map<number, number>();
  #done = 0;
  #last = 0;

  constructor(total: number, device: string, listener: ((progress: ReconstructionProgress) => void) | undefined) {
    this.#total = total;
    this.#device = device;
    this.#listener = listener;
  }

  /** Slice `slice` is at `fraction` of `stage`. Heard at most 20 times a second. */
  report(slice: number, stage: Stage, fraction: number, stageEta?: number): void {
    const [before, share] = SHARES[stage];
    this.#fractions.set(slice, Math.max(this.#fractions.get(slice) ?? 0, before + share * fraction));
    const now = performance.now();
    if (now - this.#last < INTERVAL_MS) return;
    this.#last = now;
    this.#tell(slice, stage, stageEta);
  }

  /** Slice `slice` is finished; always heard. */
  finish(slice: number): void {
    this.#done += 1;
    this.#fractions.set(slice, 1);
    this.#tell(slice, 'reconstructing');
  }

  #tell(slice: number, stage: Stage, stageEta?: number): void {
    if (!this.#listener) return;
    let sum = 0;
    for (const fraction of this.#fractions.values()) sum += fraction;
    const fraction = Math.min(1, sum / this.#total);
    const seconds = (performance.now() - this.#started) / 1000;
    const eta = this.#done > 0 || fraction > 0.05 ? (seconds * (1 - fraction)) / fraction : undefined;
    this.#listener({
      stage,
      slice,
      done: this.#done,
      total: this.#total,
      fraction,
      eta,
      stageEta,
      device: this.#device,
    });
  }
}
