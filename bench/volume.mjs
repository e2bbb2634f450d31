// A volume from file to file, ESPIRiT and 30 iterations of CG-SENSE: `larmor recon` beside BART driven slice by slice, with peak memory.
// node bench/volume.mjs [threads] [slices] [slices of BART, whose time and memory are the same for each]
import { numbers, report } from './support/harness.mjs';
import { undersampledVolume } from './support/volume.mjs';

const [threads = 1, slices = 36, slicesOfBart = 4] = numbers;
const SHAPE = [15, 640, 368];
const MAX_DIFFERENCE = 0.1; // each with maps by its own thresholds

const megabytes = (bytes) => `${(bytes / 1e6).toFixed(0)} MB`;

const volume = await undersampledVolume(slices, SHAPE);
for (const count of new Set([slicesOfBart, 12, slices])) {
  const ours = volume.larmor(threads, count);
  const theirs = count === slicesOfBart ? volume.bart(threads, count) : undefined;
  const estimate = await volume.estimate(threads, count);
  const remarks = [
    `${((1e3 * count) / ours.wall).toFixed(2)} slices/s`,
    `peak memory ${megabytes(ours.peak)}, estimated ${megabytes(estimate)}`,
  ];
  if (theirs) {
    const difference = await volume.difference();
    if (difference > MAX_DIFFERENCE) throw new Error(`the images differ by ${difference}`);
    remarks.push(`BART's ${megabytes(theirs.peak)}`, `images differ by ${difference.toExponential(1)}`);
  }
  report({
    benchmark: 'volume, file to file',
    name: `${count} slices of ${SHAPE.join('x')}`,
    times: {
      larmor: [[ours.wall, ours.processor]],
      ...(theirs && { BART: [[theirs.wall, theirs.processor]] }),
    },
    threads,
    agreement: remarks.join('; '),
  });
}
await volume.close();
