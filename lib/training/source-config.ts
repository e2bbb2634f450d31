// Where slices come from, as configurations write it.
import { z } from 'zod';
import { PHANTOM_FAMILIES, type PhantomFamily } from '../simulation/phantom.js';
import { expandPaths } from './file-patterns.js';
import { type SelectedScan, selectScans } from './scan-selection.js';
import {
  mixedSource,
  phantomSource,
  type ScanSourceOptions,
  type SliceSource,
  scanSource,
  volumeSource,
} from './sources.js';

/** A seed of `MT19937`. */
export const seed = z.int().min(0).max(0xffff_ffff);

/** Slices [first, end). */
const range = z.tuple([z.int().min(0), z.int().min(1)]);

const scanner = {
  /** Side of k-space. */
  size: z.int().min(16).max(1024).default(128),
  coils: z.int().min(1).max(128).default(8),
  /** Least and largest ratio of the object's median to one coil's noise. */
  snr: z.tuple([z.number().gt(0), z.number().gt(0)]).default([40, 150]),
  /** Strength of the phase: see `SimulationOptions`. */
  phase: z.number().gte(0).default(1),
  seed: seed.default(0),
};

const singleSource = z.discriminatedUnion('source', [
  z.strictObject({
    source: z.literal('phantom'),
    families: z.array(z.enum(PHANTOM_FAMILIES as [PhantomFamily, ...PhantomFamily[]])).min(1),
    subjects: z.int().min(1).max(100_000),
    /** Per subject. */
    slices: z.int().min(1).max(256).default(1),
    ...scanner,
  }),
  z.strictObject({
    source: z.literal('volumes'),
    /** NIfTI files with magnitude images, and which of their slices, [first, end). */
    volumes: z.array(z.strictObject({ path: z.string(), slices: range.optional() })).min(1),
    /** Simulated scans of every slice: the first as it is, the others varied in shape. */
    variants: z.int().min(1).default(1),
    ...scanner,
  }),
  z.strictObject({
    source: z.literal('scans'),
    /** Scans, fully sampled unless the loss is self-supervised and there is a split; `*` in a path stands for any characters of a name. */
    paths: z.array(z.union([z.string(), z.strictObject({ path: z.string(), slices: range })])).min(1),
    /** Which slices of each, [first, end), as far as it has them; a path may have slices of its own instead. */
    slices: range.optional(),
  }),
  z.strictObject({
    /** Scans of a folder, as above, picked by what they hold: see `ScanSelection`. */
    source: z.literal('folder'),
    folder: z.string(),
    name: z.string().optional(),
    acquisition: z.string().optional(),
    coils: z.int().min(1).optional(),
    rows: z.int().min(1).optional(),
    columns: z.int().min(1).optional(),
    skip: z.int().min(0).optional(),
    files: z.int().min(1).optional(),
    atMost: z.int().min(1).optional(),
    middle: z.int().min(1).optional(),
    origin: z.string().optional(),
  }),
]);

/** A source: see the functions of sources.ts. */
export const sourceSchema = z.discriminatedUnion('source', [
  singleSource,
  /** The slices of several sources. */
  z.strictObject({ source: z.literal('mixed'), sources: z.array(singleSource).min(1) }),
]);

/** A source of slices with every default filled in. */
export type SourceConfig = z.output<typeof sourceSchema>;

/** Opens what a configuration names. @throws as the sources do. */
export async function openSource(config: SourceConfig, options: ScanSourceOptions = {}): Promise<SliceSource> {
  switch (config.source) {
    case 'phantom':
      return phantomSource(config);
    case 'volumes':
      return volumeSource(config);
    case 'scans':
      return scanSource(await scansOf(config), options);
    case 'folder':
      return scanSource(await selectScans(config, options), options);
    case 'mixed':
      return mixedSource(await Promise.all(config.sources.map((part) => openSource(part, options))));
  }
}

/** Its files, with their slices where not all are taken. @throws as `expandPaths`. */
export async function scansOf({
  paths,
  slices,
}: Extract<SourceConfig, { source: 'scans' }>): Promise<(string | SelectedScan)[]> {
  const scans: (string | SelectedScan)[] = [];
  for (const entry of paths) {
    const found = typeof entry === 'string' ? await expandPaths([entry]) : [entry];
    scans.push(...found.map((one) => (slices && typeof one === 'string' ? { path: one, slices } : one)));
  }
  return scans;
}
