// Side-by-side timing: contestants take turns on the same input, so that a busy machine slows all of them alike.
// Every benchmark ends in report(): a few lines of text, or one line of JSON per row with --json, which ../compare.mjs collects.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { startPeer } from './peer.mjs';
import { best, median, relativeDifference } from './statistics.mjs';

/** Largest relative l2 difference between results at which their times may be printed. */
const AGREEMENT = 1e-5;

/** Of short work: first calls make plans and touch memory for the first time. */
const WARM_ROUNDS = 3;

const json = process.argv.includes('--json');

/** The numbers on the command line in order: [threads, rounds] of most programs. */
export const numbers = process.argv
  .slice(2)
  .filter((argument) => /^\d+$/.test(argument))
  .map(Number);

/**
 * The methods of a program in compare/ (see compare/peer.py) as contestants, all on the same inputs.
 *
 * @param inputs Float32Arrays by name, handed over as raw files. @param settings Numbers and strings it needs, as JSON.
 */
export async function peerContestants(script, inputs, settings, threads = 1) {
  const folder = mkdtempSync(join(tmpdir(), 'larmor-bench-'));
  for (const [key, data] of Object.entries(inputs)) writeFileSync(join(folder, `${key}.f32`), data);
  writeFileSync(join(folder, 'settings.json'), JSON.stringify({ ...settings, threads }));
  const peer = startPeer(script, [folder], threads);
  const methods = await peer.ask();
  return {
    /** One contestant per method the program offers. */
    contestants: methods.map((method) => ({
      name: method,
      time: () => peer.ask(`time ${method}`),
      /** What its process has held at most. */
      peakBytes: () => peer.ask(`memory ${method}`),
      result: async () => {
        await peer.ask(`save ${method}`);
        const bytes = readFileSync(join(folder, `${method}.f32`));
        return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
      },
    })),
    close() {
      peer.close();
      rmSync(folder, { recursive: true });
    },
  };
}

/** A contestant in this process; `run` does the work once and resolves to its result, a Float32Array. */
export function contestant(name, run) {
  return {
    name,
    result: run,
    async time() {
      const [start, processor] = [performance.now(), process.cpuUsage()];
      await run();
      const wall = performance.now() - start;
      const { user, system } = process.cpuUsage(processor);
      return [wall, (user + system) / 1e3];
    },
  };
}

/**
 * Times the contestants in turns: by name, one [wall, processor] in milliseconds per round. A contestant is its `name` and `time()`.
 *
 * @param warm Rounds run beforehand and not counted.
 */
export async function takeTurns(contestants, rounds, { warm = 1 } = {}) {
  const times = Object.fromEntries(contestants.map(({ name }) => [name, []]));
  for (let round = -warm; round < rounds; round++)
    for (const { name, time } of contestants) {
      const taken = await time();
      if (round >= 0) times[name].push(taken);
    }
  return times;
}

/** What one more iteration takes: the difference of each round's long and short run, over the iterations between them. */
export function perIteration(long, short, iterations) {
  const difference = (after, before) => after.map((value, i) => (value - before[i]) / iterations);
  return Object.fromEntries(
    Object.entries(long).map(([name, runs]) => [name, runs.map((run, round) => difference(run, short[name][round]))]),
  );
}

/**
 * Prints one row and returns it: {benchmark, case, threads, rounds, load, larmor, peers, ratio, agreement}. A time is {median, min,
 * processor} in milliseconds: median and minimum of the wall time, and the median of the processor time, which other work on the machine
 * disturbs least. `ratio` says how many times larmor's the fastest peer takes: {median, processor}; undefined without peers.
 *
 * @param times As of takeTurns; the first name is larmor's. @param agreement In words, how far the results are the same.
 */
export function report({ benchmark, name, times, agreement, threads = 1, ...rest }) {
  const [[ourName, ours], ...others] = Object.entries(times);
  const larmor = summary(ours);
  const peers = Object.fromEntries(others.map(([peer, runs]) => [peer, summary(runs)]));
  const ratioOf = (which) => best(Object.values(peers).map((peer) => peer[which])) / larmor[which];
  const ratio = others.length > 0 ? { median: ratioOf('median'), processor: ratioOf('processor') } : undefined;
  const [load, rounds] = [loadavg()[0], ours.length];
  const row = { benchmark, case: name, threads, rounds, load, larmor, peers, ratio, agreement, ...rest };
  if (json) {
    console.log(JSON.stringify(row));
    return row;
  }
  console.log(`${benchmark}, ${name}, ${threads} thread(s), ${rounds} rounds, load ${load.toFixed(1)}, ${agreement}`);
  for (const [who, time] of Object.entries({ [ourName]: larmor, ...peers })) {
    const show = (which) => `${which} ${milliseconds(time[which]).padStart(8)} ms`;
    const times = `${(time.median / larmor.median).toFixed(2)}x median, ${(time.processor / larmor.processor).toFixed(2)}x processor`;
    console.log(`  ${who.padEnd(20)} ${show('median')}  ${show('min')}  ${show('processor')}  ${times}`);
  }
  return row;
}

function summary(runs) {
  const wall = runs.map(([time]) => time);
  return { median: median(wall), min: best(wall), processor: median(runs.map(([, time]) => time)) };
}

function milliseconds(value) {
  return value.toFixed(value < 100 ? 2 : 0);
}

/**
 * Times contestants with results in turns and reports the row; the first one is larmor's.
 *
 * @param agreement Largest relative l2 difference. Whatever else the options hold, such as `threads`, goes into the row.
 * @throws Error when a result differs from the first one's: times of different work say nothing.
 */
export async function compare(benchmark, name, contestants, { rounds = 15, agreement = AGREEMENT, ...rest } = {}) {
  const [first, ...others] = contestants;
  const reference = Float32Array.from(await first.result());
  let worst = 0;
  for (const other of others) {
    const difference = relativeDifference(await other.result(), reference);
    if (!(difference <= agreement))
      throw new Error(`${benchmark}, ${name}: ${other.name} differs from ${first.name} by ${difference}`);
    worst = Math.max(worst, difference);
  }
  const times = await takeTurns(contestants, rounds, { warm: WARM_ROUNDS });
  return report({ benchmark, name, times, ...rest, agreement: `results differ by ${worst.toExponential(1)}` });
}
