// `larmor import FILE -o MODEL.safetensors`: a network of other software as a model of larmor's.
import { Option } from 'commander';
import { importModel } from '../networks/import-model.js';
import { saveModel } from '../networks/model.js';
import { parameterCount } from '../networks/network.js';
import { INPUT_KINDS, type InputKind } from '../networks/network-input.js';
import { expectOutput } from './output.js';
import type { Outcome, Register } from './shell.js';
import { table } from './text.js';

interface Flags {
  readonly output: string;
  readonly input: InputKind;
}

export const register: Register = (program, shell) => {
  program
    .command('import')
    .description("a PyTorch checkpoint or an ONNX file as a model of larmor's")
    .argument('<file>', ".pt, .pth or .ckpt: weights of fastMRI's U-Net or VarNet; .onnx: any network of one image")
    .requiredOption('-o, --output <file>', '.safetensors file to write')
    .addOption(
      new Option('--input <kind>', 'what the network was trained to see').choices(INPUT_KINDS).default('sense'),
    )
    .action((file: string, flags: Flags) => shell.run(() => importFile(file, flags)));
};

async function importFile(file: string, { output, input }: Flags): Promise<Outcome> {
  await expectOutput(output, file);
  const model = await importModel(file, { input });
  await saveModel(output, model);
  const { kind, config } = model.network;
  const parameters = parameterCount(model.network);
  const settings = Object.entries(config).filter(([, value]) => typeof value !== 'string'); // not the text of a whole graph
  return {
    json: { file, output, input, network: { kind, ...Object.fromEntries(settings) }, parameters, notes: model.notes },
    text: table([
      ['output', output],
      ['network', `${kind}, ${parameters.toLocaleString('en')} parameters`],
      ...settings.map(([name, value]) => ['', `${name} ${typeof value === 'object' ? JSON.stringify(value) : value}`]),
    ]),
  };
}
