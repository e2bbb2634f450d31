// What a training run that was stopped throws: what stopped it, what could not be saved after that, and the checkpoint to go on from.
import { LarmorError, toLarmorError } from '../errors.js';

/** How far a run came, and what was left of it. */
export interface Stopped {
  readonly steps: number;
  readonly aborted: boolean;
  /** What went wrong while the run was being saved after it had stopped. */
  readonly failures: readonly unknown[];
  /** Where to go on from: see `CheckpointKeeper.kept`. */
  readonly kept: string;
}

const messageOf = (error: unknown): string => toLarmorError(error).message;

const sentences = (...parts: readonly string[]): string =>
  parts
    .filter((part) => part !== '')
    .map((part) => (part.endsWith('.') ? part : `${part}.`))
    .join(' ');

/**
 * The error to throw after `error` stopped a run: of the same code, with the steps made, what could not be saved, and what is kept. One that
 * is not of ours, or the reason of an abort, is thrown as it is, unless something could not be saved: then an `AggregateError` of all, or
 * after an abort the failure itself, since whoever stopped the run relies on its checkpoint.
 */
export function stoppedError(error: unknown, { steps, aborted, failures, kept }: Stopped): unknown {
  // A checkpoint that could not be written may be what stopped the run.
  const others = failures.filter((failure) => messageOf(failure) !== messageOf(error));
  const unsaved = others.map((failure) => `It could not be saved: ${messageOf(failure)}`);
  const stoppedAfter = `training stopped after step ${steps}`;
  if (aborted) {
    if (others.length === 0) return error;
    return new LarmorError(toLarmorError(others[0]).code, sentences(stoppedAfter, ...unsaved, kept), {
      cause: others[0],
    });
  }
  if (!(error instanceof LarmorError))
    return others.length === 0
      ? error
      : new AggregateError([error, ...others], sentences(messageOf(error), ...unsaved, kept));
  const says = error.code === 'ERR_DIVERGED' || steps === 0 ? error.message : `${stoppedAfter}: ${error.message}`;
  const message = unsaved.length === 0 && kept === '' ? says : sentences(says, ...unsaved, kept);
  return new LarmorError(error.code, message, { cause: error });
}
