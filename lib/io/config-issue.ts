// What is wrong with a configuration, told in one line.
import type { z } from 'zod';
import { nearestName } from './nearest-name.js';

/** One thing that is wrong, and the field that it is in: names and positions from the outermost on, joined by dots. */
export interface ConfigIssue {
  readonly field: string;
  readonly message: string;
}

/** What this file needs to know of a schema, whatever its kind. */
interface Definition {
  readonly shape?: Readonly<Record<string, z.core.$ZodType>>;
  readonly options?: readonly z.core.$ZodType[];
  readonly innerType?: z.core.$ZodType;
  readonly in?: z.core.$ZodType;
  readonly element?: z.core.$ZodType;
  readonly valueType?: z.core.$ZodType;
}

type Path = readonly PropertyKey[];

/**
 * The first thing to mend. An unknown field comes before one that is missing: it is likely the missing one misspelt, and is told with the
 * known name that is nearest.
 */
export function configIssue(schema: z.core.$ZodType, { issues }: z.core.$ZodError): ConfigIssue {
  const flat = issues.flatMap((issue) => within(issue, []));
  const issue = flat.find(({ code }) => code === 'unrecognized_keys') ?? flat[0];
  const field = issue.path.join('.');
  if (issue.code === 'unrecognized_keys')
    return { field, message: unknownField(issue.keys[0], fieldsAt(schema, issue.path)) };
  return { field, message: issue.code === 'invalid_key' ? issue.issues[0].message : issue.message };
}

/** An issue, or of several forms that a value may have those of the one it was likely meant to be. */
function within(issue: z.core.$ZodIssue, before: Path): z.core.$ZodIssue[] {
  const path = [...before, ...issue.path];
  const meant =
    issue.code === 'invalid_union' &&
    issue.errors.find(
      (inner) => inner.length > 0 && !inner.some((each) => each.path.length === 0 && isOfOtherKind(each)),
    );
  return meant ? meant.flatMap((inner) => within(inner, path)) : [{ ...issue, path }];
}

const isOfOtherKind = ({ code }: z.core.$ZodIssue): boolean => code === 'invalid_type' || code === 'invalid_value';

function unknownField(name: string, known: readonly string[]): string {
  const nearest = nearestName(name, known);
  const farthest = Math.max(2, Math.floor(name.length / 2));
  if (nearest && nearest.distance <= farthest) return `unknown field "${name}"; did you mean "${nearest.name}"?`;
  return `unknown field "${name}"; known are ${known.join(', ')}`;
}

/** Names of the fields that a schema has at a path. */
function fieldsAt(schema: z.core.$ZodType, path: Path): string[] {
  const { shape, options, innerType, in: input, element, valueType } = schema._zod.def as Definition;
  const inner = innerType ?? input;
  if (inner) return fieldsAt(inner, path);
  if (options) return [...new Set(options.flatMap((option) => fieldsAt(option, path)))];
  if (path.length === 0) return Object.keys(shape ?? {});
  const [first, ...rest] = path;
  const next = shape?.[String(first)] ?? element ?? valueType;
  return next ? fieldsAt(next, rest) : [];
}
