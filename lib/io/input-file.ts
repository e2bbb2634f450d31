// Opens input files.
import { type FileHandle, open, stat } from 'node:fs/promises';
import { LarmorError } from '../errors.js';
import { readFailure } from './file-errors.js';

/**
 * Opens a file for `use` and closes it after.
 *
 * @throws LarmorError `ERR_FILE_NOT_FOUND`; `ERR_FILE_FORMAT` for pipes and devices, which could keep a reader waiting for ever;
 *   what `use` throws, other errors as `ERR_FILE_NOT_FOUND`.
 */
export async function withInput<T>(path: string, use: (file: FileHandle, bytes: number) => Promise<T>): Promise<T> {
  try {
    const found = await stat(path);
    if (!found.isFile() && !found.isDirectory())
      throw new LarmorError('ERR_FILE_FORMAT', `${path} is a pipe or a device, not a file`);
    const file = await open(path, 'r');
    try {
      return await use(file, found.size);
    } finally {
      await file.close();
    }
  } catch (error) {
    throw readFailure(path, error);
  }
}
