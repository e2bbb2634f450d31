// The whole story on one scan: `npm run demo` simulates a head at a finer resolution than the shipped model was trained at;
// `npm run demo -- FILE.h5` takes the middle slice of a scan of yours. Reconstructs zero-filled, by CG-SENSE, by the shipped
// unrolled network, and by the same network after it has adapted itself to the scan; writes demo/report.html.
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openScan } from '../dist/index.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = join(process.cwd(), 'demo');

/** Runs one `larmor` command as a user would, and ends with its exit code if it fails. */
function larmor(...args) {
  console.error(`\n$ larmor ${args.map((arg) => (arg.startsWith('/') ? relative('.', arg) : arg)).join(' ')}`);
  const { status } = spawnSync(process.execPath, [join(root, 'dist/cli/main.js'), ...args], { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

async function describe(path) {
  const scan = await openScan(path);
  try {
    const { fullySampled, slices } = scan;
    return { fullySampled, middle: slices >> 1 };
  } finally {
    await scan.close();
  }
}

mkdirSync(folder, { recursive: true });
const [given] = process.argv.slice(2);
const input = given ?? join(folder, 'head.h5');
if (given === undefined)
  larmor(
    'simulate',
    '--phantom',
    'head',
    '--contrast',
    't2',
    '--slices',
    '0:1',
    '--size',
    '192',
    '--seed',
    '1',
    '-o',
    input,
  );
else larmor('info', input);

// Metrics compare with the SENSE combination of the full data: a root sum of squares would count the background's noise.
const { fullySampled, middle } = await describe(input);
const undersampling = fullySampled
  ? ['--acceleration', '4', '--center-fraction', '0.08', '--mask', 'random', '--reference', 'sense']
  : [];
larmor(
  ...['recon', input, '-o', join(folder, 'reconstruction.h5'), '--model', 'unrolled-small', '--adapt'],
  ...['--slices', `${middle}:${middle + 1}`, ...undersampling, '--report', folder],
);
console.error(`\nOpen ${relative('.', join(folder, 'report.html'))} in a browser.`);
