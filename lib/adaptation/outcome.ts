// What adaptation reports of a slice.

/**
 * `adapted`: the held-out loss fell and the run ended by its own rule or at the iteration cap. `not-needed`: no weights beat
 * the starting ones beyond chance, which were kept. `stopped-early`: the time budget ended the run before its rule did.
 * `diverged`: a loss left the finite numbers; the best weights before that were kept.
 */
export type Verdict = 'adapted' | 'not-needed' | 'stopped-early' | 'diverged';

/** Why the iterations ended: the stopping rule, the iteration limit, the time budget, or numbers that left the finite ones. */
export type StopReason = 'rule' | 'iterations' | 'time' | 'diverged';

/** What adaptation did to the network of one slice. */
export interface AdaptationOutcome {
  readonly verdict: Verdict;
  /** Training steps made. */
  readonly iterations: number;
  /** Steps after which the weights that were kept had been reached; 0 means the starting weights. */
  readonly bestIteration: number;
  readonly stop: StopReason;
  /** Held-out loss of the starting weights, of the weights kept, and of the last weights reached. */
  readonly validation: { readonly first: number; readonly best: number; readonly last: number };
  readonly curve: readonly { readonly iteration: number; readonly training: number; readonly heldOut: number }[];
  readonly seconds: number;
  /** Of a step after the first, which also prepares, with its share of evaluations. */
  readonly secondsPerStep: number;
  /** After the first step: the seconds that all of them would take at most. */
  readonly estimatedSeconds: number;
}

export function verdictOf(stop: StopReason, bestIteration: number): Verdict {
  if (stop === 'diverged') return 'diverged';
  if (stop === 'time') return 'stopped-early';
  return bestIteration === 0 ? 'not-needed' : 'adapted';
}
