// The installed package through `import`: run by .ci/pack-smoke in a folder where only larmor is installed.
import assert from 'node:assert/strict';
import { ERROR_CODES, LarmorError } from 'larmor';

const error = new LarmorError('ERR_SHAPE', 'x');
assert.equal(error.code, 'ERR_SHAPE');
assert.ok(Object.hasOwn(ERROR_CODES, error.code));
