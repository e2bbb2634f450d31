// Two slices at once, a session of one thread each as reconstruct() has them, beside one after the other: node bench/slices-at-once.mjs [rounds]
import { createNetwork } from '../dist/networks/network.js';
import { ParameterStore } from '../dist/networks/parameters.js';
import { LOSSES } from '../dist/training/losses.js';
import { createTrainingSession } from '../dist/training/open-session.js';
import { numbers, report, takeTurns } from './support/harness.mjs';
import { measurement } from './support/measurement.mjs';
import { noise } from './support/noise.mjs';

const [rounds = 5] = numbers;
const [coils, height, width] = [15, 320, 320];

const network = createNetwork('unet', { channels: 32, pools: 4 });
const weights = ParameterStore.initialise(network.parameters, 1);
const { kspace, mask } = measurement(coils, height, width);
const scale = 1 / Math.sqrt(coils / 6);
const data = {
  image: noise(2 * height * width, 1),
  maps: noise(kspace.length, 2).map((v) => v * scale),
  lossMask: mask,
  heldOutMask: new Float32Array(width),
  kspace,
};
const options = { network, weights, loss: LOSSES.self, shapes: { coils, height, width }, threads: 1 };
const sessions = await Promise.all([0, 1].map(() => createTrainingSession(options)));
for (const session of sessions) session.set(data);

const work = {
  'images of two slices': [2, (session) => session.evaluate()],
  'adaptation steps of two slices': [1, (session) => session.step()],
};
for (const [what, [repeats, run]] of Object.entries(work)) {
  const some = async (session) => {
    for (let i = 0; i < repeats; i++) await run(session);
  };
  const timed = (name, all) => ({
    name,
    async time() {
      const [start, processor] = [performance.now(), process.cpuUsage()];
      await all();
      const { user, system } = process.cpuUsage(processor);
      return [(performance.now() - start) / repeats, (user + system) / 1e3 / repeats];
    },
  });
  const atOnce = timed('larmor', () => Promise.all(sessions.map(some)));
  const inTurn = timed('one after the other', async () => {
    for (const session of sessions) await some(session);
  });
  const times = await takeTurns([atOnce, inTurn], rounds);
  const name = `U-Net 32 channels, ${coils}x${height}x${width}`;
  report({ benchmark: what, name, times, threads: 1, agreement: 'two sessions of one thread each' });
}
for (const session of sessions) await session.close();
