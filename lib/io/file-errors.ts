// Turns failures of the file system into coded errors that name the file and the remedy.
import { LarmorError } from '../errors.js';

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or folder',
  ENOTDIR: 'a part of the path is not a folder',
  EISDIR: 'it is a folder',
  EACCES: 'permission denied',
  EPERM: 'operation not permitted',
  EROFS: 'the file system is read-only',
  ENOSPC: 'no space left on the device',
  EDQUOT: 'the disk quota is exhausted',
  EFBIG: 'the file would exceed the size limit',
  EMFILE: 'too many open files',
};

function reason(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return (code !== undefined && REASONS[code]) || String(message ?? error);
}

/** `error`, met while reading `path`, as ERR_FILE_NOT_FOUND, or ERR_CLOSED after the file was closed; a LarmorError passes unchanged. */
export function readFailure(path: string, error: unknown): LarmorError {
  if (error instanceof LarmorError) return error;
  if ((error as NodeJS.ErrnoException).code === 'EBADF')
    return new LarmorError('ERR_CLOSED', `cannot read ${path}: the file is closed`, { cause: error });
  return new LarmorError('ERR_FILE_NOT_FOUND', `cannot read ${path}: ${reason(error)}`, { cause: error });
}

/** `error`, met while writing `path`, as ERR_FILE_WRITE; a LarmorError passes unchanged. */
export function writeFailure(path: string, error: unknown): LarmorError {
  if (error instanceof LarmorError) return error;
  return new LarmorError('ERR_FILE_WRITE', `cannot write ${path}: ${reason(error)}`, { cause: error });
}
