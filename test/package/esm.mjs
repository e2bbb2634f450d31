// The installed package through `import`: run by .ci/pack-smoke in a folder where only larmor is installed.
import assert from 'node:assert/strict';
import { reconstruct, ScanWriter } from 'larmor';

// One coil that saw a constant: only the centre of k-space holds anything, and the unitary transform spreads it evenly.
const [ny, nx] = [12, 10];
const kspace = new Float32Array(2 * ny * nx);
kspace[2 * ((ny / 2) * nx + nx / 2)] = Math.sqrt(ny * nx);
const writer = await ScanWriter.create('scan.h5', { slices: 1, coils: 1, matrix: [ny, nx] });
await writer.writeKspace(0, { data: kspace, shape: [1, ny, nx] });
await writer.commit();

const { image } = await reconstruct('scan.h5', { method: 'zero-filled' });
assert.deepEqual([...image.shape], [1, ny, nx]);
for (const value of image.data) assert.ok(Math.abs(value - 1) < 1e-6, `expected a constant image of 1, got ${value}`);
