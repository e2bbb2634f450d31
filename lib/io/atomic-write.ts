// Output files that appear whole or not at all: written under a temporary name, flushed, then renamed.
import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { type FileHandle, open, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { LarmorError } from '../errors.js';
import { writeFailure } from './file-errors.js';

const pending = new Set<string>();

function removePending(): void {
  for (const path of pending) rmSync(path, { force: true });
}

/**
 * A file being written: fill `temporaryPath`, then `commit()` renames it to `path`. Disposing of it uncommitted removes it,
 * and so does the end of the process.
 *
 * @example await using output = await AtomicFile.create('out.h5'); ...; await output.commit();
 */
export class AtomicFile implements AsyncDisposable {
  private constructor(
    readonly path: string,
    readonly temporaryPath: string,
  ) {}

  /**
   * Creates the empty temporary file beside `path`, so that a folder that may not be written fails at once.
   *
   * @throws LarmorError `ERR_FILE_WRITE` when it cannot, or when `path` is a folder or a device.
   */
  static async create(path: string): Promise<AtomicFile> {
    const target = resolve(path);
    const temporary = join(dirname(target), `.${basename(target)}.${randomBytes(6).toString('hex')}.tmp`);
    const existing = await stat(target).catch(() => undefined);
    if (existing && !existing.isFile())
      throw new LarmorError('ERR_FILE_WRITE', `cannot write ${path}: it exists and is not a regular file`);
    try {
      await (await open(temporary, 'wx')).close();
    } catch (error) {
      throw writeFailure(path, error);
    }
    if (pending.size === 0) process.once('exit', removePending);
    pending.add(temporary);
    return new AtomicFile(target, temporary);
  }

  /** Flushes the content to the disk and gives the file its name. @throws LarmorError `ERR_FILE_WRITE`. */
  async commit(): Promise<void> {
    try {
      await flush(this.temporaryPath);
      await rename(this.temporaryPath, this.path);
    } catch (error) {
      throw writeFailure(this.path, error);
    }
    this.#settle();
  }

  /** Removes the temporary file; nothing happens after `commit()`. */
  async discard(): Promise<void> {
    if (!pending.has(this.temporaryPath)) return;
    await rm(this.temporaryPath, { force: true });
    this.#settle();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.discard();
  }

  #settle(): void {
    pending.delete(this.temporaryPath);
    if (pending.size === 0) process.off('exit', removePending);
  }
}

async function flush(path: string): Promise<void> {
  const file = await open(path, 'r+');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

/**
 * Writes `content` to `path`, whole or not at all.
 *
 * @param content Text, or byte blocks written one after another.
 * @throws LarmorError `ERR_FILE_WRITE`; nothing is left behind.
 */
export async function writeFileAtomically(path: string, content: string | readonly ArrayBufferView[]): Promise<void> {
  await using output = await AtomicFile.create(path);
  try {
    const file = await open(output.temporaryPath, 'r+');
    try {
      for (const block of typeof content === 'string' ? [Buffer.from(content)] : content) await writeAll(file, block);
    } finally {
      await file.close();
    }
  } catch (error) {
    throw writeFailure(path, error);
  }
  await output.commit();
}

/** One write may take only a part: the kernel stops at 2 GiB and at a full disk. */
async function writeAll(file: FileHandle, block: ArrayBufferView): Promise<void> {
  let bytes = new Uint8Array(block.buffer, block.byteOffset, block.byteLength);
  while (bytes.length > 0) bytes = bytes.subarray((await file.write(bytes)).bytesWritten);
}
