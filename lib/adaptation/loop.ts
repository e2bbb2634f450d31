// The iteration of test-time training: train, watch the held-out loss, stop, keep the right weights, say what happened.
// Takes functions, so it knows nothing of networks or k-space.
import { LarmorError } from '../errors.js';
import type { AdaptationSettings } from './options.js';
import { type AdaptationOutcome, type JudgedLosses, type StopReason, verdictOf } from './outcome.js';
import { improvement, ruleSaysStop } from './rules.js';
import { StepClock } from './step-clock.js';

/**
 * What the loop drives. Judged weights are those in training or what is made of them, as a running average; `State` is a copy of them.
 */
export interface Adaptable<State> {
  /** One training step; losses are those of the weights in training before its update. */
  step(): Promise<{ readonly loss: number; readonly heldOutLoss?: number }>;
  /** Losses of the judged weights, without an update. */
  evaluate(): Promise<JudgedLosses>;
  /** Whether steps tell the held-out loss of the judged weights. Where they do not, these are evaluated every `interval` steps. */
  readonly stepsJudge: boolean;
  /** Misfit of every held-out sample with these weights. */
  misfits(state: State): Promise<ArrayLike<number>>;
  save(): State | Promise<State>;
  /** Ends with these weights. */
  restore(state: State): void;
}

export interface LoopOptions {
  signal?: AbortSignal | undefined;
  /** After every step: steps made, of at most how many, and the seconds that the others take at most. */
  onStep?: ((iteration: number, maxIterations: number, secondsLeft: number) => void) | undefined;
  /** Milliseconds; for tests. */
  now?: (() => number) | undefined;
}

/** What the loop needs of the settings. */
type LoopSettings = Pick<
  AdaptationSettings,
  'maxIterations' | 'timeBudget' | 'stop' | 'keep' | 'interval' | 'notNeeded' | 'warmUp'
>;

/**
 * Runs test-time training until its rule, its iteration cap or its time budget ends it, and leaves the chosen weights in
 * `adaptable`. With `keep: 'best'` they are never worse than the starting weights by the held-out loss, and where `notNeeded` is on better
 * beyond chance or the starting ones.
 *
 * Losses: any scale; smaller is better. Cost: one `evaluate` beside the steps (or one every `interval` steps where these do not judge), up
 * to three `misfits`, and a copy of the weights whenever an interval brings a better held-out loss.
 *
 * @throws signal.reason when aborted; LarmorError `ERR_DIVERGED` when the starting weights already give no finite loss.
 * @see Darestani, Liu, Heckel, Test-time training can close the natural distribution shift performance gap, ICML 2022.
 */
export async function runAdaptation<State>(
  adaptable: Adaptable<State>,
  settings: LoopSettings,
  { signal, onStep, now = () => performance.now() }: LoopOptions = {},
): Promise<AdaptationOutcome> {
  const clock = new StepClock(settings, now);
  const curve: { iteration: number; training: number; heldOut: number }[] = [];
  const start = await adaptable.save();
  const best = { iteration: 0, heldOut: Number.POSITIVE_INFINITY, state: start };
  const doubts = settings.keep === 'best' && settings.notNeeded.after > 0;
  const startMisfits = doubts ? await adaptable.misfits(start) : [];
  let stop: StopReason = 'iterations';
  let iterations = 0;

  /** Notes the losses of the weights reached after so many iterations; `state` when they are to be compared with the best. */
  const record = ({ loss, heldOutLoss }: JudgedLosses, state: State | undefined): void => {
    curve.push({ iteration: iterations, training: loss, heldOut: heldOutLoss });
    if (iterations === 0) best.heldOut = heldOutLoss;
    else if (state !== undefined && heldOutLoss < best.heldOut)
      Object.assign(best, { iteration: iterations, heldOut: heldOutLoss, state });
  };
  /** Whether the best weights beat the starting ones beyond chance. */
  const bestIsBetter = async (): Promise<boolean> =>
    best.iteration > 0 &&
    improvement(startMisfits, await adaptable.misfits(best.state)) > settings.notNeeded.standardErrors;
  /** The first iteration from `notNeeded.after` on at which weights are compared. */
  const verdictAt = Math.ceil((settings.warmUp + settings.notNeeded.after) / settings.interval) * settings.interval;
  const isHopeless = async (): Promise<boolean> => doubts && iterations - 1 === verdictAt && !(await bestIsBetter());

  for (;;) {
    signal?.throwIfAborted();
    const due = iterations % settings.interval === 0;
    const before = due && settings.keep === 'best' ? await adaptable.save() : undefined;
    const judged = due && !adaptable.stepsJudge ? await adaptable.evaluate() : undefined;
    const losses = await stepOrDiverge(adaptable);
    const heldOutLoss = losses?.heldOutLoss ?? judged?.heldOutLoss;
    if (losses === undefined || !areFinite({ ...losses, heldOutLoss })) {
      stop = 'diverged';
      break;
    }
    if (heldOutLoss !== undefined) record({ loss: losses.loss, heldOutLoss }, before);
    iterations += 1;
    clock.stepped();
    onStep?.(iterations, settings.maxIterations, clock.secondsLeft);
    const heldOut = curve.map((point) => point.heldOut);
    const ruled = ruleSaysStop(settings, heldOut, iterations - 1 - best.iteration, adaptable.stepsJudge);
    if (ruled || (await isHopeless())) {
      stop = 'rule';
      break;
    }
    if (iterations >= settings.maxIterations) break;
    if (clock.isSpent) {
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
    if (areFinite(last)) record(last, await adaptable.save());
    else stop = 'diverged';
  }
  const keepLast = settings.keep === 'last' && stop !== 'diverged';
  const [{ heldOut: first }] = curve;
  if (keepLast) Object.assign(best, { iteration: iterations, state: await adaptable.save() });
  else if (doubts && !(await bestIsBetter())) Object.assign(best, { iteration: 0, heldOut: first, state: start });
  adaptable.restore(best.state);

  const last = curve[curve.length - 1].heldOut;
  return {
    verdict: verdictOf(stop, best.iteration),
    iterations,
    bestIteration: best.iteration,
    stop,
    validation: { first, best: keepLast ? last : best.heldOut, last },
    curve,
    ...clock.times(),
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
