// Scratch space on disk: a file that has no name and is gone when it is closed, whatever ends the process.
import { randomBytes } from 'node:crypto';
import { type FileHandle, open, statfs, unlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LarmorError } from '../errors.js';
import { readFailure, writeFailure } from './file-errors.js';

/** A nameless file in the folder for temporary files, which the variable TMPDIR chooses. */
export class TemporaryFile implements AsyncDisposable {
  #length = 0;

  private constructor(
    readonly path: string,
    readonly file: FileHandle,
  ) {}

  /**
   * @param bytes What will be written to it.
   * @throws LarmorError `ERR_FILE_WRITE` when the folder cannot be written or has not that much room.
   */
  static async create(bytes: number): Promise<TemporaryFile> {
    const path = join(tmpdir(), `larmor-${randomBytes(8).toString('hex')}.tmp`);
    try {
      const { bavail, bsize } = await statfs(tmpdir());
      if (bavail * bsize < bytes)
        throw new LarmorError(
          'ERR_FILE_WRITE',
          `${tmpdir()} has ${gigabytes(bavail * bsize)} free of the ${gigabytes(bytes)} wanted for a temporary file; ` +
            'make room, or name another folder in TMPDIR',
        );
      const file = await open(path, 'wx+', 0o600);
      await unlink(path);
      return new TemporaryFile(path, file);
    } catch (error) {
      throw writeFailure(path, error);
    }
  }

  /** Writes at the end. @returns Where it begins, in bytes. @throws LarmorError `ERR_FILE_WRITE`. */
  async append(data: Float32Array): Promise<number> {
    const begin = this.#length;
    let rest = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    try {
      while (rest.length > 0) {
        const { bytesWritten } = await this.file.write(rest, 0, rest.length, this.#length);
        this.#length += bytesWritten;
        rest = rest.subarray(bytesWritten);
      }
    } catch (error) {
      throw writeFailure(this.path, error);
    }
    return begin;
  }

  /** Fills `data` from byte `position` on. @throws LarmorError `ERR_CLOSED` after `close`. */
  async read(position: number, data: Float32Array): Promise<void> {
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    try {
      for (let done = 0; done < bytes.length; ) {
        const { bytesRead } = await this.file.read(bytes, done, bytes.length - done, position + done);
        if (bytesRead === 0) throw new LarmorError('ERR_INTERNAL', `nothing was written at byte ${position + done}`);
        done += bytesRead;
      }
    } catch (error) {
      throw readFailure(this.path, error);
    }
  }

  async close(): Promise<void> {
    await this.file.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toPrecision(3)} GB`;
}
