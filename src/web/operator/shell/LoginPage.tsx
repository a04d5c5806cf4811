import { useEffect, useRef } from 'preact/hooks';
import { useConsole } from '../state/context.ts';
import { FailureNote } from '../ui/FailureNote.tsx';

/** The token goes from the field to the server: no state, storage or address ever holds it. */
export function LoginPage() {
  const { login } = useConsole();
  const field = useRef<HTMLInputElement>(null);
  const state = login.state.value;
  useEffect(() => field.current?.focus(), [state]);

  const submit = async (event: Event) => {
    event.preventDefault();
    const token = field.current?.value.trim() ?? '';
    if (token === '') return;
    await login.enter(token);
    // A wrong one is typed again, not corrected: it cannot be read.
    if (field.current) field.current.value = '';
    field.current?.focus();
  };
  const error = login.failure.value;
  return (
    <main class="login" data-testid="login">
      <div class="login-box">
        <h1>Switchboard operator</h1>
        {state === 'unknown' ? (
          <Unknown />
        ) : (
          <form onSubmit={submit}>
            {state === 'ended' ? <p role="status">Your login has ended. What you typed elsewhere is kept.</p> : null}
            <label>
              Operator token
              {/* No `name`: a form that the browser sent by itself would put it into an address. */}
              <input ref={field} type="password" autocomplete="off" spellcheck={false} data-testid="token" />
            </label>
            <button type="submit" class="primary wide" disabled={login.busy.value}>
              {login.busy.value ? 'Logging in' : 'Log in'}
            </button>
            <p class="hint">
              The token is the secret OPERATOR_TOKEN. A local start keeps it in <code>.dev.vars</code>.
            </p>
          </form>
        )}
        {error?.status === 401 ? (
          <p class="failure-note" role="alert" data-testid="failure" data-code={error.code}>
            The server does not take this token. If it has none, nobody is an operator: set OPERATOR_TOKEN.
          </p>
        ) : error && state !== 'unknown' ? (
          <FailureNote what="Not logged in" error={error} />
        ) : null}
      </div>
    </main>
  );
}

function Unknown() {
  const { login } = useConsole();
  const error = login.failure.value;
  if (error === null) return <p class="hint">Asking the server who you are.</p>;
  return (
    <>
      <FailureNote what="The server does not say who you are" error={error} />
      <button type="button" class="wide" disabled={login.busy.value} onClick={() => void login.check()}>
        Try again
      </button>
    </>
  );
}
