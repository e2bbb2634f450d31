// What a study can ask of its results.
import { z } from 'zod';

export const METRICS = ['ssim', 'ssimMatched', 'psnr', 'nmse'] as const;

/** A figure of merit: see `Metrics`. */
export type Metric = (typeof METRICS)[number];

/**
 * `mean` over the slices, the `worst` of them; `absolute-mean`: the magnitude of the mean; `mean-absolute`: the mean of the magnitudes.
 */
export const STATISTICS = ['mean', 'worst', 'absolute-mean', 'mean-absolute'] as const;
export type Statistic = (typeof STATISTICS)[number];

const bounds = { atLeast: z.number().optional(), atMost: z.number().optional() };
const hasBound = ({ atLeast, atMost }: { atLeast?: number | undefined; atMost?: number | undefined }): boolean =>
  atLeast !== undefined || atMost !== undefined;
const noBound = 'wants atLeast or atMost';

/** A row's figure, or its difference to another row's slice by slice; the share of the gap that adaptation closes; or a race. */
export const targetSchema = z.union([
  z
    .strictObject({
      of: z.string(),
      over: z.string().optional(),
      metric: z.enum(METRICS).default('ssim'),
      statistic: z.enum(STATISTICS).default('mean'),
      ...bounds,
    })
    .refine(hasBound, noBound),
  z
    .strictObject({
      /** Recipe whose share of the gap is asked. */
      shareOfGap: z.string(),
      /** Which pair of models. Default: the first. */
      shift: z.string().optional(),
      consistent: z.boolean().default(false),
      metric: z.enum(METRICS).default('ssim'),
      ...bounds,
    })
    .refine(hasBound, noBound),
  z
    .strictObject({
      /** How many times faster this row comes to the best SSIM that the row `against` ever has; both recipes need an oracle. */
      race: z.string(),
      against: z.string(),
      ...bounds,
    })
    .refine(hasBound, noBound),
]);

export type Target = z.output<typeof targetSchema>;
