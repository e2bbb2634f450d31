// Reconstructs a scan and prints what the estimate of memory says and what the process held at most: node peak-memory-program.mjs SCAN OPTIONS
import { readFileSync } from 'node:fs';
import { openScan } from '#larmor/io/scan.js';
import { estimateMemory } from '#larmor/reconstruction/memory.js';
import { reconstruct } from '#larmor/reconstruction/reconstruct.js';

const [path, options] = [process.argv[2], JSON.parse(process.argv[3])];
const scan = await openScan(path);
const { total } = await estimateMemory(scan, options);
await reconstruct(scan, options);
await scan.close();
// Not resourceUsage().maxRSS, which a child inherits from the process that started it.
const [, kilobytes] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'));
console.log(JSON.stringify({ estimate: total, peak: 1024 * kilobytes }));
