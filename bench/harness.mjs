// Side-by-side timing: contestants take turns on the same input, so that a busy machine slows all of them alike.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** Largest relative l2 difference between results at which their times may be printed. */
const AGREEMENT = 1e-5;

const script = (name) => join(import.meta.dirname, 'compare', name);

/** Python with NumPy, SciPy and PyTorch; `LARMOR_BENCH_PYTHON` names another. */
const python = process.env.LARMOR_BENCH_PYTHON ?? '/usr/bin/python3';

/**
 * A program of bench/compare/ with its inputs, waiting for commands (see compare/peer.py).
 *
 * @param inputs Float32Arrays by name, handed over as raw files. @param settings Numbers and strings it needs, as JSON.
 */
export async function startPeer(name, inputs, settings, threads = 1) {
  const folder = mkdtempSync(join(tmpdir(), 'larmor-bench-'));
  for (const [key, data] of Object.entries(inputs)) writeFileSync(join(folder, `${key}.f32`), data);
  writeFileSync(join(folder, 'settings.json'), JSON.stringify({ ...settings, threads }));
  const env = { ...process.env, OMP_NUM_THREADS: String(threads), OPENBLAS_NUM_THREADS: String(threads) };
  const child = spawn(python, [script(name), folder], { env, stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const ask = async (command) => {
    if (command) child.stdin.write(`${command}\n`);
    const { value, done } = await lines.next();
    if (done) throw new Error(`${name} stopped while asked for "${command}"`);
    return JSON.parse(value);
  };
  const methods = await ask();
  return {
    /** One contestant per method the program offers. */
    contestants: methods.map((method) => ({
      name: method,
      time: () => ask(`time ${method}`),
      result: async () => {
        await ask(`save ${method}`);
        const bytes = readFileSync(join(folder, `${method}.f32`));
        return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
      },
    })),
    close() {
      child.stdin.end();
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

function relativeDifference(a, b) {
  if (a.length !== b.length) throw new Error(`results hold ${a.length} and ${b.length} numbers`);
  let [difference, norm] = [0, 0];
  for (let i = 0; i < a.length; i++) {
    difference += (a[i] - b[i]) ** 2;
    norm += b[i] ** 2;
  }
  return Math.sqrt(difference / norm);
}

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

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
    return { median: median(wall), minimum: Math.min(...wall), processor: Math.min(...processor) };
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
