// The time that steps take, and what follows for those to come.
import type { AdaptationOutcome } from './outcome.js';

/** Measures steps as they are made. Seconds throughout. */
export class StepClock {
  readonly #now: () => number;
  readonly #started: number;
  readonly #maxSteps: number;
  readonly #budget: number;
  #steps = 0;
  /** At the end of the first step and of the latest. */
  #first = 0;
  #latest = 0;
  #estimate = 0;

  /** @param now Milliseconds. */
  constructor(
    {
      maxIterations,
      timeBudget = Number.POSITIVE_INFINITY,
    }: { maxIterations: number; timeBudget?: number | undefined },
    now: () => number,
  ) {
    this.#now = now;
    this.#started = now();
    this.#maxSteps = maxIterations;
    this.#budget = timeBudget;
  }

  /** Notes that a step has ended. */
  stepped(): void {
    this.#steps += 1;
    this.#latest = this.#elapsed();
    if (this.#steps > 1) return;
    this.#first = this.#latest;
    this.#estimate = this.#latest + this.secondsLeft;
  }

  /** Mean of the steps after the first, which prepares; of the first while there is no other. */
  get secondsPerStep(): number {
    return this.#steps > 1 ? (this.#latest - this.#first) / (this.#steps - 1) : this.#first;
  }

  /** What the steps to come take at most. */
  get secondsLeft(): number {
    const steps = (this.#maxSteps - this.#steps) * this.secondsPerStep;
    return Math.max(0, Math.min(steps, this.#budget - this.#latest));
  }

  /** Whether a further step would exceed the budget. */
  get isSpent(): boolean {
    return this.#latest + this.secondsPerStep > this.#budget;
  }

  times(): Pick<AdaptationOutcome, 'seconds' | 'secondsPerStep' | 'estimatedSeconds'> {
    return { seconds: this.#elapsed(), secondsPerStep: this.secondsPerStep, estimatedSeconds: this.#estimate };
  }

  #elapsed(): number {
    return (this.#now() - this.#started) / 1000;
  }
}
