// A program on the command shell whose command does what its argument says: the tests' stand-in for a real command.
import { setTimeout as sleep } from 'node:timers/promises';
import { Command } from 'commander';
import { Shell } from '#larmor/cli/shell.js';
import { LarmorError } from '#larmor/errors.js';

const actions = {
  answer: async ({ note, onProgress }) => {
    onProgress(0.5, 'half way');
    note('thinking');
    return { json: { answer: 42 }, text: 'the answer is 42' };
  },
  unhealthy: async () => ({ json: { ok: false }, text: 'not well', exitCode: 1 }),
  argument: async () => {
    throw new LarmorError('ERR_ARGUMENT', 'mask: acceleration must be at least 1, got 0');
  },
  file: async () => {
    throw new LarmorError('ERR_FILE_FORMAT', 'scan.h5: no dataset "kspace"');
  },
  defect: async () => {
    throw new TypeError('x is undefined');
  },
  wait: async ({ signal, note }) => {
    note('waiting');
    await sleep(60_000, undefined, { signal });
  },
  deaf: async ({ note }) => {
    note('waiting');
    await sleep(60_000);
  },
  flood: async () => ({ json: {}, text: 'line\n'.repeat(1_000_000) }),
};

const args = process.argv.slice(2);
const shell = new Shell(process, args.includes('--json'));
const program = new Command('program').exitOverride();
program
  .command('do')
  .argument('<what>')
  .option('--json')
  .action((what) => shell.run(actions[what]));
await program.parseAsync(args, { from: 'user' }).catch((error) => shell.fail(error));
process.exitCode = shell.exitCode;
