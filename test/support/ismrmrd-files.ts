// ISMRMRD files for tests, made without this package's own code: records written into an empty dataset of the right type.
import { writeFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import * as h5wasm from 'h5wasm/node';

/** One readout; fields left out are 0, the centre sample the middle one. */
export interface TestAcquisition {
  /** Numbers of the flags that are set, from 1. */
  readonly flags?: readonly number[];
  /** Interleaved re, im: [channel, sample]. */
  readonly data: Float32Array;
  readonly channels: number;
  readonly ky?: number;
  readonly kz?: number;
  readonly slice?: number;
  readonly contrast?: number;
  readonly repetition?: number;
  readonly centerSample?: number;
  readonly discardPre?: number;
  readonly discardPost?: number;
  readonly encodingSpace?: number;
  readonly sampleTime?: number;
  /** What the header says where it is not the truth. */
  readonly statedSamples?: number;
}

/** Sizes of a record in the library's memory and where its parts begin. */
const RECORD_BYTES = 360;
const DATA = 352;

/** Writes an ISMRMRD file with these acquisitions in the group `dataset`. */
export async function writeIsmrmrd(
  path: string,
  header: string,
  acquisitions: readonly TestAcquisition[],
): Promise<string> {
  writeFileSync(path, gunzipSync(Buffer.from(EMPTY_FILE, 'base64')));
  const library = await h5wasm.ready;
  const file = new h5wasm.File(path, 'a');
  (file.get('dataset') as h5wasm.Group).create_dataset({ name: 'xml', data: [header], shape: [1] });
  const dataset = file.get('dataset/data') as h5wasm.Dataset;
  dataset.resize([acquisitions.length]);
  acquisitions.forEach((acquisition, i) => {
    const record = library._malloc(RECORD_BYTES);
    const samples = library._malloc(acquisition.data.byteLength);
    library.HEAPU8.fill(0, record, record + RECORD_BYTES);
    new Float32Array(library.HEAPU8.buffer, samples, acquisition.data.length).set(acquisition.data);
    const view = new DataView(library.HEAPU8.buffer, record, RECORD_BYTES);
    fillHeader(view, acquisition);
    view.setUint32(DATA, acquisition.data.length, true);
    view.setUint32(DATA + 4, samples, true);
    library.set_dataset_data(file.file_id, 'dataset/data', [1n], [BigInt(i)], [1n], BigInt(record));
    library._free(samples);
    library._free(record);
  });
  file.close();
  return path;
}

/** At the offsets of ISMRMRD's acquisition header. */
function fillHeader(view: DataView, acquisition: TestAcquisition): void {
  const { flags = [], data, channels, sampleTime = 0 } = acquisition;
  const samples = data.length / 2 / channels;
  const u16 = (at: number, value = 0): void => view.setUint16(at, value, true);
  u16(0, 1);
  view.setBigUint64(
    2,
    flags.reduce((bits, flag) => bits | (1n << BigInt(flag - 1)), 0n),
    true,
  );
  u16(34, acquisition.statedSamples ?? samples);
  u16(36, channels);
  u16(38, channels);
  u16(168, acquisition.discardPre);
  u16(170, acquisition.discardPost);
  u16(172, acquisition.centerSample ?? samples >> 1);
  u16(174, acquisition.encodingSpace);
  view.setFloat32(178, sampleTime, true);
  u16(242, acquisition.ky);
  u16(244, acquisition.kz);
  u16(248, acquisition.slice);
  u16(250, acquisition.contrast);
  u16(254, acquisition.repetition);
}

export interface TestHeader {
  readonly encoded: readonly [x: number, y: number, z: number];
  readonly recon?: readonly [x: number, y: number, z: number];
  /** Of the first and the second phase encoding. Default: the middle. */
  readonly centers?: readonly [number, number];
  readonly maxima?: readonly [number, number];
  readonly trajectory?: string;
  /** Further elements of the encoding, then of the header. */
  readonly encoding?: string;
  readonly system?: string;
}

/** The XML header; voxels are 1 mm. */
export function ismrmrdHeader({ encoded, recon = encoded, trajectory = 'cartesian', ...rest }: TestHeader): string {
  const [, y, z] = encoded;
  const { centers = [y >> 1, z >> 1], maxima = [y - 1, z - 1], encoding = '', system = '' } = rest;
  const triple = (name: string, [a, b, c]: readonly number[]): string =>
    `<${name}><x>${a}</x><y>${b}</y><z>${c}</z></${name}>`;
  const space = (name: string, size: readonly number[]): string =>
    `<${name}>${triple('matrixSize', size)}${triple('fieldOfView_mm', size)}</${name}>`;
  const limits = (step: number): string =>
    `<kspace_encoding_step_${step}><minimum>0</minimum><maximum>${maxima[step - 1]}</maximum>` +
    `<center>${centers[step - 1]}</center></kspace_encoding_step_${step}>`;
  return (
    '<?xml version="1.0"?><ismrmrdHeader xmlns="http://www.ismrm.org/ISMRMRD">' +
    `<acquisitionSystemInformation>${system}</acquisitionSystemInformation>` +
    `<encoding>${space('encodedSpace', encoded)}${space('reconSpace', recon)}` +
    `<encodingLimits>${limits(1)}${limits(2)}</encodingLimits><trajectory>${trajectory}</trajectory>${encoding}</encoding>` +
    '</ismrmrdHeader>'
  );
}

/**
 * An empty unlimited dataset `dataset/data` in chunks of one record, of the type that ISMRMRD's library gives its acquisitions;
 * made by h5py 3.7, which copied the type from a file of `ismrmrd_generate_cartesian_shepp_logan`.
 */
const EMPTY_FILE =
  'H4sIAAAAAAACA+1WwY7TMBB1mu0SVbtVqRALXKgQqlbcQHwASFvUEyDYAzfjTdzGNE2ytlO1JzguNz5jhRBCHPgATpz4AE6c+ADEfbFjO03dVFD2SC1F' +
  'tmfeZCYzz+O87h882G1cawA5PA9sgRYojzM93jQX90b/XM+Onk/0fFozcifXXdHyi/r9Nu7wSa8n0WfWMH6+19Xsgc34H0e/d/+xnJ/pvWHpl9oiLkAc' +
  'McwLPvbP6XcVf/uu2of1v+Nvf3fD3w1/l/l7Ul/mb7mfnpe/Tx8+OpAMNrzruIv92ubxZqzqA/U8Z61ts1cdwXGcyvvSBad1qemK/E7FIsQoMJiuMD0U' +
  'sgmmjCRxwYeaXg0iNGR63yp6xj0wxohlFI9xzGFGAtDQ+i1VWcB8FEM/yWKOqZQ0LT3yjzPCCBc+ISdjDBlH4xSAtoVLw5mIK0qGswUYuCyeW+LZ0fxx' +
  'S1w2tnE2PsIUJgPIhFGEmcbcsL4RTRCJ0FGEoR+iOMaRBt60cT4nkxKoa+m1Ao4RG0nJvo7xlY6xVYrR5DEgIlM0gCnF6h/EemehTxiXkre2TywzrD9Q' +
  'SN5Zehz7SUDiIWQp8jGkeKBieG/hOEUvsM8TOoOByHMsySDT8MHCKUeqFpkAfJT3UOd6kfM9D+y9FCsRb15cw7NPK+pVZUsFP0UU1Nh+XsM2DcWVWzL+' +
  'uoYti4hftv22jl/EiTwLPOfR/Ot/rPEOEkxzyU95LhuKpyNVt7yMkv04hbdBiUemLhW4O6B0budcxxQNce57oa7y28Vq2+ZXEgtqKO6Zf4ayPs+3WDUs' +
  'OcUp5iUG7Nj+sHplc0k+lD0ll5XlGVN9pK3z2dL59CpyIbGQxEXMlxxl07FtvHmvyG0GUYK01d0VNlV1k2cnv08F8KqOpQpn7tPwD7i68CZ91lx1NXq6' +
  'v7u1mmnpUj413b6to5P7X5k7su/Z/QubO/Nfxm/vCvDrkA4AAA==';
