// Runs tasks several at a time.

/**
 * Runs every task, at most `parallel` at once, started in order. The first failure stops the others by the signal they are given.
 *
 * @throws the first failure; signal.reason when aborted.
 */
export async function runPool(
  tasks: readonly ((signal: AbortSignal) => Promise<void>)[],
  parallel: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  const failure = new AbortController();
  const either = signal ? AbortSignal.any([signal, failure.signal]) : failure.signal;
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < tasks.length) {
      either.throwIfAborted();
      const task = tasks[next];
      next += 1;
      try {
        await task(either);
      } catch (error) {
        failure.abort(error);
        throw error;
      }
    }
  };
  await Promise.allSettled(Array.from({ length: Math.min(parallel, tasks.length) }, work));
  signal?.throwIfAborted();
  if (failure.signal.aborted) throw failure.signal.reason;
}
