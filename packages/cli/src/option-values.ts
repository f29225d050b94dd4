import { InvalidArgumentError, Option } from 'commander';

export function similarityValue(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value > 0 && value <= 1))
    throw new InvalidArgumentError('Expected a number above 0 and at most 1.');
  return value;
}

/** A difference of two similarities. */
export function marginValue(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= -1 && value <= 1))
    throw new InvalidArgumentError('Expected a number from -1 to 1.');
  return value;
}

/** A share strictly between 0 and 1. */
export function shareValue(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value > 0 && value < 1))
    throw new InvalidArgumentError('Expected a number above 0 and below 1.');
  return value;
}

/** A whole number from `least` to `most`. */
export function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() === '' || !Number.isInteger(value) || value < least || value > most)
      throw new InvalidArgumentError(`Expected a whole number from ${least} to ${most}.`);
    return value;
  };
}

export const modelOption = () =>
  new Option('-m, --model <name or folder>', 'the model that compares pictures').env('LOOKALIKE_MODEL');

export const jsonOption = () => new Option('--json', 'print one JSON object, for programs');

export const collectionOption = () =>
  new Option('-c, --collection <name>', 'the collection').env('LOOKALIKE_COLLECTION').makeOptionMandatory();
