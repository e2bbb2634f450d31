// `larmor mask`: a sampling mask, drawn as fastMRI draws it.
import { InvalidArgumentError, Option } from 'commander';
import { createMask, type LineMask, MASK_TYPES, type MaskType, sampledCount } from '../sampling/mask.js';
import { integer, number } from './options.js';
import type { Outcome, Register } from './shell.js';
import { table } from './text.js';

interface MaskCommand {
  readonly columns: number;
  readonly type: MaskType;
  readonly acceleration: readonly number[];
  readonly centerFraction: readonly number[];
  readonly seed?: number;
  readonly filename?: string;
}

/** Columns of the picture a mask makes on a terminal. */
const PICTURE_WIDTH = 80;

export const register: Register = (program, shell) => {
  program
    .command('mask')
    .description('draw a sampling mask as fastMRI does')
    .requiredOption('--columns <n>', 'phase-encode columns of k-space', integer({ min: 1 }))
    .addOption(new Option('--type <type>', 'kind of mask').choices(MASK_TYPES).default('random'))
    .option('--acceleration <list>', 'acceleration; of a comma-separated list one is drawn', list({ min: 1 }), [4])
    .option(
      '--center-fraction <list>',
      'fully sampled central fraction, one per acceleration',
      list({ min: 0, max: 1 }),
      [0.08],
    )
    .addOption(new Option('--seed <n>', 'seed of the draw').argParser(integer({ min: 0 })).conflicts('filename'))
    .option('--filename <name>', "seed by a file's name, as fastMRI does for validation data (default: --seed 0)")
    .action((options: MaskCommand) => shell.run(async () => draw(options)));
};

/** Parser of numbers separated by commas. */
function list(range: { min?: number; max?: number }): (text: string) => number[] {
  const parse = number(range);
  return (text) => {
    if (text.trim() === '') throw new InvalidArgumentError('It must hold at least one number.');
    return text.split(',').map(parse);
  };
}

function draw({ columns, type, acceleration, centerFraction, seed, filename }: MaskCommand): Outcome {
  const source = filename === undefined ? { seed: seed ?? 0 } : { filename };
  const mask = createMask({ type, columns, acceleration, centerFraction, ...source });
  const sampled = sampledCount(mask);
  const json = {
    ...{ type, columns, acceleration: mask.acceleration, centerFraction: mask.centerFraction, ...source },
    lowFrequencies: mask.lowFrequencies,
    sampled,
    effectiveAcceleration: columns / sampled,
    lines: Array.from(mask.data.keys()).filter((column) => mask.data[column] === 1),
    mask: Array.from(mask.data),
  };
  const facts = table([
    ['type', `${type}, ${mask.acceleration}x, centre fraction ${mask.centerFraction}`],
    ['sampled', `${sampled} of ${columns} columns, ${(columns / sampled).toFixed(2)}x`],
    ['centre', `${mask.lowFrequencies} columns`],
  ]);
  return { json, text: `${facts}\n${picture(mask)}` };
}

/** `|` for a sampled column, `.` for one that is not. */
function picture({ data }: LineMask): string {
  const marks = Array.from(data, (bit) => (bit === 1 ? '|' : '.')).join('');
  return (marks.match(new RegExp(`.{1,${PICTURE_WIDTH}}`, 'g')) ?? []).join('\n');
}
