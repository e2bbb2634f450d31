// Small scans in ISMRMRD's layout: lines of random samples, and the k-space they make up.
import { complexZeros } from '#larmor/arrays/complex-array.js';
import { openScan, type Scan, type ScanOptions } from '#larmor/io/scan.js';
import { noise } from './complex.js';
import { ismrmrdHeader, type TestAcquisition, type TestHeader, writeIsmrmrd } from './ismrmrd-files.js';

/** Float32 transforms along one axis. */
export const TOLERANCE = 1e-6;

export const [COILS, READOUT, COLUMNS] = [2, 8, 6];

/** What `body` makes of the scan in a file that is written for it. */
export async function withScan<T>(
  path: string,
  header: TestHeader,
  acquisitions: readonly TestAcquisition[],
  body: (scan: Scan) => T | Promise<T>,
  options?: ScanOptions,
): Promise<T> {
  await using scan = await openScan(await writeIsmrmrd(path, ismrmrdHeader(header), acquisitions), options);
  return await body(scan);
}

export const square: TestHeader = { encoded: [READOUT, COLUMNS, 1] };

/** A line of random samples. */
export const line = (seed: number, samples = READOUT, channels = COILS): TestAcquisition => ({
  data: noise([channels, samples], seed).data,
  channels,
});

/** All lines of a slice, in this order of ky. */
export const lines = (order: readonly number[] = [0, 1, 2, 3, 4, 5]): TestAcquisition[] =>
  order.map((ky) => ({ ...line(ky), ky }));

/** Sample `x` of channel `coil` of a line. */
export const sample = ({ data, channels }: TestAcquisition, coil: number, x: number): readonly [number, number] => {
  const at = 2 * (coil * (data.length / 2 / channels) + x);
  return [data[at], data[at + 1]];
};

/** K-space [coil, readout, column] whose columns are made of samples. */
export function kspaceOf(value: (coil: number, x: number, ky: number) => readonly [number, number]): Float32Array {
  const { data } = complexZeros([COILS, READOUT, COLUMNS]);
  for (let coil = 0; coil < COILS; coil += 1)
    for (let x = 0; x < READOUT; x += 1)
      for (let ky = 0; ky < COLUMNS; ky += 1) data.set(value(coil, x, ky), 2 * ((coil * READOUT + x) * COLUMNS + ky));
  return data;
}

export const read = async (scan: Scan, slice = 0): Promise<Float32Array> => (await scan.readKspace(slice)).data;
