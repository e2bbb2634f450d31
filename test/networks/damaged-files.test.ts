// Files of other software with random damage: a model or a coded error, never anything else.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { expect, test } from 'vitest';
import { MT19937 } from '#larmor/arrays/mt19937.js';
import { LarmorError } from '#larmor/errors.js';
import { importModel } from '#larmor/networks/import-model.js';
import { describeShared, shared } from '../support/shared.js';

const DAMAGES = 150;
/** Both ends of a checkpoint hold what is parsed: the pickle and the directory. */
const ENDS = 4000;

describeShared('damaged files', () => {
  test.each(['unet_c4_p2.lightning.ckpt', 'unet_c4_p2.state_dict.pt', 'mixed_ops.onnx', 'unet_c4_p2.onnx'])(
    '%s',
    async (file) => {
      const random = new MT19937(9);
      const below = (n: number): number => random.uint32() % n;
      const whole = await readFile(shared(`fixtures/${file}`));
      const folder = await mkdtemp(join(tmpdir(), 'larmor-damaged-'));
      const path = join(folder, `file${extname(file)}`);
      let refused = 0;
      try {
        for (let i = 0; i < DAMAGES; i++) {
          const bytes = Buffer.from(whole);
          for (let count = 1 + below(3); count > 0; count--) {
            const near = below(Math.min(ENDS, bytes.length));
            bytes[below(2) === 0 ? near : bytes.length - 1 - near] = below(3) === 0 ? 255 : below(256);
          }
          await writeFile(path, below(10) === 0 ? bytes.subarray(0, below(bytes.length)) : bytes);
          const error = await importModel(path).then(
            () => undefined,
            (reason: unknown) => reason,
          );
          if (error === undefined) continue;
          refused += 1;
          expect(error).toBeInstanceOf(LarmorError);
          expect((error as LarmorError).code).toMatch(/^ERR_(FILE_FORMAT|MODEL|GRAPH|SHAPE)$/);
        }
      } finally {
        await rm(folder, { recursive: true });
      }
      expect(refused).toBeGreaterThan(DAMAGES / 4);
    },
  );
});
