// Reports: one self-contained HTML page and the PNG files it shows.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { RealArray } from '../arrays/complex-array.js';
import { percentile } from '../arrays/percentile.js';
import { LarmorError } from '../errors.js';
import { writeFileAtomically } from '../io/atomic-write.js';
import { writeFailure } from '../io/file-errors.js';
import { type ImageMetrics, type PageImage, type PageSlice, renderPage, type SliceAdaptation } from './page.js';
import { encodePng, errorPicture, greyPicture, type Picture, panel } from './picture.js';

/** One image of a slice. */
export interface ReportImage {
  /** What the reader calls it, e.g. `CG-SENSE`. */
  readonly name: string;
  /** Magnitude [y, x]. */
  readonly image: RealArray;
  readonly metrics?: ImageMetrics | undefined;
}

/** One slice: its images, and with a reference their errors. */
export interface ReportSlice {
  readonly index: number;
  readonly images: readonly ReportImage[];
  /** [y, x]; with it come error maps. */
  readonly reference?: RealArray | undefined;
  readonly adaptation?: SliceAdaptation | undefined;
}

/** What `writeReport` shows. */
export interface Report {
  readonly title: string;
  /** Short facts under the title, such as the file, the acceleration and the time taken. */
  readonly facts?: readonly string[] | undefined;
  /** Charts above the slices, as `lineChart` makes them. */
  readonly charts?: readonly string[] | undefined;
  readonly slices: readonly ReportSlice[];
  /** Stands at the end of the page as it is. */
  readonly manifest: object;
}

/** Largest errors that error maps show, as fractions of white. */
const ERROR_LIMITS = [0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 1];

/** `white`: the brightest shade's value. Stray bright pixels saturate. */
function windowOf({ images, reference }: ReportSlice): number {
  const source = reference ?? images[images.length - 1].image;
  const white = percentile(source.data, 99.5);
  return white > 0 ? white : 1;
}

/** The least round limit that holds 98 % of the second-worst image's pixels, so that the others can be compared. */
function errorLimitOf(images: readonly ReportImage[], reference: RealArray, white: number): number {
  const errors = images.map(({ image }) =>
    percentile(
      image.data.map((value, i) => Math.abs(value - reference.data[i])),
      98,
    ),
  );
  errors.sort((a, b) => a - b);
  const wanted = errors[Math.max(0, errors.length - 2)] / white;
  return ERROR_LIMITS.find((limit) => limit >= wanted) ?? 1;
}

/** `CG-SENSE (10 it.)` to `cg-sense-10-it`. */
function fileStem(name: string): string {
  return (
    name
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '-')
      .replace(/^-+|-+$/g, '') || 'image'
  );
}

/** What names of files of a slice begin with; alone, the panel of all its images. */
export const sliceFile = (index: number): string => `slice-${String(index).padStart(3, '0')}`;

/** Pictures of one slice under their file names, and the slice as the page shows it. @throws LarmorError `ERR_ARGUMENT` without images; `ERR_SHAPE`. */
export function drawSlice(slice: ReportSlice): { files: Map<string, Buffer>; page: PageSlice } {
  const { index, images, reference, adaptation } = slice;
  if (images.length === 0) throw new LarmorError('ERR_ARGUMENT', `writeReport: slice ${index} must have an image`);
  const white = windowOf(slice);
  const errorLimit = reference && errorLimitOf(images, reference, white);
  const files = new Map<string, Buffer>();
  const prefix = sliceFile(index);
  const add = (name: string, picture: Picture): string => {
    const stem = `${prefix}-${fileStem(name)}`;
    let file = `${stem}.png`;
    for (let copy = 2; files.has(file); ++copy) file = `${stem}-${copy}.png`;
    const png = encodePng(picture);
    files.set(file, png);
    return `data:image/png;base64,${png.toString('base64')}`;
  };
  const shown: ReportImage[] = reference ? [...images, { name: 'Reference', image: reference }] : [...images];
  const grey = shown.map(({ image }) => greyPicture(image, white));
  const errors = images.map(({ image }) =>
    reference && errorLimit ? errorPicture(image, reference, errorLimit * white) : undefined,
  );
  const pageImages = shown.map(({ name, metrics }, i): PageImage => {
    const error = errors[i];
    return {
      name,
      metrics,
      source: add(name, grey[i]),
      errorSource: error && add(`${name} error`, error),
    };
  });
  files.set(`${prefix}.png`, encodePng(panel(reference ? [grey, errors] : [grey])));
  return { files, page: { index, images: pageImages, errorLimit, adaptation } };
}

/**
 * Writes `report.html`, which needs no other file, and beside it each slice's pictures as PNG: every image, its error
 * map, and all side by side (`slice-003.png`).
 *
 * Grey runs from 0 to the reference's 99.5th percentile in all images of a slice.
 *
 * @param directory Made if missing.
 * @returns Path of `report.html`.
 * @throws LarmorError `ERR_ARGUMENT` without slices and charts, or without images; `ERR_SHAPE` when shapes differ; `ERR_FILE_WRITE`.
 */
export async function writeReport(directory: string, report: Report): Promise<string> {
  const { title, facts = [], charts = [], slices, manifest } = report;
  if (slices.length === 0 && charts.length === 0)
    throw new LarmorError('ERR_ARGUMENT', 'writeReport: slices must not be empty, unless there are charts');
  try {
    await mkdir(directory, { recursive: true });
  } catch (error) {
    throw writeFailure(directory, error);
  }
  const pages: PageSlice[] = [];
  for (const slice of slices) {
    const { files, page } = drawSlice(slice);
    pages.push(page);
    for (const [name, png] of files) await writeFileAtomically(join(directory, name), [png]);
    await nextTurn();
  }
  const path = join(directory, 'report.html');
  await writeFileAtomically(path, renderPage({ title, facts, charts, slices: pages, manifest }));
  return path;
}
