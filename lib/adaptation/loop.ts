// The iteration of test-time training: train, watch the held-out loss, stop, keep the right weights, say what happened.
// Takes functions, so it knows nothing of networks or k-space.
import { LarmorError } from '../errors.js';
import type { AdaptationSettings } from './options.js';

/** Losses of some weights: of the samples that train, and of those that judge. */
export interface JudgedLosses {
  readonly loss: number;
  readonly heldOutLoss: number;
}

/** What the loop drives. `State` is a copy of the weights. */
export interface Adaptable<State> {
  /** One training step; losses are those of the weights before its update. */
  step(): Promise<{ readonly loss: number; readonly heldOutLoss?: number }>;
  /** Losses of the present weights, without an update. */
  evaluate(): Promise<JudgedLosses>;
  /** Whether steps tell the held-out loss. Where they do not, the weights are evaluated every `interval` steps. */
  readonly stepsJudge: boolean;
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
 * Losses: any scale; smaller is better. Cost: one `evaluate` beside the steps (or one every `interval` steps where these do not judge), and a copy of the weights whenever an
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
  const best = { iteration: 0, heldOut: Number.POSITIVE_INFINITY, state: adaptable.save() };
  let stop: StopReason = 'iterations';
  let iterations = 0;

  /** Notes the losses of the weights reached after so many iterations; `state` when they are to be compared with the best. */
  const record = ({ loss, heldOutLoss }: JudgedLosses, state: State | undefined): void => {
    curve.push({ iteration: iterations, training: loss, heldOut: heldOutLoss });
    if (iterations === 0) best.heldOut = heldOutLoss;
    else if (state !== undefined && heldOutLoss < best.heldOut)
      Object.assign(best, { iteration: iterations, heldOut: heldOutLoss, state });
  };

  for (;;) {
    signal?.throwIfAborted();
    const due = iterations % settings.interval === 0;
    const before = due && settings.keep === 'best' ? adaptable.save() : undefined;
    const judged = due && !adaptable.stepsJudge ? await adaptable.evaluate() : undefined;
    const losses = await stepOrDiverge(adaptable);
    const heldOutLoss = losses?.heldOutLoss ?? judged?.heldOutLoss;
    if (losses === undefined || !areFinite({ ...losses, heldOutLoss })) {
      stop = 'diverged';
      break;
    }
    if (heldOutLoss !== undefined) record({ loss: losses.loss, heldOutLoss }, before);
    iterations += 1;
    onStep?.(iterations, settings.maxIterations);
    if (ruleSaysStop(settings, adaptable.stepsJudge, curve, iterations - 1 - best.iteration)) {
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
    if (areFinite(last)) record(last, adaptable.save());
    else stop = 'diverged';
  }
  const keepLast = settings.keep === 'last' && stop !== 'diverged';
  if (keepLast) best.iteration = iterations;
  else adaptable.restore(best.state);

  const first = curve[0].heldOut;
  const last = curve[curve.length - 1].heldOut;
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

/** Whether the losses known are finite numbers. */
function areFinite({
  loss,
  heldOutLoss,
}: {
  readonly loss: number;
  readonly heldOutLoss?: number | undefined;
}): boolean {
  return Number.isFinite(loss) && (heldOutLoss === undefined || Number.isFinite(heldOutLoss));
}

/** One step; undefined where training itself reports divergence. */
async function stepOrDiverge<State>(
  adaptable: Adaptable<State>,
): Promise<Awaited<ReturnType<Adaptable<State>['step']>> | undefined> {
  try {
    return await adaptable.step();
  } catch (error) {
    if (error instanceof LarmorError && error.code === 'ERR_DIVERGED') return undefined;
    throw error;
  }
}

/** A window of the rule counts iterations; where only every `interval`-th is judged it holds fewer losses. */
function ruleSaysStop(
  { stop, interval }: Pick<AdaptationSettings, 'stop' | 'interval'>,
  stepsJudge: boolean,
  curve: AdaptationOutcome['curve'],
  sinceBest: number,
): boolean {
  if (stop.rule === 'patience') return sinceBest >= stop.patience;
  const window = stepsJudge ? stop.window : Math.ceil(stop.window / interval);
  return windowRuleSaysStop(
    curve.map(({ heldOut }) => heldOut),
    window,
  );
}

function verdictOf(stop: StopReason, bestIteration: number): Verdict {
  if (stop === 'diverged') return 'diverged';
  if (stop === 'time') return 'stopped-early';
  return bestIteration === 0 ? 'not-needed' : 'adapted';
}
