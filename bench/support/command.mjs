// Whole commands, measured by GNU time: start, files and end included.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The command line of this checkout. */
export const larmor = [process.execPath, join(import.meta.dirname, '../../dist/cli/main.js')];

/**
 * Runs a command to its end: wall and processor time in milliseconds and the most memory it held, in bytes.
 *
 * @throws Error when it fails or GNU time is not installed.
 */
export function measureCommand([program, ...args], { threads = 1, cwd } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'larmor-bench-'));
  const times = join(folder, 'times');
  const env = { ...process.env, OMP_NUM_THREADS: String(threads), OPENBLAS_NUM_THREADS: String(threads) };
  try {
    const command = ['-f', '%e %U %S %M', '-o', times, program, ...args];
    execFileSync('/usr/bin/time', command, { cwd, env, stdio: ['ignore', 'ignore', 'pipe'] });
    const [wall, user, system, kilobytes] = readFileSync(times, 'utf8').trim().split(' ').map(Number);
    return { wall: 1e3 * wall, processor: 1e3 * (user + system), peak: 1024 * kilobytes };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
