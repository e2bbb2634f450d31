// How the lines of a scan make up its slices: grouped, averaged, and sampled alike.
import { LarmorError } from '../errors.js';
import type { SamplingMask } from '../sampling/mask.js';
import type { Line } from './hdf5/protocol.js';
import type { PlacedLine } from './ismrmrd-acquisitions.js';
import type { MatrixSize } from './ismrmrd-header.js';
import { exactMask } from './scan-mask.js';

/**
 * Whether lines are those of slices although their header states a second phase encoding: of 3-D scans that were transformed along it before
 * they were stored, as those of mridata.org, the slice counter tells the position.
 */
export function isStack(lines: readonly PlacedLine[]): boolean {
  return lines.every(({ kz }) => kz === lines[0].kz) && lines.some(({ slice }) => slice !== lines[0].slice);
}

/** Groups of equal key, by ascending key. */
export function grouped<T>(items: readonly T[], key: (item: T) => number): T[][] {
  const groups = new Map<number, T[]>();
  for (const item of items) {
    const group = groups.get(key(item));
    if (group) group.push(item);
    else groups.set(key(item), [item]);
  }
  return [...groups].sort(([a], [b]) => a - b).map(([, group]) => group);
}

/** The lines of a slice at their columns; those measured repeatedly are averaged. */
export function averaged(lines: readonly PlacedLine[], columns: number): Line[] {
  const counts = new Uint32Array(columns);
  for (const { ky } of lines) counts[ky] += 1;
  return lines.map((line) => ({ ...line, column: line.ky, weight: 1 / counts[line.ky] }));
}

/** The samples that all slices measured. @throws LarmorError `ERR_FILE_FORMAT` where one lacks lines that another has. */
export function sharedMask(
  path: string,
  slices: readonly (readonly PlacedLine[])[],
  { y, z }: MatrixSize,
  columns: readonly [number, number],
): SamplingMask | undefined {
  const sampled = slices.map((lines) => {
    const support = new Uint8Array(z * y);
    for (const { ky, kz } of lines) support[kz * y + ky] = 1;
    return support;
  });
  for (const [i, support] of sampled.entries()) {
    const differs = support.findIndex((bit, at) => bit !== sampled[0][at]);
    if (differs >= 0)
      throw new LarmorError(
        'ERR_FILE_FORMAT',
        `${path}: slices ${slices[0][0].slice} and ${slices[i][0].slice} were not sampled alike: ` +
          `only one of them has line ${differs % y}; the file may be incomplete`,
      );
  }
  return exactMask(sampled[0], [z, y], columns);
}
