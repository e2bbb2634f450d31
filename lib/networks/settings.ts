// The settings of a network: its configuration with defaults filled in.
import type { z } from 'zod';
import { LarmorError } from '../errors.js';

/** `config` as `schema` completes it. @throws LarmorError `ERR_MODEL` naming the kind of network and the first wrong field. */
export function networkSettings<S extends z.ZodType>(kind: string, schema: S, config: unknown): z.output<S> {
  const parsed = schema.safeParse(config);
  if (parsed.success) return parsed.data;
  const [{ path, message }] = parsed.error.issues;
  throw new LarmorError('ERR_MODEL', `${kind}: ${path.join('.') || 'config'}: ${message}`);
}
