import { useEffect } from 'preact/hooks';
import { Icon } from '../../ui/Icon.tsx';
import { ActionButtons, ActionMenu } from '../shell/ActionMenu.tsx';
import { useConsole } from '../state/context.ts';
import { hrefOf } from '../state/router.ts';
import type { BotStatus } from '../state/shapes.ts';
import { FailureNote } from '../ui/FailureNote.tsx';
import { StateMark } from '../ui/StateMark.tsx';
import { isTyping } from '../../ui/typing.ts';
import { BotAlerts } from './BotAlerts.tsx';
import { BotAudit } from './BotAudit.tsx';
import { Charts } from './Charts.tsx';
import { Facts } from './Facts.tsx';
import { Failures } from './Failures.tsx';

export function BotView({ id }: { id: string }) {
  const { open, router, selection } = useConsole();
  useEffect(() => {
    selection.left.bot = id;
  }, [id]);
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.key !== 'Escape' || isTyping(event.target) || document.querySelector('dialog[open], :popover-open'))
        return;
      router.go({ page: 'bots' });
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, []);

  const status = open.status.value?.id === id ? open.status.value : null;
  const error = open.poll.failure.value;
  if (status === null) {
    return (
      <div class="page-column">
        <BackLink />
        {error ? <FailureNote what={`${id} could not be read`} error={error} /> : <p class="empty">Loading {id}.</p>}
      </div>
    );
  }
  return (
    <div class="page-column" data-testid="bot-view">
      <BackLink />
      <BotHead status={status} />
      <Facts status={status} />
      <Charts />
      <div class="panels">
        <Failures status={status} />
        <BotAlerts alerts={status.alerts} />
        <BotAudit id={id} />
      </div>
    </div>
  );
}

function BackLink() {
  return (
    <a class="back-link" href={hrefOf({ page: 'bots' })}>
      All bots
    </a>
  );
}

function BotHead({ status }: { status: BotStatus }) {
  const { id, name, model, state, because } = status;
  return (
    <div class="bot-head">
      <div class="bot-title">
        <h1>
          {name} <code class="muted">{id}</code>
        </h1>
        <p data-testid="bot-state" data-state={state}>
          <StateMark state={state} />
          {because === null ? null : <span class="muted">{because}</span>}
          <span class="muted">
            Model <code>{model}</code>
          </span>
        </p>
      </div>
      <ActionButtons bot={status} />
      <a class="button" href={hrefOf({ page: 'edit', id })} data-testid="edit">
        <Icon name="edit" />
        Edit
      </a>
      <ActionMenu bot={status} />
    </div>
  );
}
