// Results on disk by digest, so that a study that was stopped goes on where it was.
import { existsSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RealArray } from '../arrays/complex-array.js';
import { writeFileAtomically } from '../io/atomic-write.js';
import { writeFailure } from '../io/file-errors.js';
import { float32Tensor, readSafetensors, type StoredTensor, writeSafetensors } from '../io/safetensors.js';

/** A folder of results. Files appear whole or not at all, so several studies may share it. */
export class ResultStore {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** @throws LarmorError `ERR_FILE_WRITE` when the folder cannot be made. */
  static async open(folder: string): Promise<ResultStore> {
    await makeFolder(folder);
    return new ResultStore(folder);
  }

  /** What was stored under `digest`; undefined where there is nothing, or nothing legible. */
  async read<T>(digest: string): Promise<T | undefined> {
    try {
      return JSON.parse(await readFile(this.#path(digest, 'json'), 'utf8'));
    } catch {
      return undefined;
    }
  }

  /** Stores a value that JSON can hold. @throws LarmorError `ERR_FILE_WRITE`. */
  write(digest: string, value: unknown): Promise<void> {
    return writeFileAtomically(this.#path(digest, 'json'), `${JSON.stringify(value)}\n`);
  }

  hasImages(digest: string): boolean {
    return existsSync(this.#path(digest, 'safetensors'));
  }

  /** Images [y, x] by name. @throws LarmorError as `readSafetensors`. */
  async readImages(digest: string): Promise<Map<string, RealArray>> {
    const file = await readSafetensors(this.#path(digest, 'safetensors'));
    return new Map([...file.tensors.keys()].map((name) => [name, float32Tensor(file, name)]));
  }

  /** @throws LarmorError `ERR_FILE_WRITE`. */
  writeImages(digest: string, images: ReadonlyMap<string, RealArray>): Promise<void> {
    const tensors = new Map<string, StoredTensor>();
    for (const [name, { shape, data }] of images)
      tensors.set(name, { dtype: 'F32', shape, data: Float32Array.from(data) });
    return writeSafetensors(this.#path(digest, 'safetensors'), tensors, {});
  }

  #path(digest: string, ending: string): string {
    return join(this.#folder, `${digest.slice(0, 32)}.${ending}`);
  }
}

/** Makes a folder and those above it. @throws LarmorError `ERR_FILE_WRITE`. */
export async function makeFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true }).catch((error: unknown) => {
    throw writeFailure(folder, error);
  });
}
