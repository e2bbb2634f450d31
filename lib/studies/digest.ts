// Names of results by what made them: equal digests, equal results.
import { createHash } from 'node:crypto';
import { withInput } from '../io/input-file.js';

/** Files up to this size count with every byte. */
const WHOLE_BYTES = 2 ** 26;
/** Of larger ones, so many blocks of so many bytes, evenly spread, count beside the size. */
const BLOCKS = 32;
const BLOCK_BYTES = 2 ** 20;

/** SHA-256 of values that JSON can hold, in hexadecimal; the order of keys counts for nothing. */
export function digestOf(value: unknown): string {
  return createHash('sha256').update(canonical(value)).digest('hex');
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    part !== null && typeof part === 'object' && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}

/**
 * Digest of a file's content: of all of it up to 64 MiB, else of its size and 32 MiB spread over it, so that a folder of large scans can be
 * told apart without reading it whole.
 *
 * @throws LarmorError as `withInput`; `signal.reason`.
 */
export function fileFingerprint(path: string, signal?: AbortSignal): Promise<string> {
  return withInput(path, async (file, bytes) => {
    const hash = createHash('sha256').update(String(bytes));
    const whole = bytes <= WHOLE_BYTES;
    const blocks = whole ? Math.ceil(bytes / BLOCK_BYTES) : BLOCKS;
    const block = new Uint8Array(BLOCK_BYTES);
    for (let b = 0; b < blocks; b += 1) {
      signal?.throwIfAborted();
      const position = whole ? b * BLOCK_BYTES : Math.floor((b * (bytes - BLOCK_BYTES)) / (BLOCKS - 1));
      const { bytesRead } = await file.read(block, 0, BLOCK_BYTES, position);
      hash.update(block.subarray(0, bytesRead));
    }
    return hash.digest('hex');
  });
}
