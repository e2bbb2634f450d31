// What a failed command tells the shell that started it: exit status and next step per error code.
import type { LarmorErrorCode } from '../errors.js';

/** Exit status of the `larmor` program; one stopped by a signal exits with 128 + its number. */
export const EXIT = {
  done: 0,
  failed: 1,
  usage: 2,
} as const;

/** What to do next where the message alone may not say it. */
const NEXT_STEP: Partial<Record<LarmorErrorCode, string>> = {
  ERR_ARGUMENT: 'Add --help to the command to see its options.',
  ERR_FILE_FORMAT: 'Check that the file is of the kind this command takes; copy it again if it was cut short.',
  ERR_NOT_FINITE: 'Export the data again, or replace the samples concerned: no method can use them.',
  ERR_MASK: 'Check the mask that the file or the command line gives.',
  ERR_FILE_WRITE: 'Choose a folder you may write to, with room left.',
  ERR_RUNTIME: 'Run "larmor doctor" to check the installation.',
  ERR_RUNTIME_MISSING: 'Run "larmor doctor" to see what is missing.',
  ERR_NATIVE_MISSING: 'Run "larmor doctor" to see what is missing.',
  ERR_DEVICE: 'Run "larmor doctor" to see which devices work here.',
  ERR_OUT_OF_MEMORY: 'Take fewer slices at a time (--slices A:B) or a machine with more memory.',
  ERR_INTERNAL: 'Run again with LARMOR_DEBUG=1 and report the stack it prints.',
};

export function nextStep(code: string): string | undefined {
  return NEXT_STEP[code as LarmorErrorCode];
}

/** Wrong usage exits 2, so scripts can tell a typing mistake from data that cannot be processed. */
export function exitStatus(code: LarmorErrorCode): number {
  return code === 'ERR_ARGUMENT' || code === 'ERR_CONFIG' ? EXIT.usage : EXIT.failed;
}
