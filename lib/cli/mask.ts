// `larmor mask`: a sampling mask, of columns as fastMRI draws it or of points.
import { basename } from 'node:path';
import { InvalidArgumentError, Option } from 'commander';
import { seedFromName } from '../arrays/mt19937.js';
import { LarmorError } from '../errors.js';
import { centralPoints, isPointType } from '../reconstruction/sampling.js';
import {
  createMask,
  type LineMask,
  MASK_TYPES,
  type MaskType,
  type SamplingMask,
  sampledCount,
} from '../sampling/mask.js';
import { createPointMask, defaultCenter, POINT_MASK_TYPES, type PointMaskType } from '../sampling/point-mask.js';
import { integer, number } from './options.js';
import type { Outcome, Register } from './shell.js';
import { table } from './text.js';

interface MaskCommand {
  readonly columns: number;
  readonly rows?: number;
  readonly type: MaskType | PointMaskType;
  readonly acceleration: readonly number[];
  readonly centerFraction?: readonly number[];
  readonly seed?: number;
  readonly filename?: string;
}

/** Columns of the picture a mask makes on a terminal, and rows of one of points. */
const PICTURE_WIDTH = 80;
const PICTURE_HEIGHT = 40;

/** fastMRI's for 4x. */
const CENTER_FRACTION = 0.08;

export const register: Register = (program, shell) => {
  program
    .command('mask')
    .description('draw a sampling mask: columns as fastMRI does, or points for two phase encodes')
    .requiredOption('--columns <n>', 'phase-encode columns of k-space', integer({ min: 1 }))
    .option('--rows <n>', 'of points: second phase encodes', integer({ min: 1 }))
    .addOption(
      new Option('--type <type>', 'columns, or with --rows points')
        .choices([...MASK_TYPES, ...POINT_MASK_TYPES])
        .default('random'),
    )
    .option('--acceleration <list>', 'acceleration; of a comma-separated list one is drawn', list({ min: 1 }), [4])
    .option(
      '--center-fraction <list>',
      `fully sampled central fraction, one per acceleration; of points, of both axes (default: ${CENTER_FRACTION}; of points, by acceleration)`,
      list({ min: 0, max: 1 }),
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

function draw(options: MaskCommand): Outcome {
  const { type, rows } = options;
  if (isPointType(type)) return drawPoints(options, type);
  if (rows !== undefined)
    throw new LarmorError('ERR_ARGUMENT', `mask: --rows goes with --type ${POINT_MASK_TYPES.join(' or ')}`);
  return drawColumns(options, type);
}

function drawColumns({ columns, acceleration, seed, filename, ...options }: MaskCommand, type: MaskType): Outcome {
  const { centerFraction = [CENTER_FRACTION] } = options;
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

function drawPoints({ columns, rows, seed, filename, ...options }: MaskCommand, type: PointMaskType): Outcome {
  if (rows === undefined) throw new LarmorError('ERR_ARGUMENT', `mask: --type ${type} wants --rows too`);
  const [acceleration, ...others] = options.acceleration;
  const [centerFraction] = options.centerFraction ?? [];
  if (others.length > 0) throw new LarmorError('ERR_ARGUMENT', `mask: --type ${type} takes one acceleration`);
  const source = filename === undefined ? { seed: seed ?? 0 } : { filename };
  const shape = [rows, columns] as const;
  const center =
    centerFraction === undefined ? defaultCenter(shape, acceleration) : centralPoints(shape, centerFraction);
  const drawn = source.seed ?? seedFromName(basename(filename ?? ''));
  const mask = createPointMask({ type, shape, acceleration, center, seed: drawn });
  const sampled = sampledCount(mask);
  const effectiveAcceleration = (rows * columns) / sampled;
  const json = {
    ...{ type, rows, columns, acceleration, ...source },
    ...{ center, sampled, effectiveAcceleration, mask: Array.from(mask.data) },
  };
  const facts = table([
    ['type', `${type}, ${acceleration}x`],
    ['sampled', `${sampled} of ${rows} x ${columns} points, ${effectiveAcceleration.toFixed(2)}x`],
    ['centre', `${center.join(' x ')} points`],
  ]);
  return { json, text: `${facts}\n${pointPicture(mask)}` };
}

/** The middle of the mask, as much as fits on a terminal: `#` for a sampled point, `.` for one that is not. */
function pointPicture({ data, shape: [rows, columns = 1] }: SamplingMask): string {
  const [height, width] = [Math.min(rows, PICTURE_HEIGHT), Math.min(columns, PICTURE_WIDTH)];
  const [top, left] = [(rows - height) >> 1, (columns - width) >> 1];
  const row = (y: number): string =>
    Array.from({ length: width }, (_, x) => (data[(top + y) * columns + left + x] === 1 ? '#' : '.')).join('');
  return Array.from({ length: height }, (_, y) => row(y)).join('\n');
}

/** `|` for a sampled column, `.` for one that is not. */
function picture({ data }: LineMask): string {
  const marks = Array.from(data, (bit) => (bit === 1 ? '|' : '.')).join('');
  return (marks.match(new RegExp(`.{1,${PICTURE_WIDTH}}`, 'g')) ?? []).join('\n');
}
