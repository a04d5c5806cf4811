import { CopyButton } from '../../ui/CopyButton.tsx';
import { useConsole } from '../state/context.ts';
import type { BotStatus, Failure } from '../state/shapes.ts';
import { count } from '../state/words.ts';
import { When } from '../ui/When.tsx';

/** What went wrong: the last failure, those before it that this page saw, and how many of each kind ever. */
export function Failures({ status }: { status: BotStatus }) {
  const { open } = useConsole();
  const failures = open.failures.value;
  const kinds = Object.entries(status.stats.failed).sort(([, one], [, other]) => other - one);
  return (
    <section class="panel" data-testid="failures">
      <h2>Failures</h2>
      {failures.length === 0 ? <p class="empty">None that this page saw.</p> : null}
      <ol class="plain-list entries">
        {failures.map((failure) => (
          <FailureItem key={`${failure.session} ${failure.turn} ${failure.at}`} failure={failure} />
        ))}
      </ol>
      {kinds.length === 0 ? null : (
        <p class="muted kinds">
          Ever:{' '}
          {kinds.map(([code, times]) => (
            <span key={code}>
              <code>{code}</code> {count(times)}
            </span>
          ))}
        </p>
      )}
    </section>
  );
}

function FailureItem({ failure: { code, message, at, session, turn } }: { failure: Failure }) {
  return (
    <li data-testid="failure-item">
      <p>
        <When at={at} /> <code class="error-text">{code}</code>
      </p>
      <p>{message}</p>
      <p class="muted">
        Session <code>{session}</code>
        <CopyButton text={session} label={`Copy the id of session ${session}`} />, turn {turn}
      </p>
    </li>
  );
}
