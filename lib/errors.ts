// The one error class of this package and its finite set of codes.

/** Every code a `LarmorError` can carry, with what it means. */
export const ERROR_CODES = {
  ERR_ARGUMENT: 'an option or argument has the wrong type or lies outside its range',
  ERR_SHAPE: 'an array has the wrong shape',
  ERR_NOT_FINITE: 'data hold NaN or infinity',
  ERR_MASK: 'a sampling mask is empty, of another length, or not 0/1',
  ERR_FILE_NOT_FOUND: 'a file does not exist or may not be read',
  ERR_FILE_FORMAT: 'a file is truncated, corrupt, or of another kind than its name says',
  ERR_FILE_WRITE: 'an output could not be written (no permission, disk full)',
  ERR_CONFIG: 'a configuration file is not valid',
  ERR_MODEL: 'a model file is corrupt, unknown, or does not fit the data',
  ERR_CALIBRATION: 'coil sensitivities cannot be estimated from these data',
  ERR_NOISE: 'the noise of the coils cannot be estimated, or its covariance is singular',
  ERR_GRAPH: 'a network graph is inconsistent or uses an unknown operator',
  ERR_RUNTIME: 'ONNX Runtime reported a failure',
  ERR_RUNTIME_MISSING: 'ONNX Runtime is not installed or cannot be loaded',
  ERR_NATIVE_MISSING: 'the native addon is not built for this platform',
  ERR_DEVICE: 'the requested device is not available, or it failed',
  ERR_OUT_OF_MEMORY: 'memory ran out',
  ERR_DIVERGED: 'an iteration or a training run left the finite numbers',
  ERR_CLOSED: 'an object was used after it was closed',
  ERR_INTERNAL: 'a defect of larmor: please report it',
} as const;

/** The code of a `LarmorError`. */
export type LarmorErrorCode = keyof typeof ERROR_CODES;

/** Every error this package throws on purpose: branch on `code`, never on `message`. */
export class LarmorError extends Error {
  override readonly name = 'LarmorError';

  constructor(
    readonly code: LarmorErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** Runs `work`; the messages of its errors then say what they are about. */
export async function naming<T>(name: string, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof LarmorError)) throw error;
    throw new LarmorError(error.code, `${name}: ${error.message}`, { cause: error });
  }
}

/** `error` as a `LarmorError`: itself, or wrapped with its own code where it carries a known one. */
export function toLarmorError(error: unknown, fallback: LarmorErrorCode = 'ERR_INTERNAL'): LarmorError {
  if (error instanceof LarmorError) return error;
  const { code, message } = error as { code?: unknown; message?: unknown };
  const known = typeof code === 'string' && Object.hasOwn(ERROR_CODES, code);
  return new LarmorError(known ? (code as LarmorErrorCode) : fallback, String(message ?? error), { cause: error });
}
