// A simulated undersampled slice, given to larmor and to BART alike, and BART as a contestant of harness.mjs.
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { renderPhantom } from '../../dist/simulation/phantom.js';
import { simulateScan } from '../../dist/simulation/scan.js';

const CENTER_LINES = 26;
const ACCELERATION = 4;

/** A shell that runs a command silently but for its errors and prints the seconds it took: wall, user, system. */
const TIMED = 'TIMEFORMAT="%R %U %S"; exec 3>&2; { time "$@" > /dev/null 2>&3; } 2>&1';

/** Linear congruential numbers in [0, 1). */
function uniform(seed) {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** About 4-fold, 26 centre lines always: random lines, every fifth, or random points with a square centre. */
function sampling(kind, ny, nx) {
  const random = uniform(12345);
  const central = (i, n) => Math.abs(i - n / 2 + 0.5) < CENTER_LINES / 2;
  const share = (nx / ACCELERATION - CENTER_LINES) / (nx - CENTER_LINES);
  if (kind === 'points') {
    const at = (i) => central(Math.floor(i / nx), ny) && central(i % nx, nx);
    return {
      data: Uint8Array.from({ length: ny * nx }, (_, i) => (at(i) || random() < share ? 1 : 0)),
      shape: [ny, nx],
    };
  }
  const chosen = kind === 'random' ? () => random() < share : (x) => x % 5 === 0;
  const data = Uint8Array.from({ length: nx }, (_, x) => (chosen(x) || central(x, nx) ? 1 : 0));
  return { data, shape: [nx] };
}

/**
 * Noisy k-space [coil, ky, kx] of a simulated head with its mask.
 *
 * @param kind Of the mask: `random` or `equispaced` lines, or `points`.
 */
export async function undersampledSlice(coils, ny, nx, kind = 'random') {
  const object = await renderPhantom({ family: 'head', seed: 1, size: ny, contrast: 't2' });
  const full = (await simulateScan(object, { seed: 1, coils, snr: 50 })).kspace.data;
  const first = (ny >> 1) - (nx >> 1);
  const mask = sampling(kind, ny, nx);
  const data = new Float32Array(2 * coils * ny * nx);
  for (let row = 0; row < coils * ny; row++)
    for (let x = 0; x < nx; x++)
      if (mask.data[kind === 'points' ? (row % ny) * nx + x : x])
        for (let part = 0; part < 2; part++) data[2 * (row * nx + x) + part] = full[2 * (row * ny + first + x) + part];
  return { kspace: { data, shape: [coils, ny, nx] }, mask };
}

/** A folder, in memory where there is one, for BART's files; BART's order is [readout, phase encode, 1, coil], first axis fastest. */
export async function bartFolder() {
  const folder = await mkdtemp(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'larmor-bench-'));
  const path = (name) => join(folder, name);
  /** Runs a tool; [wall, processor] of the whole command in milliseconds. */
  const run = (threads, tool, ...args) => {
    const env = { ...process.env, OMP_NUM_THREADS: String(threads), OPENBLAS_NUM_THREADS: String(threads) };
    const command = ['-c', TIMED, 'timed', 'bart', tool, ...args];
    const printed = execFileSync('bash', command, { cwd: folder, env, stdio: ['ignore', 'pipe', 'inherit'] });
    const [wall, user, system] = printed.toString().trim().split(' ').map(Number);
    return [1e3 * wall, 1e3 * (user + system)];
  };
  return {
    folder,
    run,
    contestant: (...args) => ({ name: 'BART', time: async () => run(...args) }),
    /** Writes [coil, y, x]. */
    async write(name, { data, shape: [coils, ny, nx] }) {
      const swapped = new Float32Array(data.length);
      for (let c = 0; c < coils; c++) swapAxes(data, swapped, c * 2 * ny * nx, ny, nx);
      await writeFile(path(`${name}.hdr`), `# Dimensions\n${[ny, nx, 1, coils, ...Array(12).fill(1)].join(' ')}\n`);
      await writeFile(path(`${name}.cfl`), swapped);
    },
    /** Reads [coil, y, x]; one coil for an image. */
    async read(name, [coils, ny, nx]) {
      const bytes = await readFile(path(`${name}.cfl`));
      const swapped = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
      const data = new Float32Array(2 * coils * ny * nx);
      for (let c = 0; c < coils; c++) swapAxes(swapped, data, c * 2 * ny * nx, nx, ny);
      return { data, shape: [coils, ny, nx] };
    },
    close: () => rm(folder, { recursive: true }),
  };
}

function swapAxes(from, to, offset, rows, columns) {
  for (let y = 0; y < rows; y++)
    for (let x = 0; x < columns; x++) {
      const [a, b] = [offset + 2 * (y * columns + x), offset + 2 * (x * rows + y)];
      to[b] = from[a];
      to[b + 1] = from[a + 1];
    }
}
