// Reconstructed volumes as HDF5, in the layout fastMRI's evaluation reads.
import { points, type RealArray } from '../arrays/complex-array.js';
import { LarmorError } from '../errors.js';
import { Hdf5Reader, type Hdf5ReadOptions } from './hdf5/reader.js';
import { type Hdf5WriteOptions, Hdf5Writer } from './hdf5/writer.js';

/** Datasets that hold a volume, the most wanted first. */
const VOLUMES = ['reconstruction', 'reconstruction_esc', 'reconstruction_rss'];

/**
 * Writes `volumes`, each [slice, y, x], as float32 datasets of their names, with `manifest` as a JSON attribute.
 *
 * @param volumes `reconstruction` is the one fastMRI's evaluation reads.
 * @throws LarmorError `ERR_FILE_WRITE`; nothing is left behind.
 */
export async function writeImages(
  path: string,
  volumes: Readonly<Record<string, RealArray>>,
  manifest: object,
  options: Hdf5WriteOptions = {},
): Promise<void> {
  await using file = await Hdf5Writer.create(path, options);
  for (const [name, { data, shape }] of Object.entries(volumes)) {
    await file.addDataset(name, 'float32', shape);
    const slice = points(shape.slice(1));
    for (let index = 0; index < shape[0]; index += 1)
      await file.writeSlice(name, [index], data.subarray(index * slice, (index + 1) * slice), options);
  }
  await file.setAttribute('manifest', JSON.stringify(manifest));
  await file.commit();
}

/** A volume read from a file, with the name of the dataset it came from. */
export interface StoredImages extends RealArray {
  readonly dataset: string;
}

/**
 * Reads the volume [slice, y, x] of a reconstruction or scan file: `reconstruction`, or else fastMRI's reference.
 *
 * @throws LarmorError `ERR_FILE_NOT_FOUND`; `ERR_FILE_FORMAT`; `ERR_NOT_FINITE`.
 */
export async function readImages(path: string, options: Hdf5ReadOptions = {}): Promise<StoredImages> {
  await using file = await Hdf5Reader.open(path, options);
  const info = VOLUMES.map((name) => file.datasets.get(name)).find((found) => found !== undefined);
  if (!info)
    throw new LarmorError('ERR_FILE_FORMAT', `${path} holds no images: none of the datasets ${VOLUMES.join(', ')}`);
  const { name, shape } = info;
  if (shape.length !== 3 || points(shape) === 0)
    throw new LarmorError('ERR_FILE_FORMAT', `${path}: ${name} must have axes [slice, y, x], its shape is [${shape}]`);
  const data = await file.readReal(name, { start: [0, 0, 0], count: shape }, options);
  return { data, shape, dataset: name };
}
