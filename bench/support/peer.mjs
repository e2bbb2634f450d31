// A program that does one unit of work per line of its standard input and answers each with one line of JSON.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** Starts `command`; `ask(line)` sends a line and resolves to the parsed answer. */
export function startPeer(command, args, environment = {}) {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'], env: { ...process.env, ...environment } });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const failed = new Promise((_, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`${command} ended with code ${code}`)));
  });
  failed.catch(() => {});
  return {
    send: (line) => child.stdin.write(`${line}\n`),
    async ask(line) {
      child.stdin.write(`${line}\n`);
      const { value } = await Promise.race([lines.next(), failed]);
      return JSON.parse(value);
    },
    close: () => child.stdin.end(),
  };
}
