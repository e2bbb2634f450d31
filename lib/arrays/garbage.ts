// Large arrays lie outside V8's heap, which sees no reason to collect them soon: hundreds of megabytes wait where tens are in use.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

let collect: (() => void) | undefined;

/** Collects V8's heap now, some milliseconds, and with it the memory of arrays that nothing refers to any more. */
export function collectGarbage(): void {
  if (!collect) {
    setFlagsFromString('--expose-gc');
    collect = runInNewContext('gc') as () => void;
    setFlagsFromString('--no-expose-gc');
  }
  collect();
}
