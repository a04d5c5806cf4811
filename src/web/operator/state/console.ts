/** The console's state, put together once. */
import { computed, effect, signal, untracked, type ReadonlySignal } from '@preact/signals';
import { createActions, type Actions } from './actions.ts';
import { createAudit, type Audit } from './audit.ts';
import { createOpenBot, type OpenBot } from './bot.ts';
import { createEditor, type Editor } from './editor.ts';
import { createFleet, type Fleet } from './fleet.ts';
import { createLogin, type Login } from './login.ts';
import { createNotices, type Notices } from './notices.ts';
import { createPoll, type Poll } from './poll.ts';
import type { Health, Outside, Ports } from './ports.ts';
import { createRouter, type Route, type Router } from './router.ts';
import { createSelection, type Selection } from './selection.ts';
import type { Alert } from './shapes.ts';

const LIVE_MS = 2_000;
/** What is not on the screen but kept up to date: names for commands, counts for badges, samples for charts. */
const BACKGROUND_MS = 10_000;
const ALERTS_MS = 5_000;
const HEALTH_MS = 10_000;
const TICK_MS = 1_000;

export interface Console {
  router: Router;
  login: Login;
  notices: Notices;
  fleet: Fleet;
  selection: Selection;
  open: OpenBot;
  actions: Actions;
  alerts: { readonly list: ReadonlySignal<readonly Alert[]>; readonly poll: Poll };
  health: { readonly report: ReadonlySignal<Health | null>; readonly poll: Poll };
  audit: Audit;
  /** The poll behind what is on the screen; null where there is none. */
  readonly shownPoll: ReadonlySignal<Poll | null>;
  /** Milliseconds since 1970, moving on once a second while the page is looked at. */
  readonly now: ReadonlySignal<number>;
  readonly visible: ReadonlySignal<boolean>;
  /** The one that writes this bot's definition; null: a new bot's. */
  editorOf: (bot: string | null) => Editor;
  forgetEditor: (bot: string | null) => void;
}

export function createConsole(outside: Outside, target: Window): Console {
  const { now, after } = outside;
  const ports: Ports = { api: outside.connect((error) => login.notice(error)), now, after };
  const router = createRouter(target);
  const login = createLogin(ports.api);
  const notices = createNotices();
  const visible = signal(!target.document.hidden);
  target.document.addEventListener('visibilitychange', () => (visible.value = !target.document.hidden));
  const isLooking = computed(() => visible.value && login.state.value === 'in');
  const page = computed(() => router.route.value.page);
  const every = (ms: (page: Route['page']) => number | null) =>
    computed(() => (isLooking.value ? ms(page.value) : null));

  const fleet = createFleet(
    ports,
    every((shown) => (shown === 'bots' ? LIVE_MS : BACKGROUND_MS)),
  );
  const openId = computed(() => (router.route.value.page === 'bot' ? router.route.value.id : null));
  const open = createOpenBot(
    ports,
    fleet,
    openId,
    every(() => LIVE_MS),
  );
  const alerts = signal<readonly Alert[]>([]);
  const alertPoll = createPoll(
    ports,
    every((shown) => (shown === 'alerts' ? ALERTS_MS : null)),
    async () => {
      alerts.value = (await ports.api.alerts({})).alerts;
    },
  );
  const report = signal<Health | null>(null);
  const healthPoll = createPoll(
    ports,
    every((shown) => (shown === 'health' ? HEALTH_MS : null)),
    async () => {
      report.value = await ports.api.health();
    },
  );
  const audit = createAudit(ports.api, auditedBot(router, login));
  const actions = createActions(ports.api, notices, {
    onChange(bot) {
      fleet.take(bot);
      void open.poll.refresh();
      void audit.reload();
    },
    onRemoved(id) {
      fleet.forget(id);
      // What configuration defines is still there, as configured.
      void fleet.poll.refresh();
      const { route } = router;
      if ('id' in route.peek() && openId.peek() === id) router.go({ page: 'bots' });
    },
  });

  const polls: Partial<Record<Route['page'], Poll>> = {
    bots: fleet.poll,
    bot: open.poll,
    alerts: alertPoll,
    health: healthPoll,
  };
  const editors = new Map<string | null, Editor>();
  void login.check();

  return {
    router,
    login,
    notices,
    fleet,
    selection: createSelection(fleet.bots),
    open,
    actions,
    alerts: { list: alerts, poll: alertPoll },
    health: { report, poll: healthPoll },
    audit,
    shownPoll: computed(() => polls[page.value] ?? null),
    now: ticking(ports, visible),
    visible,
    editorOf(bot) {
      const editor = editors.get(bot) ?? createEditor(ports.api, bot);
      editors.set(bot, editor);
      return editor;
    },
    forgetEditor: (bot) => void editors.delete(bot),
  };
}

/** Whose entries are on the screen: an id, null for all, undefined for none. */
function auditedBot(router: Router, login: Login): ReadonlySignal<string | null | undefined> {
  return computed(() => {
    const route = router.route.value;
    if (login.state.value !== 'in') return undefined;
    if (route.page === 'audit') return route.bot;
    return route.page === 'bot' ? route.id : undefined;
  });
}

function ticking(ports: Ports, visible: ReadonlySignal<boolean>): ReadonlySignal<number> {
  const now = signal(ports.now());
  let cancel: () => void = () => undefined;
  const tick = () => {
    now.value = ports.now();
    cancel = ports.after(TICK_MS, tick);
  };
  effect(() => {
    cancel();
    if (visible.value) untracked(tick);
  });
  return now;
}
