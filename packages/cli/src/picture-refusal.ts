import { LookalikeApiError } from '@lookalike/client';
import { LookalikeError } from '@lookalike/store';

/** For `catch` of a call that sends a picture: where that is what was refused, the error names its file. */
export function namingPicture(path: string): (error: unknown) => never {
  return (error) => {
    if (error instanceof LookalikeApiError && error.code.startsWith('picture-'))
      throw new LookalikeError(error.code, `${path}: ${error.message}`, { cause: error });
    throw error;
  };
}
