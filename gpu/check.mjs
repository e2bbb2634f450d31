// The whole check: every part one after the other, then gpu-check.json and gpu-check.md in $OUT or ./gpu-check/.
//
// Exits with 0 when all that was checked was right, 1 when a number was wrong or a part failed, 77 when nothing could be checked.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { quick, SKIPPED } from './lines.mjs';
import { parts } from './parts.mjs';
import { markdown } from './report.mjs';
import { runPart } from './run-part.mjs';

const SECONDS = quick ? 55 : 480;
const root = join(import.meta.dirname, '..');
const folder = process.env.OUT || 'gpu-check';

/** What a program prints, or why it does not. */
function output(program, ...options) {
  const { stdout, stderr, error, status } = spawnSync(program, options, { encoding: 'utf8', timeout: 60_000 });
  if (error) return { reason: `${program}: ${error.code === 'ENOENT' ? 'not found' : error.message}` };
  return status === 0
    ? { text: stdout.trim() }
    : { text: stdout.trim(), reason: `${program}: ${stderr.trim() || `status ${status}`}` };
}

/** The doctor's findings, the driver's, and where libraries are looked for. */
function environment() {
  const doctor = output(process.execPath, join(root, 'dist/cli/main.js'), 'doctor', '--json');
  let findings;
  try {
    findings = JSON.parse(doctor.text);
  } catch {
    findings = { unreadable: doctor.reason ?? doctor.text };
  }
  const query = ['--query-gpu=name,driver_version,memory.total,clocks.max.sm', '--format=csv,noheader'];
  const { LARMOR_CUFFT, LD_LIBRARY_PATH, VK_DRIVER_FILES } = process.env;
  const variables = { LARMOR_CUFFT, LD_LIBRARY_PATH, VK_DRIVER_FILES };
  return { doctor: findings, nvidiaSmi: output('nvidia-smi', ...query), variables };
}

function machineOf({ nvidiaSmi }, done) {
  const seen = done.flatMap(({ lines }) => lines).find(({ kind }) => kind === 'device');
  const details = [
    `processor: ${cpus().length} x ${cpus()[0]?.model ?? 'unknown'}, Linux ${release()}, Node ${process.versions.node}`,
  ];
  if (seen)
    details.push(
      `sm_${Math.round(10 * seen.capability)}, ${seen.multiprocessors} multiprocessors, driver for CUDA ${seen.driver}, runtime ${seen.runtime}, cuFFT ${seen.cufft}`,
    );
  details.push(`nvidia-smi: ${nvidiaSmi.text || nvidiaSmi.reason}`);
  return { device: seen?.name ?? 'No CUDA device', details };
}

function verdictOf(done) {
  const bad = done.filter(({ state }) => state === 'wrong' || state === 'failed');
  const checks = done.flatMap(({ lines }) => lines).filter(({ kind }) => kind === 'check').length;
  if (bad.length > 0) return { status: 1, verdict: `not all right: ${bad.map(({ name }) => name).join(', ')}` };
  if (checks === 0) return { status: SKIPPED, verdict: 'nothing checked: no part found what it needs' };
  const left = done.filter(({ state }) => state === 'skipped').map(({ name }) => name);
  return { status: 0, verdict: `${checks} checks, all right${left.length > 0 ? `; not run: ${left.join(', ')}` : ''}` };
}

const began = performance.now();
const remaining = () => SECONDS - (performance.now() - began) / 1e3;
const exchange = mkdtempSync(join(tmpdir(), 'larmor-gpu-check-'));
const done = [];
try {
  const found = environment();
  for (const part of parts({ quick, exchange })) {
    const seconds = Math.min(part.seconds, remaining());
    const late = { missing: `no time was left of ${SECONDS} s` };
    const result = await runPart(seconds < 2 && !part.missing ? { ...part, ...late } : part, seconds);
    done.push(result);
    console.log(
      `${result.title}: ${result.state}${result.reason ? `, ${result.reason}` : ''} (${result.seconds.toFixed(0)} s)`,
    );
    for (const { kind, ok, ...line } of result.lines)
      if (kind === 'check' && !ok) console.log(`  wrong: ${JSON.stringify(line)}`);
  }
  const { status, verdict } = verdictOf(done);
  const command = `${quick ? 'QUICK=1 ' : ''}gpu/check`;
  const result = {
    date: new Date().toISOString().slice(0, 10),
    command,
    verdict,
    machine: machineOf(found, done),
    environment: found,
    parts: done,
  };
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'gpu-check.json'), `${JSON.stringify(result, undefined, 1)}\n`);
  writeFileSync(join(folder, 'gpu-check.md'), markdown(result));
  console.log(`${verdict}\n${join(folder, 'gpu-check.md')}, gpu-check.json`);
  process.exitCode = status;
} finally {
  rmSync(exchange, { recursive: true, force: true });
}
