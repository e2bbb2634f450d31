// Work off the event loop: cancellation and progress for one native job.
import { binding, type JobControl } from './binding.js';
import { LarmorError, toLarmorError } from './errors.js';

/** What every long-running call accepts. */
export interface RunOptions {
  /** Aborting rejects the call with `signal.reason` within about 50 ms of work. */
  signal?: AbortSignal | undefined;
  /** Fraction done, from 0 to 1, at most 50 times a second. */
  onProgress?: ((fraction: number) => void) | undefined;
  /** Threads to use; results do not depend on it. Default: the processors this process may run on. */
  threads?: number | undefined;
}

/**
 * The number of threads a job gets.
 *
 * @throws LarmorError `ERR_ARGUMENT` unless `threads` is absent or a positive integer.
 */
export function threadCount({ threads }: RunOptions): number {
  if (threads === undefined) return binding.platform().threads;
  if (!Number.isSafeInteger(threads) || threads < 1)
    throw new LarmorError('ERR_ARGUMENT', `threads must be a positive integer, got ${threads}`);
  return threads;
}

const PROGRESS_INTERVAL_MS = 20;

/** How to stop each job under way. */
const underWay = new Set<() => void>();

/** Node waits for jobs under way before it exits, so that process.exit() would take as long as they do. */
function stopJobsAtExit(): void {
  for (const cancel of underWay) cancel();
}

/**
 * Starts a native job and waits for it.
 *
 * @param steps What the job counts up to in its control word; progress is done / steps.
 * @param start Queues the job and returns its promise.
 * @param interrupt Stops a job that does not watch its control words by itself; may be called when it has already ended.
 * @throws signal.reason when aborted; LarmorError with the job's code otherwise.
 */
export async function runJob<T>(
  steps: number,
  { signal, onProgress }: RunOptions,
  start: (control: JobControl) => Promise<T>,
  interrupt?: () => void,
): Promise<T> {
  signal?.throwIfAborted();
  const control = new Int32Array(new SharedArrayBuffer(8));
  const cancel = (): void => {
    Atomics.store(control, 0, 1);
    interrupt?.();
  };
  if (underWay.size === 0) process.once('exit', stopJobsAtExit);
  underWay.add(cancel);
  signal?.addEventListener('abort', cancel, { once: true });
  const timer = onProgress && setInterval(() => onProgress(Atomics.load(control, 1) / steps), PROGRESS_INTERVAL_MS);
  try {
    return await start(control);
  } catch (error) {
    signal?.throwIfAborted();
    throw toLarmorError(error);
  } finally {
    clearInterval(timer);
    signal?.removeEventListener('abort', cancel);
    underWay.delete(cancel);
    if (underWay.size === 0) process.removeListener('exit', stopJobsAtExit);
  }
}
