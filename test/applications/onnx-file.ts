/** As much of the ONNX format (protocol buffers, onnx.proto3) as one small network needs. */

type Field = [number: number, value: number | string | Buffer];

function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (let left = value; ; left = Math.floor(left / 128)) {
    if (left < 128) return Buffer.from([...bytes, left]);
    bytes.push((left % 128) + 128);
  }
}

function message(...fields: Field[]): Buffer {
  return Buffer.concat(
    fields.flatMap(([number, value]) => {
      if (typeof value === 'number') return [varint(number * 8), varint(value)];
      const content = typeof value === 'string' ? Buffer.from(value) : value;
      return [varint(number * 8 + 2), varint(content.length), content];
    }),
  );
}

const FLOAT = 1;
const tensor = (name: string, ...sizes: (number | string)[]) => {
  const dims = sizes.map((size): Field => [1, message([typeof size === 'number' ? 1 : 2, size])]);
  const type = message([1, FLOAT], [2, message(...dims)]);
  return message([1, name], [2, message([1, type])]);
};
/** AttributeProto of whole numbers. */
const whole = (name: string, ...values: number[]) =>
  message([1, name], ...values.map((value): Field => [8, value]), [20, 7]);
const node = (operator: string, input: string, output: string, ...attributes: Buffer[]) =>
  message([1, input], [2, output], [4, operator], ...attributes.map((one): Field => [5, one]));

/**
 * An "encoder" [n, 3, side, side] -> [n, 3 * (side / cell)^2]: the mean of each channel in each cell of a grid.
 * Its rows are not of unit length, as those of many published models are not.
 */
export function gridOfMeans(of: { input: string; output: string; side: number; cell: number }): Buffer {
  const dimension = 3 * (of.side / of.cell) ** 2;
  const graph = message(
    [
      1,
      node(
        'AveragePool',
        of.input,
        'means',
        whole('kernel_shape', of.cell, of.cell),
        whole('strides', of.cell, of.cell),
      ),
    ],
    [1, node('Flatten', 'means', of.output)],
    [2, 'grid of means'],
    [11, tensor(of.input, 'n', 3, of.side, of.side)],
    [12, tensor(of.output, 'n', dimension)],
  );
  const irVersion = 8;
  const opset = message([2, 17]);
  return message([1, irVersion], [7, graph], [8, opset]);
}
