// The public face of the package: re-exports only.
export type { ComplexArray, RealArray, Shape } from './arrays/complex-array.js';
export { ERROR_CODES, LarmorError, type LarmorErrorCode } from './errors.js';
export type { RunOptions } from './jobs.js';
