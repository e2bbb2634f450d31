#!/usr/bin/env node
// The `larmor` program.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { packageRoot } from '../package-root.js';
import { commands } from './commands.js';
import { Shell } from './shell.js';

const args = process.argv.slice(2);
const shell = new Shell(process, args.includes('--json'));

async function main(): Promise<void> {
  const { version, description } = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8'));
  const program = new Command('larmor')
    .description(description)
    .version(version)
    .showHelpAfterError('(add --help for the options)')
    .exitOverride();
  // Loading one command keeps start-up short and lets `doctor` run where another could not even be loaded.
  const [name = ''] = args;
  for (const wanted of Object.hasOwn(commands, name) ? [name] : Object.keys(commands))
    (await commands[wanted]()).register(program, shell);
  for (const command of program.commands) command.option('--json', 'print one JSON document and nothing else');
  await program.parseAsync(args, { from: 'user' });
}

await main().catch((error) => shell.fail(error));
process.exitCode = shell.exitCode;
