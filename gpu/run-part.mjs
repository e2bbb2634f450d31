// Runs one part of the check and reads its lines, also of one that crashed or took too long.
import { spawn } from 'node:child_process';
import { SKIPPED } from './lines.mjs';

const KEPT = 2000; // characters of what a part says on stderr

/**
 * What became of a part: `state` is `right`, `wrong`, `skipped` or `failed`, with the lines it printed and what it said last.
 *
 * @param seconds After which it is killed, with all that it started.
 */
export async function runPart({ name, title, command, missing }, seconds) {
  const part = { name, title };
  if (missing) return { ...part, state: 'skipped', reason: missing, lines: [], seconds: 0 };
  const start = performance.now();
  const { code, signal, stdout, stderr, timedOut, error } = await execute(command, seconds);
  const { lines, other } = parse(stdout);
  const said = `${other.join('\n')}\n${stderr}`.trim().slice(-KEPT);
  const done = { ...part, lines, said, seconds: (performance.now() - start) / 1e3, command: command.join(' ') };
  const wrong = lines.filter(({ kind, ok }) => kind === 'check' && !ok);
  const skipped = lines.find(({ kind }) => kind === 'skip');
  if (wrong.length > 0) return { ...done, state: 'wrong', reason: `${wrong.length} checks failed` };
  if (timedOut) return { ...done, state: 'failed', reason: `stopped after ${seconds.toFixed(0)} s` };
  if (code === SKIPPED && skipped) return { ...done, state: 'skipped', reason: skipped.reason };
  if (code === 0) return { ...done, state: 'right' };
  return { ...done, state: 'failed', reason: error ?? (signal ? `ended by ${signal}` : `ended with status ${code}`) };
}

function execute([program, ...options], seconds) {
  return new Promise((resolve) => {
    // A group of its own: what it starts, as compilers and sanitizers do, would hold its pipes open after it.
    const child = spawn(program, options, { stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    let [stdout, stderr, timedOut] = ['', '', false];
    const kill = () => {
      try {
        process.kill(-child.pid, 'SIGKILL');
      } catch {
        // The group has ended; something that left it may hold the pipes.
      }
      child.stdout.destroy();
      child.stderr.destroy();
    };
    const timer = setTimeout(() => {
      timedOut = true;
      kill();
    }, 1e3 * seconds);
    const interrupt = () => {
      kill();
      process.exit(130);
    };
    process.once('SIGINT', interrupt);
    child.stdout.setEncoding('utf8').on('data', (text) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text) => {
      stderr = (stderr + text).slice(-KEPT);
    });
    const end = (outcome) => {
      clearTimeout(timer);
      process.off('SIGINT', interrupt);
      resolve({ stdout, stderr, timedOut, ...outcome });
    };
    child.on('error', ({ message }) => end({ error: message }));
    child.on('close', (code, signal) => end({ code, signal }));
  });
}

function parse(text) {
  const [lines, other] = [[], []];
  for (const line of text.split('\n')) {
    if (line === '') continue;
    try {
      lines.push(JSON.parse(line));
    } catch {
      other.push(line);
    }
  }
  return { lines, other };
}
