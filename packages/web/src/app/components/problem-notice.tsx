import { LookalikeApiError } from '@lookalike/client';

/** Says plainly what went wrong and, where there is a way on, offers it. */
export function ProblemNotice(props: { error: unknown; retry?: (() => void) | undefined }) {
  const { error, retry } = props;
  const known = error instanceof LookalikeApiError;
  return (
    <div class="notice bad stack" role="alert">
      <p>{inWords(error)}</p>
      {known && error.status > 0 && (
        <p class="small">
          <code>{error.code}</code>
          {error.requestId && (
            <>
              {' '}
              · request <code>{error.requestId}</code>
            </>
          )}
        </p>
      )}
      {retry && (
        <p>
          <button type="button" class="button small" onClick={retry}>
            Try again
          </button>
        </p>
      )}
    </div>
  );
}

function inWords(error: unknown): string {
  if (error instanceof LookalikeApiError && error.status === 0) {
    return 'The server does not answer. Is it still running?';
  }
  return error instanceof Error ? error.message : String(error);
}
