// What the tests of PyTorch checkpoints share: reading bytes as a file, and a small tensor.
import { writeFile } from 'node:fs/promises';
import { readTorchCheckpoint, type TorchCheckpoint } from '#larmor/io/torch-checkpoint.js';
import { temporaryFolder } from './hdf5-files.js';
import { PROTO2, pickle } from './pickles.js';

/** Storage 0 of `matrix`. */
export const numbers = Float32Array.of(1, 2, 3, 4, 5, 6);
export const matrix = { key: '0', elements: 6, shape: [2, 3], strides: [3, 1] };

export const program = (content: Buffer): Buffer => pickle(PROTO2, content, '.');

/** Reads bytes as the checkpoint `weights.pt` of a folder of this test file's own. */
export function checkpointReader(): (bytes: Buffer) => Promise<TorchCheckpoint> {
  const path = temporaryFolder()('weights.pt');
  return async (bytes) => {
    await writeFile(path, bytes);
    return readTorchCheckpoint(path);
  };
}
