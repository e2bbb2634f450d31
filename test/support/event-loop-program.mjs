// How late the event loop runs, in milliseconds, while a scan is reconstructed: node event-loop-program.mjs SCAN OPTIONS
// Without arguments: while nothing is done, until stdin ends.
import { once } from 'node:events';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { reconstruct } from '#larmor/reconstruction/reconstruct.js';

const [scan, options] = process.argv.slice(2);
const PERIOD_MS = 10;
const delay = monitorEventLoopDelay({ resolution: PERIOD_MS });
delay.enable();
if (scan) await reconstruct(scan, JSON.parse(options));
else await once(process.stdin.resume(), 'end');
delay.disable();
console.log(JSON.stringify({ p99: delay.percentile(99) / 1e6 - PERIOD_MS, ticks: delay.count }));
