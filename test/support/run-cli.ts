// Runs the built `larmor` program, as a user's shell would.
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { text } from 'node:stream/consumers';

const main = resolve(import.meta.dirname, '../../dist/cli/main.js');

export interface CliResult {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `larmor` with these arguments and waits for its end; `watch` may signal it meanwhile. */
export const runCli = (
  args: readonly string[],
  options?: SpawnOptions,
  watch?: (child: ChildProcess) => void,
): Promise<CliResult> => runNode([main, ...args], options, watch);

/** The same for Node itself. */
export async function runNode(
  args: readonly string[],
  options: SpawnOptions = {},
  watch?: (child: ChildProcess) => void,
): Promise<CliResult> {
  const child = spawn(process.execPath, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  watch?.(child);
  const exit = new Promise<number | null>((done) => {
    child.on('close', (code) => done(code));
  });
  const [stdout, stderr, exitCode] = await Promise.all([text(child.stdout), text(child.stderr), exit]);
  return { exitCode, stdout, stderr };
}
