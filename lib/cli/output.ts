// Checks of output paths before any work is done for them.
import { realpath } from 'node:fs/promises';
import { LarmorError } from '../errors.js';
import { AtomicFile } from '../io/atomic-write.js';

/**
 * Throws unless a file can be written at `output` and is not the input itself.
 *
 * @throws LarmorError `ERR_ARGUMENT` for the input's own path; `ERR_FILE_WRITE`.
 */
export async function expectOutput(output: string, input: string): Promise<void> {
  const [to, from] = await Promise.all([output, input].map((path) => realpath(path).catch(() => undefined)));
  if (to !== undefined && to === from)
    throw new LarmorError('ERR_ARGUMENT', `the output ${output} is the input; name another file with -o`);
  await (await AtomicFile.create(output)).discard();
}
