// What can be chosen about test-time training, its defaults and the paper's preset.
import { z } from 'zod';
import { LarmorError } from '../errors.js';
import { configIssue } from '../io/config-issue.js';
import { isImageNetwork } from '../networks/image-network.js';
import type { Network } from '../networks/network.js';
import { INPUT_KINDS } from '../networks/network-input.js';
import { PARAMETER_CHOICES } from '../networks/parameter-choice.js';
import { SSDU_KINDS } from '../sampling/ssdu.js';
import { NORMS } from '../training/losses/misfit.js';
import { ZERO_SHOT } from './zero-shot.js';

const stopRule = z.discriminatedUnion('rule', [
  z.strictObject({
    rule: z.literal('patience'),
    /** Iterations without a better held-out loss before stopping. */
    patience: z.int().min(1).default(30),
  }),
  z.strictObject({
    rule: z.literal('window'),
    /** Length w: after 3 w iterations, stop once the mean of the last w held-out losses exceeds the mean of the w before. */
    window: z.int().min(1).default(100),
  }),
]);

const heldOut = z.strictObject({
  /** Single k-space points, or whole phase-encode lines. */
  kind: z.enum(['points', 'lines']).default('points'),
  /** Share of the sampled points or lines that is kept out of the training loss. */
  fraction: z.number().gt(0).lt(1).default(0.05),
  /** Draw with replacement, so that slightly fewer distinct points are held out. */
  replacement: z.boolean().default(false),
  /** Side of the centre of k-space that is never held out. Default: 4 for lines, 0 for points. */
  protectedCenter: z.int().min(0).optional(),
  /** Also keep the held-out samples out of the network's input while it trains. A disjoint loss does so anyway. */
  removeFromInput: z.boolean().default(false),
});

const loss = z.strictObject({
  /** Misfit of all samples that the loss looks at, relative to them. */
  norm: z.enum(NORMS).default('l1'),
  /**
   * `all`: network and loss see the same samples. `disjoint`: every step splits them afresh into those that the network sees and those
   * that the loss looks at, so that no loss sees its own input.
   */
  samples: z.enum(['all', 'disjoint']).default('all'),
  /** How a disjoint loss draws its samples: see `ssduSplit`. */
  kind: z.enum(SSDU_KINDS).default('ssdu-uniform'),
  /** Share of the samples that a disjoint loss looks at. */
  fraction: z.number().gt(0).lt(1).default(0.4),
  /** Side of the centre of k-space that the network always sees. Default: 0 for networks from image to image, 4 for others. */
  protectedCenter: z.int().min(0).optional(),
  /** Divisions that the steps of a disjoint loss go around. Default: every step has a new one. */
  pairs: z.int().min(1).max(10_000).optional(),
});

const schema = z.strictObject({
  preset: z.enum(['default', 'paper', 'zero-shot']).default('default'),
  /** What the network sees. Default: what the model was trained with. */
  input: z.enum(INPUT_KINDS).optional(),
  maxIterations: z.int().min(1).max(100_000).default(150),
  learningRate: z.number().gt(0).lt(1).default(3e-3),
  /** Iterations over which the learning rate rises linearly to its value: Adam's first steps know no curvature yet. */
  warmUp: z.int().min(0).default(25),
  /** Seconds per slice after which the best weights so far are taken. */
  timeBudget: z.number().gt(0).optional(),
  heldOut: heldOut.prefault({}),
  loss: loss.prefault({}),
  /** Weights of terms beside the data: see `LossDescription`. 0 leaves a term out. */
  penalties: z
    .strictObject({ equivariance: z.number().min(0).default(0), totalVariation: z.number().min(0).default(0) })
    .prefault({}),
  stop: stopRule.prefault({ rule: 'patience' }),
  /**
   * At the first comparison so many iterations after the warm-up, before which little has been learned, and at the end: where the best weights
   * so far do not beat the starting ones on the held-out samples by so many standard errors of the paired differences, the starting ones are
   * kept and the run ends. After 0: never.
   */
  notNeeded: z
    .strictObject({ after: z.int().min(0).default(20), standardErrors: z.number().min(0).default(2) })
    .prefault({}),
  /** Which weights make the image: those of the lowest held-out loss, or of the last iteration. */
  keep: z.enum(['best', 'last']).default('best'),
  /** Whether a running average of the weights is judged and kept instead of the last ones: see `JudgedWeights`. */
  average: z.boolean().default(true),
  /** Held-out losses are compared, and weights saved, every so many iterations. */
  interval: z.int().min(1).default(10),
  /** Which parameters train: see `ParameterChoice`; or low-rank adapters of every kernel, and what is small. */
  parameters: z.union([z.enum(PARAMETER_CHOICES), z.strictObject({ lowRank: z.int().min(1) })]).default('all'),
  /** Less memory for networks of cascades or unrolls: see `TrainingGraphOptions`. */
  recompute: z.boolean().default(false),
  /** Where a slice starts: the model, or the previous slice's adapted weights where its held-out loss is lower with them. */
  start: z.enum(['model', 'previous-slice']).default('model'),
  /** Joint iterations over slices of the volume before the slices adapt one by one; 0 leaves them out. */
  volumeIterations: z.int().min(0).default(0),
  /** Slices that the joint iterations go around, evenly spaced over the volume; all are in memory at once. */
  volumeSlices: z.int().min(1).default(8),
  seed: z.int().min(0).max(0xffff_ffff).optional(),
});

/** Options of test-time training with every default filled in: see `adaptationSettings`. */
export type AdaptationSettings = z.output<typeof schema>;

/** Options of test-time training as a caller writes them: every field may be left out. */
export type AdaptationOptions = z.input<typeof schema>;

/**
 * The procedure of Darestani, Liu and Heckel (ICML 2022): split-RSS input, 5 % of the points held out with replacement, Adam at 1e-5, at
 * most 2500 iterations, the window rule, and the weights of the last iteration whatever the held-out loss says.
 */
const PAPER: AdaptationOptions = {
  input: 'split-rss',
  maxIterations: 2500,
  learningRate: 1e-5,
  warmUp: 0,
  heldOut: { kind: 'points', fraction: 0.05, replacement: true },
  stop: { rule: 'window', window: 100 },
  notNeeded: { after: 0 },
  keep: 'last',
  average: false,
  interval: 1,
};

/**
 * Of networks with the measurement inside, which fit the samples they see whatever their weights: only others can train and judge them. On
 * a shifted scan such a network gains most of what it will in some dozens of steps.
 */
const MEASUREMENT_INSIDE: AdaptationOptions = {
  learningRate: 1e-3,
  warmUp: 10,
  heldOut: { fraction: 0.1 },
  loss: { samples: 'disjoint' },
};

/** Learning rate of the iteration after `made` ones. */
export function learningRateAt({ learningRate, warmUp }: AdaptationSettings, made: number): number {
  return learningRate * Math.min(1, (made + 1) / Math.max(1, warmUp));
}

const isGroup = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The preset's fields with those of `options` in their place; groups of fields field by field, unless they are of different rules. */
function overridden(preset: AdaptationOptions, options: AdaptationOptions): Record<string, unknown> {
  const result: Record<string, unknown> = { ...preset };
  for (const [name, value] of Object.entries<unknown>(options)) {
    const known: unknown = result[name];
    const merges = isGroup(known) && isGroup(value) && known.rule === value.rule;
    result[name] = merges ? { ...known, ...value } : value;
  }
  return result;
}

/**
 * Options with every default filled in. Fields beside `preset` override the preset's.
 *
 * @param network What will adapt: those with the measurement inside have defaults of their own. Default: a network from image to image.
 * @throws LarmorError `ERR_ARGUMENT` naming the first wrong field.
 */
export function adaptationSettings(options: AdaptationOptions = {}, network?: Network): AdaptationSettings {
  const ownDefaults = network && !isImageNetwork(network) ? MEASUREMENT_INSIDE : {};
  const preset = { default: ownDefaults, paper: PAPER, 'zero-shot': ZERO_SHOT }[options.preset ?? 'default'] ?? {};
  const parsed = schema.safeParse(overridden(preset, options));
  if (parsed.success) return parsed.data;
  const { field, message } = configIssue(schema, parsed.error);
  throw new LarmorError('ERR_ARGUMENT', `adapt${field && `.${field}`}: ${message}`);
}
