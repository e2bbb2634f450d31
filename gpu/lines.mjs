// What the programs of this folder print: one JSON object a line, as the native checker does.
//   check: name, case, error, limit, ok      bench: name, case, ms      skip: reason      note: text

/** Prints a line. */
export function print(line) {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

/** Prints whether `got` is within `limit` of `want`, both arrays, by relative l2. */
export function check(name, what, got, want, limit) {
  const error = relativeError(got, want);
  print({ kind: 'check', name, case: what, error: Number.isFinite(error) ? error : null, limit, ok: error <= limit });
}

function relativeError(got, want) {
  if (got.length !== want.length) return Number.NaN;
  let [difference, norm] = [0, 0];
  for (let i = 0; i < want.length; i++) {
    difference += (got[i] - want[i]) ** 2;
    norm += want[i] ** 2;
  }
  return Math.sqrt(difference / norm);
}

/** Ends the program: `why` nothing could be checked. */
export function skip(why) {
  print({ kind: 'skip', reason: why });
  process.exitCode = SKIPPED;
}

/** What a program exits with that had nothing to check. */
export const SKIPPED = 77;

/** Milliseconds that each of `rounds` calls took, sorted; what `look` does with a result takes none of them. */
export async function timed(rounds, run, look = async () => {}) {
  const times = [];
  for (let round = 0; round < rounds; round++) {
    const start = performance.now();
    const result = await run();
    times.push(performance.now() - start);
    await look(result);
  }
  return times.sort((a, b) => a - b);
}

/** Prints median and best of sorted times. */
export function bench(name, what, times, more = {}) {
  const [ms, best, rounds] = [times[times.length >> 1], times[0], times.length];
  print({ kind: 'bench', name, case: what, ms, best, rounds, clock: 'wall clock', ...more });
}

/** Shorter where time is short. */
export const quick = process.env.QUICK === '1';
