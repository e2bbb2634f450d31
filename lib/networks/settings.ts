// The settings of a network: its configuration with defaults filled in.
import type { z } from 'zod';
import { LarmorError } from '../errors.js';
import { configIssue } from '../io/config-issue.js';

/** `config` as `schema` completes it. @throws LarmorError `ERR_MODEL` naming the kind of network and the first wrong field. */
export function networkSettings<S extends z.ZodType>(kind: string, schema: S, config: unknown): z.output<S> {
  const parsed = schema.safeParse(config);
  if (parsed.success) return parsed.data;
  const { field, message } = configIssue(schema, parsed.error);
  throw new LarmorError('ERR_MODEL', `${kind}: ${field || 'config'}: ${message}`);
}
