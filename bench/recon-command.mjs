// One slice from file to file, ESPIRiT and 30 iterations of CG-SENSE: `larmor recon` beside `bart ecalib` and `bart pics`.
// node bench/recon-command.mjs [threads] [rounds]
import { numbers, report, takeTurns } from './support/harness.mjs';
import { undersampledVolume } from './support/volume.mjs';

const [threads = 1, rounds = 5] = numbers;
const MAX_DIFFERENCE = 0.1; // each with maps by its own thresholds

for (const shape of [
  [8, 320, 320],
  [15, 320, 320],
  [15, 640, 368],
]) {
  const volume = await undersampledVolume(1, shape);
  const timed = (name, command) => ({
    name,
    async time() {
      const { wall, processor } = command(threads);
      return [wall, processor];
    },
  });
  const times = await takeTurns([timed('larmor', volume.larmor), timed('BART', volume.bart)], rounds);
  const difference = await volume.difference();
  if (!(difference <= MAX_DIFFERENCE)) throw new Error(`${shape}: the images differ by ${difference}`);
  const agreement = `images differ by ${difference.toExponential(1)}`;
  report({ benchmark: 'ESPIRiT and CG-SENSE, file to file', name: shape.join('x'), times, threads, agreement });
  await volume.close();
}
