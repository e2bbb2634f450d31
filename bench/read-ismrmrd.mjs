// One slice of k-space sorted from an ISMRMRD file, beside h5py. Run: npm run build:ts && node bench/read-ismrmrd.mjs
// The file is made by ISMRMRD's own ismrmrd_generate_cartesian_shepp_logan.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openScan } from '../dist/io/scan.js';
import { compare, contestant, peerContestants } from './support/harness.mjs';

/** Two unitary transforms in float32 remove the oversampling. */
const AGREEMENT = 1e-6;

const [coils, size] = [15, 320];
const folder = mkdtempSync(join(tmpdir(), 'larmor-bench-'));
const path = join(folder, 'scan.h5');
const options = ['-m', size, '-c', coils, '-C', '-o', path].map(String);
execFileSync('ismrmrd_generate_cartesian_shepp_logan', options, { stdio: 'ignore' });

const scan = await openScan(path);
const ours = contestant('larmor, checked', async () => (await scan.readKspace(0)).data);
const peer = await peerContestants('read_ismrmrd.py', {}, { path });
await compare('ISMRMRD slice', `${coils}x${2 * size}x${size}`, [ours, ...peer.contestants], { agreement: AGREEMENT });
peer.close();
await scan.close();
rmSync(folder, { recursive: true });
