// Reads pickles (protocols 2 to 5) as plain data.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { PickleCursor } from './cursor.js';
import { PickleMachine, type PickleRules } from './machine.js';
import { OPERATIONS, REFUSED } from './operations.js';

/** Far beyond any checkpoint (about 40 a tensor), and little enough that hostile ones stay below a gigabyte. */
const MAX_OPERATIONS = 2_000_000;
const TURN = 50_000; // operations between turns of the event loop: some milliseconds

const STOP = 0x2e;

/**
 * The value that a pickle describes.
 *
 * @param who Names the file in messages.
 * @throws LarmorError `ERR_FILE_FORMAT` for a broken pickle, an opcode or a size beyond the limits, and for a call that is not among
 *   the constructors, by its name.
 */
export async function unpickle(bytes: Uint8Array, rules: PickleRules, who: string): Promise<unknown> {
  const machine = new PickleMachine(new PickleCursor(bytes, who), rules);
  for (let count = 1; step(machine); count++) {
    if (count > MAX_OPERATIONS) throw machine.error(`more than ${MAX_OPERATIONS} operations`);
    if (count % TURN === 0) await nextTurn();
  }
  return machine.pop();
}

/** Executes one operation; false at the end. */
function step(machine: PickleMachine): boolean {
  const code = machine.cursor.uint8();
  if (code === STOP) return false;
  const operation = OPERATIONS.get(code);
  if (!operation) throw machine.error(REFUSED.get(code) ?? `opcode 0x${code.toString(16)} is not of protocols 2 to 5`);
  operation(machine);
  return true;
}
