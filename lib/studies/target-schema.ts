// What a study can ask of its results, as configurations write it and one by one.
import { z } from 'zod';

export const METRICS = ['ssim', 'ssimMatched', 'psnr', 'nmse'] as const;

/** A figure of merit: see `Metrics`. */
export type Metric = (typeof METRICS)[number];

/**
 * `mean` over the slices, the `worst` of them; `absolute-mean`: the magnitude of the mean; `mean-absolute`: the mean of the magnitudes.
 */
const STATISTICS = ['mean', 'worst', 'absolute-mean', 'mean-absolute'] as const;
export type Statistic = (typeof STATISTICS)[number];

/** One, or several that stand for a target each. */
const oneOrMore = <T extends z.ZodType>(one: T) => z.union([one, z.array(one).min(1)]);

const bounds = { atLeast: z.number().optional(), atMost: z.number().optional() };
const hasBound = ({ atLeast, atMost }: { atLeast?: number | undefined; atMost?: number | undefined }): boolean =>
  atLeast !== undefined || atMost !== undefined;
const noBound = 'wants atLeast or atMost';
const metric = oneOrMore(z.enum(METRICS)).default('ssim');

/**
 * A row's figure, or its difference to another row's slice by slice; the share of the gap that adaptation closes; or a race. A `*` in a
 * row's name stands for any characters, and in the row it is compared with for the same ones.
 */
export const targetSchema = z.union([
  z
    .strictObject({
      of: oneOrMore(z.string()),
      over: oneOrMore(z.string()).optional(),
      metric,
      statistic: z.enum(STATISTICS).default('mean'),
      ...bounds,
    })
    .refine(hasBound, noBound),
  z
    .strictObject({
      /** Recipe whose share of the gap is asked. */
      shareOfGap: z.string(),
      /** Which pair of models. Default: the first. */
      shift: oneOrMore(z.string()).optional(),
      consistent: z.boolean().default(false),
      metric,
      ...bounds,
    })
    .refine(hasBound, noBound),
  z
    .strictObject({
      /** How many times faster this row comes to the best SSIM that the row `against` ever has; both recipes need an oracle. */
      race: oneOrMore(z.string()),
      against: oneOrMore(z.string()),
      ...bounds,
    })
    .refine(hasBound, noBound),
]);

/** Targets as a configuration writes them. */
export type TargetRule = z.output<typeof targetSchema>;

interface Bounds {
  readonly atLeast?: number | undefined;
  readonly atMost?: number | undefined;
}

/** One target, of one row. */
export type Target = Bounds &
  (
    | {
        readonly of: string;
        readonly over?: string | undefined;
        readonly metric: Metric;
        readonly statistic: Statistic;
      }
    | {
        readonly shareOfGap: string;
        readonly shift?: string | undefined;
        readonly consistent: boolean;
        readonly metric: Metric;
      }
    | { readonly race: string; readonly against: string }
  );
