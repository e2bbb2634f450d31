// The contrasts of a file beside the one that is reconstructed, for methods that reconstruct all of them at once.
import { LarmorError } from '../errors.js';
import { openScan, type Scan, type ScanReadOptions } from '../io/scan.js';
import { planSampling, type Sampling } from './sampling.js';

/** One contrast of a file, and which of its samples count. */
interface Contrast {
  readonly scan: Scan;
  readonly sampling: Sampling;
}

/** Values of the contrast counter that a scan's file has; one for files without it. */
export function contrastsOf({ contents }: Scan): readonly number[] {
  return contents?.available.contrast ?? [0];
}

/** The other contrasts of a scan's file, open until disposed of. */
export class OtherContrasts implements AsyncDisposable {
  readonly contrasts: readonly Contrast[];

  private constructor(contrasts: readonly Contrast[]) {
    this.contrasts = contrasts;
  }

  /**
   * @param sampling Of the scan; a mask drawn for it is that of all contrasts, else each has the mask it was measured with.
   * @throws LarmorError as `openScan`; `ERR_FILE_FORMAT` where contrasts differ in slices, coils or matrix; `ERR_ARGUMENT` for a drawn
   *   mask where not all of them are fully sampled.
   */
  static async open(scan: Scan, sampling: Sampling, { signal }: ScanReadOptions): Promise<OtherContrasts> {
    const { path, contents } = scan;
    const contrasts: Contrast[] = [];
    const all = new OtherContrasts(contrasts);
    try {
      for (const contrast of contrastsOf(scan)) {
        if (!contents || contrast === contents.selected.contrast) continue;
        const other = await openScan(path, { ...contents.selected, dataset: contents.dataset, contrast, signal });
        const drawn = sampling.description.source === 'drawn';
        contrasts.push({ scan: other, sampling: drawn ? sampling : planSampling(other, undefined) });
        expectAlike(scan, other, contrast);
        if (drawn && !other.fullySampled)
          throw new LarmorError('ERR_ARGUMENT', `undersample: contrast ${contrast} of ${path} is undersampled already`);
      }
      return all;
    } catch (error) {
      await all[Symbol.asyncDispose]();
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.contrasts.map(({ scan }) => scan.close()));
  }
}

function expectAlike(scan: Scan, other: Scan, contrast: number): void {
  const sizes = ({ slices, coils, matrix }: Scan): string => `${slices} slices, ${coils} coils, ${matrix.join(' x ')}`;
  if (sizes(scan) !== sizes(other))
    throw new LarmorError(
      'ERR_FILE_FORMAT',
      `${scan.path}: contrast ${contrast} has ${sizes(other)}, the selected one ${sizes(scan)}`,
    );
}
