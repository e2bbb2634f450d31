// The iteration of test-time training: train, watch the held-out loss, stop, keep the right weights, say what happened.
// Takes functions, so it knows nothing of networks or k-space.
import { LarmorError } from '../errors.js';
import type { AdaptationSettings } from './options.js';

/** What one training step reports; both losses belong to the weights before the step's update. */
export interface StepLosses {
  readonly loss: number;
  readonly heldOutLoss: number;
}

/** What the loop drives. `State` is a copy of the weights. */
export interface Adaptable<State> {
  step(): Promise<StepLosses>;
  /** Losses of the present weights, without an update. */
  evaluate(): Promise<StepLosses>;
  save(): State;
  restore(state: State): void;
}

/**
 * `adapted`: the held-out loss fell and the run ended by its own rule or at the iteration cap. `not-needed`: no weights beat
 * the starting ones, which were kept. `stopped-early`: the time budget ended the run before its rule did.
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
}

export interface LoopOptions {
  signal?: AbortSignal | undefined;
  /** After every step: steps made, of at most how many. */
  onStep?: ((iteration: number, maxIterations: number) => void) | undefined;
  /** Milliseconds; for tests. */
  now?: (() => number) | undefined;
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** True once the window rule of the paper says stop, given the held-out losses recorded so far. */
export function windowRuleSaysStop(heldOut: readonly number[], window: number): boolean {
  if (heldOut.length <= 3 * window) return false;
  return mean(heldOut.slice(-window)) > mean(heldOut.slice(-2 * window, -window));
}

/**
 * Runs test-time training until its rule, its iteration cap or its time budget ends it, and leaves the chosen weights in
 * `adaptable`. With `keep: 'best'` they are never worse than the starting weights by the held-out loss.
 *
 * Losses: any scale; smaller is better. Cost: one `evaluate` beside the steps, and a copy of the weights whenever an
 * interval brings a better held-out loss.
 *
 * @throws signal.reason when aborted; LarmorError `ERR_DIVERGED` when the starting weights already give no finite loss.
 * @see Darestani, Liu, Heckel, Test-time training can close the natural distribution shift performance gap, ICML 2022.
 */
export async function runAdaptation<State>(
  adaptable: Adaptable<State>,
  settings: Pick<AdaptationSettings, 'maxIterations' | 'timeBudget' | 'stop' | 'keep' | 'interval'>,
  { signal, onStep, now = () => performance.now() }: LoopOptions = {},
): Promise<AdaptationOutcome> {
  const started = now();
  const elapsed = (): number => (now() - started) / 1000;
  const curve: { iteration: number; training: number; heldOut: number }[] = [];
  const heldOutLosses: number[] = [];
  const best = { iteration: 0, heldOut: Number.POSITIVE_INFINITY, state: adaptable.save() };
  let stop: StopReason = 'iterations';
  let iterations = 0;

  /** Notes the losses of the weights reached after `iteration` steps. */
  const record = (iteration: number, { loss, heldOutLoss }: StepLosses): boolean => {
    if (!Number.isFinite(loss) || !Number.isFinite(heldOutLoss)) return false;
    curve.push({ iteration, training: loss, heldOut: heldOutLoss });
    heldOutLosses.push(heldOutLoss);
    return true;
  };
  const isBetter = ({ heldOutLoss }: StepLosses): boolean => heldOutLoss < best.heldOut;

  for (;;) {
    signal?.throwIfAborted();
    const due = iterations > 0 && iterations % settings.interval === 0;
    const before = due && settings.keep === 'best' ? adaptable.save() : undefined;
    const losses = await stepOrDiverge(adaptable);
    if (losses === undefined || !record(iterations, losses)) {
      stop = 'diverged';
      break;
    }
    if (iterations === 0) best.heldOut = losses.heldOutLoss;
    else if (before !== undefined && isBetter(losses))
      Object.assign(best, { iteration: iterations, heldOut: losses.heldOutLoss, state: before });
    iterations += 1;
    onStep?.(iterations, settings.maxIterations);
    if (ruleSaysStop(settings.stop, heldOutLosses, iterations - 1 - best.iteration)) {
      stop = 'rule';
      break;
    }
    if (iterations >= settings.maxIterations) break;
    if (settings.timeBudget !== undefined && elapsed() >= settings.timeBudget) {
      stop = 'time';
      break;
    }
  }

  if (curve.length === 0)
    throw new LarmorError(
      'ERR_DIVERGED',
      'adaptation: the starting weights give no finite loss on this slice; check the model and the scale of the data',
    );
  if (stop !== 'diverged') {
    const last = await adaptable.evaluate();
    if (!record(iterations, last)) stop = 'diverged';
    else if (isBetter(last))
      Object.assign(best, { iteration: iterations, heldOut: last.heldOutLoss, state: adaptable.save() });
  }
  const keepLast = settings.keep === 'last' && stop !== 'diverged';
  if (keepLast) best.iteration = iterations;
  else adaptable.restore(best.state);

  const first = heldOutLosses[0];
  const last = heldOutLosses[heldOutLosses.length - 1];
  return {
    verdict: verdictOf(stop, best.iteration),
    iterations,
    bestIteration: best.iteration,
    stop,
    validation: { first, best: keepLast ? last : best.heldOut, last },
    curve,
    seconds: elapsed(),
  };
}

/** One step; undefined where training itself reports divergence. */
async function stepOrDiverge<State>(adaptable: Adaptable<State>): Promise<StepLosses | undefined> {
  try {
    return await adaptable.step();
  } catch (error) {
    if (error instanceof LarmorError && error.code === 'ERR_DIVERGED') return undefined;
    throw error;
  }
}

function ruleSaysStop(stop: AdaptationSettings['stop'], heldOut: readonly number[], sinceBest: number): boolean {
  return stop.rule === 'window' ? windowRuleSaysStop(heldOut, stop.window) : sinceBest >= stop.patience;
}

function verdictOf(stop: StopReason, bestIteration: number): Verdict {
  if (stop === 'diverged') return 'diverged';
  if (stop === 'time') return 'stopped-early';
  return bestIteration === 0 ? 'not-needed' : 'adapted';
}
