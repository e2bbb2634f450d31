// Runs the side-by-sides whose peers are installed and writes their tables into docs/performance.md, between the marks that name them.
// node bench/compare.mjs [--write] [PROGRAM ...]: all of them, or those named; without --write the tables are only printed.
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { larmor } from './support/command.mjs';
import { python } from './support/peer.mjs';

/** Program and arguments, one thread unless a second row says two. */
const PROGRAMS = {
  fft: ['fft.mjs', '1', '21', '--all'],
  encoding: ['encoding.mjs', '1', '15'],
  espirit: ['espirit.mjs', '1', '3'],
  'cg-sense': ['cg-sense.mjs', '1', '5'],
  'l1-wavelet': ['l1-wavelet.mjs', '1', '3'],
  tv: ['tv.mjs', '1', '1'],
  grappa: ['grappa.mjs', '1', '9'],
  'coil-compression': ['coil-compression.mjs', '1', '9'],
  'recon-command': ['recon-command.mjs', '1', '5'],
  volume: ['volume.mjs', '1', '36'],
  'under-load': ['under-load.mjs', '2', '7'],
  'training-step': ['training-step.mjs', '1', '3'],
  'adaptation-step': ['adaptation-step.mjs', '1', '3'],
  varnet: ['varnet.mjs', '1', '3'],
  'slices-at-once': ['slices-at-once.mjs', '7'],
  'read-kspace': ['read-kspace.mjs'],
};
const DOCUMENT = join(import.meta.dirname, '../docs/performance.md');

const [named, write] = [
  process.argv.slice(2).filter((name) => !name.startsWith('-')),
  process.argv.includes('--write'),
];
const wanted = named.length > 0 ? named : [...Object.keys(PROGRAMS), 'limits', 'machine'];

for (const name of wanted) {
  const lines = name === 'machine' ? machine() : name === 'limits' ? limits() : sideBySide(name, PROGRAMS[name]);
  if (!lines) continue;
  console.log(`${lines.join('\n')}\n`);
  if (write) place(name, lines);
}

/** Replaces what stands between `<!-- measured NAME -->` and `<!-- end NAME -->`. */
function place(name, lines) {
  const text = readFileSync(DOCUMENT, 'utf8');
  const [begin, end] = [`<!-- measured ${name} -->\n`, `<!-- end ${name} -->`];
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from) return console.error(`${name}: ${DOCUMENT} has no place for it`);
  writeFileSync(DOCUMENT, `${text.slice(0, from + begin.length)}\n${lines.join('\n')}\n\n${text.slice(to)}`);
}

function sideBySide(name, command) {
  if (!command) throw new Error(`no such program: ${name}; there are ${Object.keys(PROGRAMS).join(', ')}`);
  const [program, ...args] = command;
  console.error(`node bench/${command.join(' ')}`);
  const run = spawnSync(process.execPath, [join(import.meta.dirname, program), ...args, '--json'], {
    encoding: 'utf8',
  });
  const rows = run.stdout
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line));
  if (run.status !== 0 || rows.length === 0) {
    console.error(`${name}: left out, as it failed: ${run.stderr.trim().split('\n').slice(-12).join('\n')}`);
    return undefined;
  }
  const loads = rows.map(({ load }) => load);
  const range = `load ${Math.min(...loads).toFixed(1)} to ${Math.max(...loads).toFixed(1)}`;
  const { threads, rounds } = rows[0];
  const caption = `\`node bench/${command.join(' ')}\`: ${threads} thread${threads > 1 ? 's' : ''}, ${rounds} round${rounds > 1 ? 's' : ''}, ${range}`;
  return [
    caption,
    '',
    ...(rows.every(({ peers }) => Object.keys(peers).length <= 1) ? oneRowEach(rows) : oneRowPerPeer(rows)),
  ];
}

/** Tables with one peer: a row per case. */
function oneRowEach(rows) {
  const peer = rows.flatMap(({ peers }) => Object.keys(peers))[0];
  const head = ['what', 'size', 'larmor', peer, 'times as fast', 'processor: larmor', peer, 'times as fast', 'results'];
  return table(
    head,
    rows.map(({ benchmark, case: size, larmor: ours, peers, ratio, agreement }) => {
      const theirs = peers[peer];
      const times = theirs ? ratio : undefined;
      const pair = (show, which) => [show(ours), theirs ? show(theirs) : '', times ? times[which].toFixed(1) : ''];
      return [
        benchmark,
        size,
        ...pair(wall, 'median'),
        ...pair(({ processor }) => duration(processor), 'processor'),
        agreement,
      ];
    }),
  );
}

/** Tables with several: a row per program, how many times larmor's it takes. */
function oneRowPerPeer(rows) {
  const head = ['what', 'size', 'program', 'wall', "times larmor's", 'processor', "times larmor's"];
  return table(
    head,
    rows.flatMap(({ benchmark, case: size, larmor: ours, peers }) =>
      Object.entries({ larmor: ours, ...peers }).map(([who, time], i) => [
        ...(i === 0 ? [benchmark, size] : ['', '']),
        ...[who, wall(time), (time.median / ours.median).toFixed(2)],
        ...[duration(time.processor), (time.processor / ours.processor).toFixed(2)],
      ]),
    ),
  );
}

function table(head, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)];
}

function wall({ median, min }) {
  return `${duration(median)} (${duration(min)})`;
}

function duration(milliseconds) {
  if (milliseconds >= 1000) return `${(milliseconds / 1000).toPrecision(3)} s`;
  return `${milliseconds.toPrecision(milliseconds < 1 ? 2 : 3)} ms`;
}

/** What each kernel reaches of what the machine allows, on one thread and on two. */
function limits() {
  const bench = (threads) =>
    JSON.parse(
      execFileSync(larmor[0], [larmor[1], 'bench', '--json', '--rounds', '15', '--threads', `${threads}`], {
        stdio: ['ignore', 'pipe', 'ignore'],
      }),
    );
  const [one, two] = [bench(1), bench(2)];
  const peak = (result) => `${(result.machine.multiplyAddPeak / 1e9).toFixed(0)} GFLOP/s`;
  const head = [
    'what',
    'size',
    'bytes',
    'operations',
    'memory bound',
    'arithmetic bound',
    '1 thread: best',
    'share',
    'limit',
    '2 threads: best',
    'times as fast',
  ];
  const rows = one.rows.map((row, i) => {
    const { title, shape, bytes, operations, memoryBound, arithmeticBound, min, share, limit } = row;
    return [
      ...[title, shape.join('x'), `${(bytes / 1e6).toFixed(0)} MB`, `${(operations / 1e9).toPrecision(3)} G`],
      ...[memoryBound, arithmeticBound, min].map((seconds) => duration(1e3 * seconds)),
      ...[`${(100 * share).toFixed(0)} %`, limit, duration(1e3 * two.rows[i].min), (min / two.rows[i].min).toFixed(2)],
    ];
  });
  const caption = `\`larmor bench --rounds 15 --threads 1\` and \`2\`, load ${loadavg()[0].toFixed(1)}; multiply-adds at most ${peak(one)} and ${peak(two)}`;
  return [caption, '', ...table(head, rows)];
}

/** Where and with what the tables were made. */
function machine() {
  const first = (program, ...args) => {
    try {
      return execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
        .trim()
        .split('\n')[0];
    } catch {
      return 'not installed';
    }
  };
  const packages =
    'import numpy, scipy, torch, h5py; print(*(f"{m.__name__} {m.__version__}" for m in (numpy, scipy, torch, h5py)), sep=", ")';
  const { isa } = JSON.parse(
    execFileSync(larmor[0], [larmor[1], 'bench', '--json', '--size', '4x64x64', '--case', 'fft2', '--rounds', '1'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    }),
  ).machine;
  return [
    `- Processor: ${cpus().length} x ${cpus()[0].model}, ${isa}; ${first('uname', '-sr').replace(/^(\w+ \d+\.\d+).*/, '$1')}`,
    `- Node ${process.versions.node}`,
    `- BART: ${first('bart', 'version')}; Python: ${first(python, '-c', packages)}; FFTW: ${first('pkg-config', '--modversion', 'fftw3f')}`,
    `- ${new Date().toISOString().slice(0, 10)}`,
  ];
}
