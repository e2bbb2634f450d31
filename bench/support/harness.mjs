// Side-by-side timing: contestants take turns on the same input, so that a busy machine slows all of them alike.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { startPeer } from './peer.mjs';
import { best, median, relativeDifference } from './statistics.mjs';

/** Largest relative l2 difference between results at which their times may be printed. */
const AGREEMENT = 1e-5;

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
 * Times the contestants in turns and prints one line each: median and minimum of the wall time, minimum of the processor time, which
 * other work on the machine disturbs least, and how many times the first one's median and processor time.
 *
 * @throws Error when a result differs from the first one's: times of different work say nothing.
 */
export async function compare(title, contestants, { rounds = 15, agreement = AGREEMENT } = {}) {
  const [first, ...others] = contestants;
  const reference = Float32Array.from(await first.result());
  for (const other of others) {
    const difference = relativeDifference(await other.result(), reference);
    if (!(difference <= agreement))
      throw new Error(`${title}: ${other.name} differs from ${first.name} by ${difference}`);
  }
  const times = contestants.map(() => []);
  for (let round = 0; round < rounds; round++)
    for (const [i, { time }] of contestants.entries()) times[i].push(await time());
  const rows = times.map((runs) => {
    const [wall, processor] = [runs.map(([w]) => w), runs.map(([, p]) => p)];
    return { median: median(wall), minimum: best(wall), processor: best(processor) };
  });
  console.log(`${title}  (${rounds} rounds, load ${loadavg()[0].toFixed(1)})`);
  for (const [i, row] of rows.entries()) {
    const [middle, minimum, processor] = [row.median, row.minimum, row.processor].map((ms) =>
      ms.toFixed(2).padStart(8),
    );
    const ratios = `${(row.median / rows[0].median).toFixed(2)}x median, ${(row.processor / rows[0].processor).toFixed(2)}x processor`;
    console.log(
      `  ${contestants[i].name.padEnd(20)} median${middle} ms  min${minimum} ms  processor${processor} ms  ${ratios}`,
    );
  }
}
