// Runs the built `larmor` program, as a user's shell would.
import { type SpawnOptions, spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { text } from 'node:stream/consumers';

const main = resolve(import.meta.dirname, '../../dist/cli/main.js');

export interface CliResult {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `larmor` with these arguments and waits for its end. */
export const runCli = (args: readonly string[], options?: SpawnOptions): Promise<CliResult> =>
  runNode([main, ...args], options);

/** Runs Node with these arguments; `onStderr` sees messages as they come, with the process to signal. */
export async function runNode(
  args: readonly string[],
  options: SpawnOptions = {},
  onStderr?: (chunk: string, kill: (signal: NodeJS.Signals) => void) => void,
): Promise<CliResult> {
  const child = spawn(process.execPath, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  child.stderr.on('data', (chunk) => onStderr?.(String(chunk), (signal) => child.kill(signal)));
  const exit = new Promise<number | null>((done) => {
    child.on('close', (code) => done(code));
  });
  const [stdout, stderr, exitCode] = await Promise.all([text(child.stdout), text(child.stderr), exit]);
  return { exitCode, stdout, stderr };
}
