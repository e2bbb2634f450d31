// Which slices make which batch: every epoch goes through all slices in an order of its own, and a batch holds slices of one size.
import { MT19937 } from '../arrays/mt19937.js';

/** One example of a batch: a slice and the number of its draw, which is never used twice. */
export interface Draw {
  readonly index: number;
  readonly draw: number;
}

/**
 * Batches without end. Slices join the batch of their kind as the epoch's order has them, and a batch comes out when it is full: what an
 * epoch leaves unfilled goes on filling in the next.
 *
 * @param kinds One word per slice, equal for slices that may share a batch. @param size Slices per batch.
 */
export function* batchesOf(kinds: readonly string[], size: number, seed: number): Generator<readonly Draw[], never> {
  const filling = new Map<string, Draw[]>();
  let draw = 0;
  for (let epoch = 0; ; epoch += 1) {
    for (const index of new MT19937([seed, epoch]).permutation(kinds.length)) {
      const batch = filling.get(kinds[index]) ?? [];
      filling.set(kinds[index], batch);
      draw += 1;
      batch.push({ index, draw });
      if (batch.length < size) continue;
      filling.delete(kinds[index]);
      yield batch;
    }
  }
}

/** All slices in batches of one kind; the last of a kind is filled up with slices seen already, and `count` says how many are new. */
export function validationBatches(
  kinds: readonly string[],
  size: number,
): { readonly indices: readonly number[]; readonly count: number }[] {
  const groups = new Map<string, number[]>();
  kinds.forEach((kind, index) => {
    groups.set(kind, [...(groups.get(kind) ?? []), index]);
  });
  return [...groups.values()].flatMap((group) =>
    Array.from({ length: Math.ceil(group.length / size) }, (_, b) => ({
      indices: Array.from({ length: size }, (_, i) => group[(b * size + i) % group.length]),
      count: Math.min(size, group.length - b * size),
    })),
  );
}
