import type { OperatorError } from '../state/ports.ts';

/** Why something did not work, with what to quote to whoever reads the server's logs. */
export function FailureNote({ what, error }: { what: string; error: OperatorError }) {
  return (
    <p class="failure-note" role="alert" data-testid="failure" data-code={error.code}>
      {what}: {error.message}
      {error.requestId === null ? null : (
        <>
          {' '}
          Request <code>{error.requestId}</code>
        </>
      )}
    </p>
  );
}
