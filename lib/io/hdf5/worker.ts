// Entry of the worker thread that owns one HDF5 file: answers one request at a time.
import { parentPort } from 'node:worker_threads';
import { toLarmorError } from '../../errors.js';
import { Hdf5Library } from './library.js';
import type { Reply, Request } from './protocol.js';

const file = new Hdf5Library();

parentPort?.on('message', ({ id, operation, args }: Request) => {
  try {
    const result = (file[operation] as (...args: readonly unknown[]) => unknown).call(file, ...args);
    const transfer = ArrayBuffer.isView(result) ? [result.buffer as ArrayBuffer] : [];
    parentPort?.postMessage({ id, result } satisfies Reply, transfer);
  } catch (error) {
    const { code, message } = toLarmorError(error);
    parentPort?.postMessage({ id, error: { code, message } } satisfies Reply);
  }
});
