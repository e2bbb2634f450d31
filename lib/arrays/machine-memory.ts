// How much memory this process may use.
import { totalmem } from 'node:os';

/** Bytes: the machine's memory, or what a container allows of it. */
export function machineMemory(): number {
  const limit = process.constrainedMemory?.() || Number.POSITIVE_INFINITY; // 0 where nothing constrains it
  return Math.min(totalmem(), limit);
}
