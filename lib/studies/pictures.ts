// Which cases of a study are pictured.
import type { StudyConfig } from './config.js';
import type { StudyCase } from './produce.js';

/** True for the slices that a test asks for, under its first mask. */
export function isPictured(
  study: StudyConfig,
  { test, slice, mask }: Pick<StudyCase, 'test' | 'slice' | 'mask'>,
): boolean {
  const { pictures, masks } = study.tests[test];
  return pictures.includes(slice) && mask === masks[0];
}
