// Opens and reads input files.
import { type FileHandle, open, stat } from 'node:fs/promises';
import { LarmorError } from '../errors.js';
import { readFailure } from './file-errors.js';

const MAX_READ_BYTES = 2 ** 30; // one read(2) stops short of 2 GiB

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

/** `length` bytes from `position` on. @throws LarmorError `ERR_FILE_FORMAT` when the file ends before. */
export async function readBytes(file: FileHandle, position: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(length);
  for (let done = 0; done < length; ) {
    const want = Math.min(length - done, MAX_READ_BYTES);
    const { bytesRead } = await file.read(bytes, done, want, position + done);
    if (bytesRead === 0) throw new LarmorError('ERR_FILE_FORMAT', 'the file became shorter while it was read');
    done += bytesRead;
  }
  return bytes;
}
