// Reconstructs a scan and prints the resident memory after each slice, in bytes: node --expose-gc memory-program.mjs SCAN
import { reconstruct } from '#larmor/reconstruction/reconstruct.js';

const resident = [];
await reconstruct(process.argv[2], {
  method: 'cg-sense',
  iterations: 3,
  undersample: { acceleration: 2 },
  onProgress: ({ done }) => {
    if (done <= resident.length) return;
    globalThis.gc();
    resident.push(process.memoryUsage.rss());
  },
});
console.log(JSON.stringify(resident));
