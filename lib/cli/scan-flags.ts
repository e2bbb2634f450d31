// The flags that say which part of an ISMRMRD file to read.
import type { Command } from 'commander';
import { SELECTORS } from '../io/ismrmrd-acquisitions.js';
import type { Scan, ScanOptions } from '../io/scan.js';
import { integer } from './options.js';

/** Adds the flags to a command. */
export function addScanFlags(command: Command): Command {
  command.option('--dataset <name>', 'ISMRMRD: group of the file');
  for (const name of SELECTORS)
    command.option(`--${name} <n>`, `ISMRMRD: ${name} to read; default: the lowest`, integer({ min: 0 }));
  return command;
}

/** What of the flags of a command chooses a part of the file. */
export function scanOptions({ dataset, contrast, repetition, phase, set }: ScanOptions): ScanOptions {
  return { dataset, contrast, repetition, phase, set };
}

/** One line for each counter of which only one value is read. */
export function unreadParts({ contents }: Scan): string[] {
  if (!contents) return [];
  const { available, selected } = contents;
  return SELECTORS.filter((name) => available[name].length > 1).map(
    (name) =>
      `${name} ${selected[name]} is read; the file also has ${others(available[name], selected[name])}, see --${name}`,
  );
}

function others(values: readonly number[], chosen: number): string {
  return values.filter((value) => value !== chosen).join(', ');
}
