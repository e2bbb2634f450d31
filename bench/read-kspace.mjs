// One clinical slice of k-space read from fastMRI's HDF5 layout, beside h5py. Run: npm run build:ts && node bench/read-kspace.mjs
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MT19937 } from '../dist/arrays/mt19937.js';
import { ScanWriter } from '../dist/io/fastmri-writer.js';
import { openScan } from '../dist/io/scan.js';
import { compare, contestant, peerContestants } from './support/harness.mjs';

const [coils, ky, kx] = [15, 640, 368];
const folder = mkdtempSync(join(tmpdir(), 'larmor-bench-'));
const path = join(folder, 'scan.h5');
const random = new MT19937(1);
const data = new Float32Array(2 * coils * ky * kx).map(() => random.uniform(-1, 1));
const writer = await ScanWriter.create(path, { slices: 1, coils, matrix: [ky, kx] });
await writer.writeKspace(0, { data, shape: [coils, ky, kx] });
await writer.commit();

const scan = await openScan(path);
const ours = contestant('larmor, checked', async () => (await scan.readKspace(0)).data);
const peer = await peerContestants('read_kspace.py', {}, { path });
await compare('k-space of a slice', `${coils}x${ky}x${kx}`, [ours, ...peer.contestants], { agreement: 0 });
peer.close();
await scan.close();
rmSync(folder, { recursive: true });
