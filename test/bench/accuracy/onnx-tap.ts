/**
 * Adds an output to a finished ONNX file: what a layer inside it gives, averaged over the picture, beside the embedding.
 * Only as much of protobuf as that takes: fields are appended to the graph, nothing else is read.
 */

const LENGTH_DELIMITED = 2;

function varint(value: number): number[] {
  const bytes: number[] = [];
  for (; value > 127; value = Math.floor(value / 128)) bytes.push((value % 128) | 128);
  return [...bytes, value];
}

const field = (number: number, content: Buffer | string): Buffer => {
  const bytes = Buffer.from(content as string);
  return Buffer.concat([
    Buffer.from([...varint(number * 8 + LENGTH_DELIMITED), ...varint(bytes.length)]),
    bytes,
  ]);
};
const integerField = (number: number, value: number) =>
  Buffer.from([...varint(number * 8), ...varint(value)]);

/** NodeProto: input = 1, output = 2, op_type = 4, attribute = 5. */
function node(operator: string, inputs: readonly string[], output: string, axis?: number): Buffer {
  const INTEGER_ATTRIBUTE = 2;
  const attribute =
    axis === undefined
      ? []
      : [
          field(
            5,
            Buffer.concat([field(1, 'axis'), integerField(3, axis), integerField(20, INTEGER_ATTRIBUTE)]),
          ),
        ];
  return Buffer.concat([
    ...inputs.map((input) => field(1, input)),
    field(2, output),
    field(4, operator),
    ...attribute,
  ]);
}

/** ValueInfoProto of a float32 [n, dimension]. */
function valueInfo(name: string, dimension: number): Buffer {
  const FLOAT = 1;
  const shape = Buffer.concat([field(1, field(2, 'n')), field(1, integerField(1, dimension))]);
  return Buffer.concat([
    field(1, name),
    field(2, field(1, Buffer.concat([integerField(1, FLOAT), field(2, shape)]))),
  ]);
}

function readVarint(bytes: Buffer, at: number): { value: number; next: number } {
  let value = 0;
  for (let shift = 1; ; shift *= 128) {
    const byte = bytes.readUInt8(at++);
    value += (byte & 127) * shift;
    if (byte < 128) return { value, next: at };
  }
}

/** GraphProto is field 7 of ModelProto; GraphProto: node = 1, output = 12. */
function appendToGraph(model: Buffer, addition: Buffer): Buffer {
  const GRAPH = 7;
  const parts: Buffer[] = [];
  for (let at = 0; at < model.length; ) {
    const tag = readVarint(model, at);
    const first = readVarint(model, tag.next);
    const end = first.next + (tag.value % 8 === LENGTH_DELIMITED ? first.value : 0);
    if (tag.value === GRAPH * 8 + LENGTH_DELIMITED) {
      parts.push(field(GRAPH, Buffer.concat([model.subarray(first.next, end), addition])));
    } else {
      parts.push(model.subarray(at, end));
    }
    at = end;
  }
  return Buffer.concat(parts);
}

/**
 * The model with one more output, `output`: its `embedding` followed by the average over the picture of the `channels`
 * feature maps named `layer`; `dimension` numbers in all.
 */
export function tapAverage(
  model: Buffer,
  tap: { layer: string; embedding: string; output: string; dimension: number },
): Buffer {
  const addition = Buffer.concat([
    field(1, node('GlobalAveragePool', [tap.layer], 'tap_average')),
    field(1, node('Flatten', ['tap_average'], 'tap_flat', 1)),
    field(1, node('Concat', [tap.embedding, 'tap_flat'], tap.output, 1)),
    field(12, valueInfo(tap.output, tap.dimension)),
  ]);
  return appendToGraph(model, addition);
}
