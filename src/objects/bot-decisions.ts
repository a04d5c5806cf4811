/** What an operator's word makes of a bot: the record after it and what the log says of it. Pure. */
import { desiredAfter, type BotAction } from '../bots/bot-state.ts';
import { changedFields, patchedSpec } from '../bots/checked-spec.ts';
import type { BotSpec, BotSpecPatch } from '../bots/spec.ts';
import type { Config } from '../env.ts';
import type { WireError } from '../protocol/server-frames.ts';
import type { BotRef } from '../protocol/values.ts';
import { auditDetail, createDetail } from './bot-audit.ts';
import type { Actor, AuditEntry } from './bot-rpc.ts';
import { givenSpec, isConfigured } from './bot-settings.ts';
import type { BotRecord } from './bot-store.ts';

export type LogEntry = Pick<AuditEntry, 'actor' | 'action' | 'detail'>;

/** `entry` null: it is so already, and nothing is to be written. */
export type Decision = { ok: true; record: BotRecord; entry: LogEntry | null } | { ok: false; error: WireError };

export const BOT_NOT_FOUND: WireError = { code: 'bot_not_found', message: 'There is no such bot.', retryable: false };

/**
 * A bot that configuration or the endpoint's list defines, and that nobody did anything with yet: it runs.
 * `since`: when that became known (ms since 1970), 0 where it is only looked at.
 */
export function untouched(ref: BotRef, since = 0): BotRecord {
  return {
    id: ref.id,
    ref,
    spec: null,
    deleted: false,
    revision: 0,
    desired: 'running',
    because: null,
    launchedAt: since,
    openSince: since,
    stoppedAt: 0,
    starting: false,
    copied: 0,
  };
}

interface Around {
  /** As something else than an operator defines the bot now. */
  ref: BotRef | null;
  /** Since when it runs if nobody did anything with it. */
  since: number;
  config: Config;
}

/** The record with which a call goes on; null where there is no such bot, a `deleted` one where it is gone. */
export function standing(record: BotRecord | null, { ref, since, config }: Around): BotRecord | null {
  if (ref === null || (record && !record.deleted)) return record;
  return record === null ? untouched(ref, since) : givenAgain(record, { ref, since, config });
}

/**
 * What an operator made and deleted, under an id that something else defines now: revisions and the log
 * go on. It runs again where configuration says so; where only the endpoint has such a model, that may
 * have been there all the time, and an operator has to launch it.
 */
function givenAgain(before: BotRecord, { ref, since, config }: Around & { ref: BotRef }): BotRecord {
  const record = { ...untouched(ref, since), revision: before.revision + 1, copied: before.copied };
  if (isConfigured(before.id, config)) return record;
  return { ...record, desired: 'stopped', because: before.because, launchedAt: 0, openSince: 0 };
}

export function decideCreate(before: BotRecord | null, actor: Actor, spec: BotSpec): Decision {
  if (before && !before.deleted) return refusal('bot_exists', 'There is a bot with this id.');
  const record: BotRecord = {
    ...untouched({ id: spec.id, name: spec.name, model: '' }),
    ref: null,
    spec,
    // Goes on counting: a session may still hold what an earlier bot of this id said.
    revision: (before?.revision ?? 0) + 1,
    desired: 'stopped',
    because: `Made by ${actor}.`,
    copied: before?.copied ?? 0,
  };
  return { ok: true, record, entry: { actor, action: 'create', detail: createDetail(spec, record.revision) } };
}

export function decideUpdate(
  current: BotRecord | null,
  actor: Actor,
  { patch, revision, config }: { patch: BotSpecPatch; revision: number | undefined; config: Config },
): Decision {
  if (!current || current.deleted) return { ok: false, error: BOT_NOT_FOUND };
  if (revision !== undefined && revision !== current.revision) {
    return refusal('stale_base', `The bot is at revision ${current.revision} by now; read it again.`);
  }
  const before = current.spec ?? givenSpec(current.ref, config);
  const checked = patchedSpec(before, patch, config);
  if (!checked.ok) return checked;
  const fields = changedFields(before, checked.value);
  if (fields.length === 0) return { ok: true, record: current, entry: null };
  const record = { ...current, spec: checked.value, revision: current.revision + 1 };
  const detail = auditDetail(checked.value, fields, record.revision);
  return { ok: true, record, entry: { actor, action: 'update', detail } };
}

export function decideAction(current: BotRecord | null, actor: Actor, action: BotAction, now: number): Decision {
  if (!current || current.deleted) return { ok: false, error: BOT_NOT_FOUND };
  const desired = desiredAfter(current.desired, action);
  if (desired === null) return refusal('bad_request', 'The bot is stopped: launch it first.');
  if (desired === current.desired) return { ok: true, record: current, entry: null };
  const isLaunch = current.desired === 'stopped';
  const word = desired === 'paused' ? 'Paused' : 'Stopped';
  const record: BotRecord = {
    ...current,
    desired,
    because: desired === 'running' ? null : `${word} by ${actor}.`,
    launchedAt: desired === 'stopped' ? 0 : isLaunch ? now : current.launchedAt,
    openSince: desired === 'running' ? now : 0,
    stoppedAt: desired === 'stopped' ? now : 0,
    starting: desired !== 'stopped' && (isLaunch || current.starting),
  };
  return { ok: true, record, entry: { actor, action, detail: {} } };
}

/** Of a bot that configuration or the endpoint's list defines (`given`) only an operator's changes can be taken back. */
export function decideRemove(current: BotRecord | null, actor: Actor, given: BotRef | null): Decision {
  const isOwn = given === null && (current === null || current.ref === null);
  if (!isOwn && !current?.spec) {
    return refusal('bad_request', 'Configuration defines this bot: it can be stopped and changed, not deleted.');
  }
  if (!current || current.deleted) return { ok: false, error: BOT_NOT_FOUND };
  const revision = current.revision + 1;
  const entry: LogEntry = { actor, action: 'delete', detail: { revision } };
  // An operator may have made it before it was defined elsewhere: without a definition of its own it is that one.
  if (!isOwn) return { ok: true, record: { ...current, ref: current.ref ?? given, spec: null, revision }, entry };
  const record: BotRecord = {
    ...current,
    revision,
    deleted: true,
    desired: 'stopped',
    starting: false,
    launchedAt: 0,
    openSince: 0,
    because: `Deleted by ${actor}.`,
  };
  return { ok: true, record, entry };
}

function refusal(code: WireError['code'], message: string): Decision {
  return { ok: false, error: { code, message, retryable: false } };
}
