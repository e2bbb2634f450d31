// The installed package through `require`: run by .ci/pack-smoke after esm.mjs, where only larmor is installed.
const assert = require('node:assert/strict');
const { LarmorError, openScan } = require('larmor');

async function main() {
  const scan = await openScan('scan.h5');
  assert.equal(scan.coils, 1);
  await scan.close();
  await assert.rejects(
    openScan('missing.h5'),
    (error) => error instanceof LarmorError && error.code === 'ERR_FILE_NOT_FOUND',
  );
  assert.equal(require('larmor/package.json').name, 'larmor');
}

main();
