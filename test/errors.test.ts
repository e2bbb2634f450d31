import { expect, test } from 'vitest';
import { LarmorError, toLarmorError } from '#larmor/errors.js';

test('keeps known codes of foreign errors and falls back otherwise', () => {
  const coded = Object.assign(new Error('x'), { code: 'ERR_SHAPE' });
  expect(toLarmorError(coded).code).toBe('ERR_SHAPE');
  expect(toLarmorError(Object.assign(new Error('x'), { code: 'ENOENT' }), 'ERR_FILE_NOT_FOUND').code).toBe(
    'ERR_FILE_NOT_FOUND',
  );
  const own = new LarmorError('ERR_MASK', 'm');
  expect(toLarmorError(own)).toBe(own);
});
