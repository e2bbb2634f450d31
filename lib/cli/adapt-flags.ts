// The flags that say how a network adapts, and the options they stand for.
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { AdaptationOptions } from '../adaptation/options.js';
import { LarmorError } from '../errors.js';
import { integer, number } from './options.js';

/** As parsed from the command line. */
export interface AdaptFlags {
  readonly adapt?: true;
  readonly adaptPreset?: 'default' | 'paper' | 'zero-shot';
  readonly adaptIterations?: number;
  readonly timeBudget?: number;
  readonly adaptOption?: FieldTree;
}

/** Fields of options by name, some with fields of their own. */
export interface FieldTree {
  readonly [name: string]: unknown;
}

export function addAdaptFlags(command: Command): Command {
  return command
    .option('--adapt', 'train the network further on every slice')
    .addOption(new Option('--adapt-preset <name>', 'recipe of --adapt').choices(['default', 'paper', 'zero-shot']))
    .option('--adapt-iterations <n>', 'most training steps a slice', integer({ min: 1 }))
    .option('--time-budget <s>', 'seconds of training a slice', number({ min: 0 }))
    .option('--adapt-option <field=value>', 'any other field, such as loss.samples=disjoint; repeatable', fieldOf);
}

/** @throws LarmorError `ERR_ARGUMENT` for a flag that goes with --adapt. */
export function adaptationOf(flags: AdaptFlags): AdaptationOptions | false {
  const { adaptPreset: preset, adaptIterations: maxIterations, timeBudget, adaptOption = {} } = flags;
  const chosen = {
    ...(preset !== undefined && { preset }),
    ...(maxIterations !== undefined && { maxIterations }),
    ...(timeBudget !== undefined && { timeBudget }),
    ...adaptOption,
  };
  if (!flags.adapt && Object.keys(chosen).length > 0)
    throw new LarmorError(
      'ERR_ARGUMENT',
      '--adapt-preset, --adapt-iterations, --time-budget and --adapt-option go with --adapt',
    );
  return flags.adapt ? chosen : false; // names and values are checked with all other settings
}

/** Parser of `field=value`, the field dotted where it lies in another; adds to the fields given before. */
export function fieldOf(text: string, before: FieldTree = {}): FieldTree {
  const parts = /^([a-zA-Z]+(?:\.[a-zA-Z]+)*)=(.+)$/.exec(text);
  if (!parts) throw new InvalidArgumentError('It must be FIELD=VALUE, such as heldOut.fraction=0.1.');
  return withField(before, parts[1].split('.'), asValue(parts[2]));
}

function withField(tree: FieldTree, [name, ...inner]: readonly string[], value: unknown): FieldTree {
  if (inner.length === 0) return { ...tree, [name]: value };
  const within = Object.hasOwn(tree, name) ? tree[name] : {};
  const branch = typeof within === 'object' && within !== null ? (within as FieldTree) : {};
  return { ...tree, [name]: withField(branch, inner, value) };
}

/** Numbers, true and false as such; everything else is text. */
function asValue(text: string): unknown {
  if (text === 'true' || text === 'false') return text === 'true';
  const number = text.trim() === '' ? Number.NaN : Number(text);
  return Number.isFinite(number) ? number : text;
}
