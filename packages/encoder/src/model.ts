/** `model.json`, format 1: everything that must be known to run a model and read its answers. */
export interface ModelDescription {
  formatVersion: 1;
  name: string;
  description: string;
  /**
   * `near-duplicates`: it tells copies of one picture from others, so that `compare` decides as a search for duplicates would. Missing:
   * it tells something else, such as persons, and the similarity alone decides.
   */
  purpose?: 'near-duplicates';
  /** Beside `model.json`. */
  file: string;
  /** Of the file, hex. */
  sha256: string;
  bytes: number;
  input: {
    /** Of the ONNX graph: float32 [n, 3 or 1, height, width], (pixel / 255 - mean) / std. */
    name: string;
    width: number;
    height: number;
    colorOrder: 'rgb' | 'bgr' | 'gray';
    layout: 'nchw' | 'nhwc';
    /** A number a channel, on the 0-1 scale. */
    mean: number[];
    std: number[];
    resize: {
      /** `squash` ignores the aspect ratio; `cover` crops to the centre; `contain` pads. */
      fit: 'squash' | 'cover' | 'contain';
      kernel: 'nearest' | 'linear' | 'cubic' | 'mitchell' | 'lanczos2' | 'lanczos3';
    };
  };
  output: { name: string; dimension: number };
  metric: 'cosine' | 'l2' | 'l1';
  /** Calibrated on unrelated pairs. */
  thresholds: { similarity: number; falsePositiveRate: number; recall?: number; calibratedOn: string }[];
  /** The similarity at and above which two pictures count as the same: one of `thresholds`. */
  defaultThreshold: number;
  /** For several references of one subject scored together; of those for one number of them the first is the default. */
  referenceThresholds?: ReferenceThreshold[];
  trainingData: { name: string; license: string; use: string }[];
  license: string;
  recipe: { command: string; seed: number; version: string };
}

/** Where `references` or more of one subject are enrolled: which score counts as that subject's. */
export interface ReferenceThreshold {
  references: number;
  /** The mean similarity to the references less that of the references among each other, -1 to 1: at least this. */
  margin: number;
  falsePositiveRate: number;
  recall?: number;
  calibratedOn: string;
}
