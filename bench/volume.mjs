// A volume from file to file, ESPIRiT and 30 iterations of CG-SENSE: `larmor recon` beside BART driven slice by slice, with peak memory.
// node bench/volume.mjs [threads] [slices] [rounds]
import { numbers, report } from './support/harness.mjs';
import { undersampledVolume } from './support/volume.mjs';

const [threads = 1, slices = 36, rounds = 1] = numbers;
const SHAPE = [15, 640, 368];
const MAX_DIFFERENCE = 0.1; // each with maps by its own thresholds

const volume = await undersampledVolume(slices, SHAPE);
for (const count of [4, 12, slices].filter((count) => count <= slices)) {
  const times = { larmor: [], BART: [] };
  const peaks = { larmor: 0, BART: 0 };
  for (let round = 0; round < rounds; round++)
    for (const [name, command] of [
      ['larmor', volume.larmor],
      ['BART', volume.bart],
    ]) {
      if (name === 'BART' && count < slices) continue; // its time and memory are those of one slice
      const { wall, processor, peak } = command(threads, count);
      times[name].push([wall, processor]);
      peaks[name] = Math.max(peaks[name], peak);
    }
  if (count < slices) delete times.BART;
  const difference = count < slices ? undefined : await volume.difference();
  if (difference > MAX_DIFFERENCE) throw new Error(`the images differ by ${difference}`);
  const estimate = await volume.estimate(threads, count);
  const megabytes = (bytes) => `${(bytes / 1e6).toFixed(0)} MB`;
  const peak = Object.entries(peaks)
    .filter(([, bytes]) => bytes > 0)
    .map(([name, bytes]) => `${name} ${megabytes(bytes)}`);
  const agreement = [
    `peak memory ${peak.join(', ')}, estimated ${megabytes(estimate)}`,
    ...(difference === undefined ? [] : [`images differ by ${difference.toExponential(1)}`]),
  ].join('; ');
  report({
    benchmark: 'volume, file to file',
    name: `${count} slices of ${SHAPE.join('x')}`,
    times,
    threads,
    agreement,
    peaks,
    estimate,
  });
}
await volume.close();
