// The public face of the package: re-exports only.
export { type AdaptationWork, estimateAdaptation, type TimeEstimate } from './adaptation/estimate.js';
export { type AdaptationOptions, type AdaptationSettings, adaptationSettings } from './adaptation/options.js';
export type { AdaptationOutcome, StopReason, Verdict } from './adaptation/outcome.js';
export { type AdaptedSlice, SliceAdapter } from './adaptation/slice.js';
export type { MeasuredSlice } from './adaptation/viewpoint.js';
export { untrainedModel } from './adaptation/zero-shot.js';
export type { ComplexArray, RealArray, Shape } from './arrays/complex-array.js';
export { MT19937, type Seed, seedFromName } from './arrays/mt19937.js';
export type { CudaDevice } from './bindings/cuda.js';
export {
  type Calibration,
  type CalibrationOptions,
  calibrate,
  MAP_METHODS,
  type MapMethod,
} from './calibration/calibrate.js';
export type { CalibrationRegion, CalibrationSource, CoilSensitivities } from './calibration/calibration-data.js';
export {
  type CoilCompression,
  type CompressionMethod,
  type CompressionOptions,
  compressCoils,
  geometricCompression,
  svdCompression,
} from './calibration/coil-compression.js';
export type { CalibrationDiagnostics, MapsDiagnostics } from './calibration/diagnostics.js';
export { type EspiritOptions, type EspiritResult, espirit, type MapWeighting } from './calibration/espirit.js';
export { type GFactorOptions, senseGFactor, type UniformSampling } from './calibration/g-factor.js';
export { type GrappaOptions, type GrappaResult, grappa } from './calibration/grappa.js';
export { type LowResolutionMaps, type LowResolutionOptions, lowResolutionMaps } from './calibration/low-resolution.js';
export type { KernelSize, NeighbourOptions } from './calibration/neighbours.js';
export {
  type NoiseCovariance,
  type NoiseCovarianceOptions,
  noiseCovariance,
  whiten,
  whiteningMatrix,
} from './calibration/noise.js';
export { type NoiseRegionOptions, noiseFromBackground } from './calibration/noise-region.js';
export { type SpiritOptions, type SpiritResult, spirit } from './calibration/spirit.js';
export { CudaContext, type DeviceMemoryUse } from './cuda/context.js';
export { DeviceArray, type ElementKind } from './cuda/device-array.js';
export { DeviceEncoding } from './cuda/encoding.js';
export { deviceEspirit } from './cuda/espirit.js';
export { deviceFft2, deviceIfft2 } from './cuda/fft2.js';
export { deviceCgSense, deviceDataConsistency, type SenseProblem } from './cuda/sense.js';
export { ERROR_CODES, LarmorError, type LarmorErrorCode } from './errors.js';
export { readCfl, writeCfl } from './io/cfl.js';
export { type ScanDescription, ScanWriter } from './io/fastmri-writer.js';
export { readImages, type StoredImages, writeImages } from './io/image-file.js';
export type { Choice, ScanContents, Selection } from './io/ismrmrd-acquisitions.js';
export type { EncodingLimits, MatrixSize, ScanHeader } from './io/ismrmrd-header.js';
export { MapsWriter } from './io/maps-file.js';
export { type NiftiVolume, readNifti } from './io/nifti.js';
export {
  readSafetensors,
  type StoredDtype,
  type StoredTensor,
  type TensorFile,
  writeSafetensors,
} from './io/safetensors.js';
export { openScan, type Scan, type ScanOptions, type ScanReadOptions } from './io/scan.js';
export { readTorchCheckpoint, type TorchCheckpoint } from './io/torch-checkpoint.js';
export type { RunOptions } from './jobs.js';
export {
  centerCrop,
  evaluateVolume,
  type MetricOptions,
  type Metrics,
  mse,
  nmse,
  psnr,
  ssim,
  ssimMatched,
} from './metrics/metrics.js';
export { type ExportOptions, exportOnnx } from './networks/export-onnx.js';
export type { MeasurementShapes } from './networks/graph-inputs.js';
export type { ImageNetwork } from './networks/image-network.js';
export { importModel } from './networks/import-model.js';
export { loadModel, type Model, saveModel } from './networks/model.js';
export {
  type CoilPrediction,
  createNetwork,
  type Initialiser,
  type Network,
  type NetworkInputs,
  type ParameterSpec,
  type Parameters,
  type Prediction,
  parameterCount,
} from './networks/network.js';
export { type InputKind, type NetworkInput, networkInput } from './networks/network-input.js';
export { importOnnx } from './networks/onnx-model.js';
export { ParameterStore } from './networks/parameters.js';
export { createPredictor, type Predictor, type PredictorOptions } from './networks/predictor.js';
export { type ImportOptions, importCheckpoint } from './networks/torch-model.js';
export { Coils } from './operators/coils.js';
export { compose } from './operators/compose.js';
export { EncodingOperator, type EncodingOptions } from './operators/encoding.js';
export { Fft1 } from './operators/fft1.js';
export { Fft2, fft2, ifft2 } from './operators/fft2.js';
export { FiniteDifferences } from './operators/finite-differences.js';
export { LinearOperator } from './operators/linear-operator.js';
export { Mask } from './operators/mask.js';
export { Resample, type ResampleOptions } from './operators/resample.js';
export { WAVELETS, Wavelet, type WaveletName, type WaveletOptions } from './operators/wavelet.js';
export { WINDOW_TYPES, type WindowOptions, type WindowType, windowWeights } from './operators/window.js';
export type { FinishingOptions } from './reconstruction/finish.js';
export type { Manifest } from './reconstruction/manifest.js';
export { estimateMaps, type MapsOptions, type SliceMaps } from './reconstruction/maps.js';
export { estimateMemory, type MemoryEstimate } from './reconstruction/memory.js';
export type { ReconstructionOptions, ReconstructionProgress, SliceRange } from './reconstruction/options.js';
export type {
  CompressionChoice,
  CompressionRecord,
  NoiseRecord,
  PreparationOptions,
  Whitening,
} from './reconstruction/preparation.js';
export {
  type NoiseMaps,
  type NoiseMapsManifest,
  type PseudoReplicaOptions,
  pseudoReplica,
} from './reconstruction/pseudo-replica.js';
export { reconstruct } from './reconstruction/reconstruct.js';
export { METHODS } from './reconstruction/registry.js';
export type { Reconstruction, SliceReport } from './reconstruction/result.js';
export type { Undersampling } from './reconstruction/sampling.js';
export type { MethodSettings } from './reconstruction/settings.js';
export type { ImageMetrics, SliceAdaptation } from './report/page.js';
export { type Report, type ReportImage, type ReportSlice, writeReport } from './report/report.js';
export { type TrainingReport, writeTrainingReport } from './report/training.js';
export type { CudaOptions } from './runtime/cuda-provider.js';
export {
  availableDevices,
  type Device,
  type DeviceKind,
  type DeviceStatus,
  type DeviceTask,
} from './runtime/devices.js';
export {
  createMask,
  type LineMask,
  MASK_TYPES,
  type MaskOptions,
  type MaskType,
  type SamplingMask,
} from './sampling/mask.js';
export { createPointMask, POINT_MASK_TYPES, type PointMaskOptions, type PointMaskType } from './sampling/point-mask.js';
export { type MaskSplit, SPLIT_KINDS, type SplitKind, type SplitOptions, splitMask } from './sampling/splits.js';
export {
  SSDU_KINDS,
  type SsduKind,
  type SsduOptions,
  type SsduSplit,
  ssduSplit,
} from './sampling/ssdu.js';
export { augmentSlice, resizeSlices } from './simulation/magnitude.js';
export { PHANTOM_FAMILIES, type PhantomFamily, type PhantomOptions, renderPhantom } from './simulation/phantom.js';
export { type SimulatedScan, type SimulationOptions, simulateScan } from './simulation/scan.js';
export { type SimulatedVolume, simulateVolume } from './simulation/volume.js';
export {
  type ConjugateGradientOptions,
  conjugateGradient,
  type SolverResult,
} from './solvers/conjugate-gradients.js';
export { type L1WaveletOptions, l1Wavelet } from './solvers/l1-wavelet.js';
export { type LocallyLowRankOptions, type LowRankModel, locallyLowRank } from './solvers/locally-low-rank.js';
export { homodyne, type OneSidedSampling, oneSidedSampling, type PocsResult, pocs } from './solvers/partial-fourier.js';
export { type PowerIterationOptions, type PowerIterationResult, powerIteration } from './solvers/power-iteration.js';
export {
  type FistaOptions,
  fista,
  type ProximalMap,
  type ProximalResult,
  type RegularisedResult,
} from './solvers/proximal-gradient.js';
export { type CgSenseOptions, cgSense, type DataConsistencyOptions, dataConsistency } from './solvers/sense.js';
export { type TotalVariationOptions, totalVariation } from './solvers/total-variation.js';
export { parseStudyConfig, readStudyConfig, type StudyConfig } from './studies/config.js';
export { type OutlineOptions, outlineStudy, type StudyOutline } from './studies/outline.js';
export { runStudy, type StudyOptions, type StudyResult, type StudyRun } from './studies/study.js';
export { type StudySummary, summarise } from './studies/summary.js';
export type { AdamOptions, TrainingState } from './training/adam.js';
export { withoutAddedNoise } from './training/added-noise.js';
export type { Augmentation } from './training/augmentation.js';
export type { Validation } from './training/checkpoint.js';
export { parseTrainingConfig, prepareDataset, type TrainingConfig, trainingPlan } from './training/config.js';
export { Dataset, type DatasetOptions, type SampleOptions, type TrainingSample } from './training/dataset.js';
export type { Trainable } from './training/graph.js';
export type { LearnerOptions } from './training/learner.js';
export type { Schedule } from './training/learning-rate.js';
export type { Norm } from './training/losses/misfit.js';
export { LOSSES, type LossDescription, type LossName } from './training/losses.js';
export type { TrainingSampling } from './training/measurement.js';
export { type MetricsRow, readMetrics } from './training/metrics-log.js';
export type { MetaOptions } from './training/objective.js';
export { createTrainingSession, type TrainingSessionOptions } from './training/open-session.js';
export type {
  CheckpointOptions,
  TrainingPlan,
  TrainingProgress,
  TrainingResult,
  TrainOptions,
  ValidationPicture,
} from './training/plan.js';
export { MemoryBudget } from './training/prepared-slices.js';
export type { Evaluation, Losses, StepOptions, TrainingSession } from './training/session.js';
export type { SliceShape, SliceSource } from './training/sources.js';
export { train } from './training/trainer.js';
export type { AddedNoise, TrainingSplit } from './training/view.js';
