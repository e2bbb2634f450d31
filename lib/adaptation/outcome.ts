// What adaptation reports of a slice.

/** Losses of some weights: of the samples that train, and of those that judge. */
export interface JudgedLosses {
  readonly loss: number;
  readonly heldOutLoss: number;
}

/**
 * `adapted`: the held-out loss fell and the run ended by its own rule or at the iteration cap. `not-needed`: no weights beat
 * the starting ones beyond chance, which were kept, or there is nothing to adapt to: every sample was measured. `stopped-early`:
 * the time budget ended the run before its rule did. `diverged`: a loss left the finite numbers; the best weights before that were kept.
 */
export type Verdict = 'adapted' | 'not-needed' | 'stopped-early' | 'diverged';

/**
 * Why the iterations ended: the stopping rule, the iteration limit, the time budget, or numbers that left the finite ones.
 * `fully-sampled`: there were none, as every sample was measured.
 */
export type StopReason = 'rule' | 'iterations' | 'time' | 'diverged' | 'fully-sampled';

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

/** Of a slice whose every sample was measured. */
export function notAdapted({ loss, heldOutLoss }: JudgedLosses, seconds: number): AdaptationOutcome {
  return {
    verdict: 'not-needed',
    iterations: 0,
    bestIteration: 0,
    stop: 'fully-sampled',
    validation: { first: heldOutLoss, best: heldOutLoss, last: heldOutLoss },
    curve: [{ iteration: 0, training: loss, heldOut: heldOutLoss }],
    seconds,
    secondsPerStep: 0,
    estimatedSeconds: 0,
  };
}

export function verdictOf(stop: StopReason, bestIteration: number): Verdict {
  if (stop === 'diverged') return 'diverged';
  if (stop === 'time') return 'stopped-early';
  return bestIteration === 0 ? 'not-needed' : 'adapted';
}
