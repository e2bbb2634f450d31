// The installed package's types from ESM: compiled by .ci/pack-smoke where only larmor is installed.
import { LarmorError, type LarmorErrorCode, openScan, type RealArray, reconstruct } from 'larmor';

export async function firstSlice(path: string, signal: AbortSignal): Promise<RealArray> {
  const scan = await openScan(path, { signal });
  const { image } = await reconstruct(scan, { method: 'zero-filled', slices: { first: 0, end: 1 }, signal });
  await scan[Symbol.asyncDispose]();
  return image;
}

export const codeOf = (error: unknown): LarmorErrorCode | undefined =>
  error instanceof LarmorError ? error.code : undefined;
