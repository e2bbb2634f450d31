// The installed package through `require`: run by .ci/pack-smoke in a folder where only larmor is installed.
const assert = require('node:assert/strict');
const larmor = require('larmor');

assert.equal(new larmor.LarmorError('ERR_SHAPE', 'x').code, 'ERR_SHAPE');
assert.equal(require('larmor/package.json').name, 'larmor');
