// A folder with small files in the layouts of fastMRI and of mridata.org, made without this package's own writers.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { coilMagnitude } from '#larmor/arrays/magnitude.js';
import { fft2 } from '#larmor/operators/fft2.js';
import { writeHdf5 } from './hdf5-files.js';
import { ismrmrdHeader, type TestAcquisition, writeIsmrmrd } from './ismrmrd-files.js';
import { syntheticImages } from './scans.js';

/** What a file of fastMRI holds. */
export interface FastmriFile {
  readonly acquisition: string;
  /** Of k-space: readout, phase encode. */
  readonly matrix: readonly [rows: number, columns: number];
  readonly slices: number;
  readonly coils: number;
  /** Side of the square that the reference shows. */
  readonly crop: number;
  readonly tesla?: number;
}

const crop = (image: Float32Array, [rows, columns]: readonly [number, number], side: number): Float32Array => {
  const [top, left] = [(rows - side) >> 1, (columns - side) >> 1];
  return Float32Array.from(
    { length: side * side },
    (_, i) => image[(top + Math.floor(i / side)) * columns + left + (i % side)],
  );
};

/** Writes k-space, reference, header and attributes as fastMRI's files have them. */
export async function writeFastmri(path: string, file: FastmriFile): Promise<void> {
  const { acquisition, matrix, slices, coils, crop: side, tesla = 3 } = file;
  const kspace: number[] = [];
  const reference: number[] = [];
  for (let slice = 0; slice < slices; slice += 1) {
    const images = syntheticImages({ coils, size: matrix }, slice);
    for (const value of (await fft2(images)).data) kspace.push(value);
    for (const value of crop(coilMagnitude(images.data, coils), matrix, side)) reference.push(value);
  }
  const [x, y] = matrix;
  const system = `<systemVendor>SIEMENS</systemVendor><systemFieldStrength_T>${tesla}</systemFieldStrength_T>`;
  await writeHdf5(
    path,
    {
      ismrmrd_header: { shape: [], data: ismrmrdHeader({ encoded: [x, y, 1], recon: [side, side, 1], system }) },
      kspace: { shape: [slices, coils, ...matrix], complex: true, data: Float32Array.from(kspace) },
      reconstruction_rss: { shape: [slices, side, side], data: Float32Array.from(reference) },
    },
    { acquisition, max: Math.max(...reference), norm: Math.hypot(...reference), patient_id: '0'.repeat(64) },
  );
}

/** A knee as mridata.org has it: one line after another, slices counted, the number of lines as the maximum of the phase encoding. */
export async function writeStanford(path: string, side: number, slices: number, coils: number): Promise<void> {
  const acquisitions: TestAcquisition[] = [];
  for (let slice = 0; slice < slices; slice += 1) {
    const { data } = await fft2(syntheticImages({ coils, size: side }, slice));
    for (let ky = 0; ky < side; ky += 1) {
      const line = new Float32Array(2 * coils * side);
      for (let i = 0; i < coils * side; i += 1)
        line.set(data.subarray(2 * (i * side + ky), 2 * (i * side + ky) + 2), 2 * i);
      acquisitions.push({ data: line, channels: coils, slice, ky });
    }
  }
  const system = '<systemVendor>GE MEDICAL SYSTEMS</systemVendor>';
  const header = { encoded: [side, side, slices], centers: [side >> 1, 0], maxima: [side, 1], system } as const;
  await writeIsmrmrd(path, ismrmrdHeader(header), acquisitions);
}

/** Writes files by their folder and name, and in every folder something that is no scan. */
export async function writeFolder(root: string, files: Readonly<Record<string, FastmriFile>>): Promise<void> {
  for (const [path, file] of Object.entries(files)) {
    const folder = join(root, path, '..');
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'README.txt'), 'not a scan');
    await writeFastmri(join(root, path), file);
  }
}
