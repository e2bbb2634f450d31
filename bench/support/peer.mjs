// A program of compare/ that does one unit of work per line of its standard input and answers each with one line of JSON.
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { createInterface } from 'node:readline';

/** Python with NumPy, SciPy and PyTorch; `LARMOR_BENCH_PYTHON` names another. */
export const python = process.env.LARMOR_BENCH_PYTHON ?? '/usr/bin/python3';

/** Starts `script`, Python or built by `buildPeer`; `ask(line)` sends a line and resolves to the parsed answer, `ask()` only waits for one. */
export function startPeer(script, args, threads) {
  const env = { ...process.env, OMP_NUM_THREADS: String(threads), OPENBLAS_NUM_THREADS: String(threads) };
  const command = script.endsWith('.py') ? [python, join(import.meta.dirname, '../compare', script)] : [script];
  const child = spawn(command[0], [...command.slice(1), ...args], { stdio: ['pipe', 'pipe', 'inherit'], env });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const failed = new Promise((_, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`${script} ended with code ${code}`)));
  });
  failed.catch(() => {});
  const send = (line) => child.stdin.write(`${line}\n`);
  return {
    send,
    async ask(line) {
      if (line !== undefined) send(line);
      const { value } = await Promise.race([lines.next(), failed]);
      return JSON.parse(value);
    },
    close: () => child.stdin.end(),
  };
}

/** Compiles a C++ program of compare/ for this machine; its path, or undefined where compiler or libraries are missing. */
export function buildPeer(source, ...libraries) {
  const program = join(mkdtempSync(join(tmpdir(), 'larmor-bench-')), basename(source, '.cc'));
  const options = [
    '-std=c++20',
    '-O3',
    '-march=native',
    '-o',
    program,
    join(import.meta.dirname, '../compare', source),
  ];
  try {
    execFileSync('g++', [...options, ...libraries], { stdio: 'ignore' });
    return program;
  } catch {
    return undefined;
  }
}
