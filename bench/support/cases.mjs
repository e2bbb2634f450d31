// Cases in processes of their own, so that the peak memory of one says nothing of another.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** Runs `work` on each case, in a child that runs this program with `--case=INDEX` added; ends with the first failure. */
export async function eachCase(cases, work) {
  const given = process.argv.find((argument) => argument.startsWith('--case='));
  if (given) return await work(cases[Number(given.slice('--case='.length))]);
  for (const index of cases.keys()) {
    const { status } = spawnSync(process.execPath, [...process.argv.slice(1), `--case=${index}`], { stdio: 'inherit' });
    if (status !== 0) process.exit(status ?? 1);
  }
}

/** Bytes that this process has held at most; undefined where the system does not say. Not resourceUsage().maxRSS, which children inherit. */
export function peakBytes() {
  try {
    return 1024 * Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))[1]);
  } catch {
    return undefined;
  }
}

/** What two programs held, in words. */
export function inMegabytes(larmor, peer) {
  const show = (bytes) => (bytes ? `${(bytes / 1e6).toFixed(0)} MB` : 'unknown');
  return `peak memory ${show(larmor)} and ${show(peer)}`;
}
