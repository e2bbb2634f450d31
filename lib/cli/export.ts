// `larmor export MODEL -o OUT.onnx`: a model as a file that other software reads.
import { InvalidArgumentError } from 'commander';
import { LarmorError } from '../errors.js';
import { writeFileAtomically } from '../io/atomic-write.js';
import { exportOnnx } from '../networks/export-onnx.js';
import { loadModel, saveModel } from '../networks/model.js';
import { parameterCount } from '../networks/network.js';
import { expectOutput } from './output.js';
import type { Outcome, Register } from './shell.js';
import { table } from './text.js';

interface Flags {
  readonly output: string;
  readonly size?: [number, number];
}

export const register: Register = (program, shell) => {
  program
    .command('export')
    .description('a model as an ONNX file, or as safetensors')
    .argument('<model>', 'a bundled model, or a .safetensors, .onnx, .pt or .ckpt file')
    .requiredOption('-o, --output <file>', '.onnx or .safetensors file to write')
    .option('--size <YxX>', 'fix the height and width of the images (ONNX only; default: any)', imageSize)
    .action((model: string, flags: Flags) => shell.run(() => exportModel(model, flags)));
};

/** Parser of `HEIGHTxWIDTH`. */
function imageSize(text: string): [number, number] {
  const [, height, width] = /^([1-9]\d{0,4})x([1-9]\d{0,4})$/.exec(text) ?? [];
  if (height === undefined) throw new InvalidArgumentError('It must be HEIGHTxWIDTH in pixels, as 320x368.');
  return [Number(height), Number(width)];
}

async function exportModel(name: string, { output, size }: Flags): Promise<Outcome> {
  const [, format] = /\.(onnx|safetensors)$/i.exec(output) ?? [];
  if (format === undefined)
    throw new LarmorError('ERR_ARGUMENT', `--output must end in .onnx or .safetensors, got ${output}`);
  const onnx = format.toLowerCase() === 'onnx';
  if (size && !onnx) throw new LarmorError('ERR_ARGUMENT', '--size goes with an .onnx file');
  await expectOutput(output, name);
  const model = await loadModel(name);
  if (onnx) await writeFileAtomically(output, [exportOnnx(model, { size })]);
  else await saveModel(output, model);
  const parameters = parameterCount(model.network);
  return {
    json: { model: name, output, network: model.network.kind, parameters, size: size ?? null },
    text: table([
      ['output', output],
      ['network', `${model.network.kind}, ${parameters.toLocaleString('en')} parameters`],
      ...(size ? [['image', size.join(' x ')]] : []),
    ]),
  };
}
