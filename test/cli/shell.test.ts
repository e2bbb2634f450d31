import { spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runNode } from '../support/run-cli.js';

const program = resolve(import.meta.dirname, '../support/shell-program.mjs');
const run = (...args: string[]) => runNode([program, 'do', ...args]);

describe('a command that succeeds', () => {
  test('prints text on stdout and messages on stderr', async () => {
    expect(await run('answer')).toEqual({ exitCode: 0, stdout: 'the answer is 42\n', stderr: 'thinking\n' });
  });

  test('with --json prints one document and nothing else on stdout', async () => {
    const { exitCode, stdout } = await run('answer', '--json');
    expect([exitCode, JSON.parse(stdout)]).toEqual([0, { answer: 42 }]);
  });

  test('may still report a bad state through its exit code', async () => {
    expect(await run('unhealthy')).toMatchObject({ exitCode: 1, stdout: 'not well\n' });
  });

  test('does not mind a reader that closes early', async () => {
    const shell = spawn('bash', ['-c', `set -o pipefail; "$0" "$1" do flood | head -n 1`, process.execPath, program]);
    const errors: string[] = [];
    shell.stderr.on('data', (chunk) => errors.push(String(chunk)));
    const exitCode = await new Promise((done) => shell.on('close', done));
    expect([exitCode, errors.join('')]).toEqual([0, '']);
  });
});

describe('a command that fails', () => {
  test('wrong usage exits 2', async () => {
    const { exitCode, stdout, stderr } = await run('argument');
    expect([exitCode, stdout]).toEqual([2, '']);
    expect(stderr).toContain('error ERR_ARGUMENT: mask: acceleration must be at least 1, got 0\n');
  });

  test('an unknown option exits 2, as JSON too', async () => {
    const { exitCode, stdout } = await run('answer', '--json', '--colour');
    expect(exitCode).toBe(2);
    expect(JSON.parse(stdout)).toEqual({ error: { code: 'ERR_ARGUMENT', message: "unknown option '--colour'" } });
  });

  test('bad data exit 1 with code, message and next step, and no stack', async () => {
    const { exitCode, stderr } = await run('file');
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/^error ERR_FILE_FORMAT: scan\.h5: no dataset "kspace"\nCheck that the file .*\n$/);
  });

  test('prints the error as the one JSON document', async () => {
    const { exitCode, stdout } = await run('file', '--json');
    expect(exitCode).toBe(1);
    expect(JSON.parse(stdout)).toEqual({
      error: { code: 'ERR_FILE_FORMAT', message: 'scan.h5: no dataset "kspace"' },
    });
  });

  test('prints a stack only when asked to', async () => {
    const plain = await run('defect');
    const debug = await runNode([program, 'do', 'defect'], { env: { ...process.env, LARMOR_DEBUG: '1' } });
    expect(plain.exitCode).toBe(1);
    expect(plain.stderr).toContain('ERR_INTERNAL: x is undefined');
    expect(plain.stderr).not.toContain('shell-program.mjs');
    expect(debug.stderr).toContain('shell-program.mjs');
  });
});

describe('Ctrl-C', () => {
  const interrupt = (what: string, signals: NodeJS.Signals[], args: string[] = []) =>
    runNode([program, 'do', what, ...args], {}, (chunk, kill) => {
      if (/waiting|stopping/.test(chunk)) {
        const signal = signals.shift();
        if (signal) kill(signal);
      }
    });

  test('aborts the command and exits 130', async () => {
    expect(await interrupt('wait', ['SIGINT'])).toMatchObject({ exitCode: 130, stdout: '' });
  });

  test('is reported as JSON too', async () => {
    const { exitCode, stdout } = await interrupt('wait', ['SIGINT'], ['--json']);
    expect([exitCode, JSON.parse(stdout).error.code]).toEqual([130, 'ABORT_ERR']);
  });

  test('SIGTERM aborts and exits 143', async () => {
    expect(await interrupt('wait', ['SIGTERM'])).toMatchObject({ exitCode: 143 });
  });

  test('the second one ends a command that does not listen', async () => {
    expect(await interrupt('deaf', ['SIGINT', 'SIGINT'])).toMatchObject({ exitCode: null });
  });
});
