// Configuration files: JSON.
import { readFile } from 'node:fs/promises';
import { LarmorError } from '../errors.js';
import { readFailure } from './file-errors.js';

/** What a JSON file says. @throws LarmorError `ERR_FILE_NOT_FOUND`; `ERR_CONFIG` when it is not JSON. */
export async function readJson(path: string): Promise<unknown> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw readFailure(path, error);
  });
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new LarmorError('ERR_CONFIG', `${path} is not JSON: ${(cause as Error).message}`, { cause });
  }
}
