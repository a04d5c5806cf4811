/**
 * An alert on its way out, by the Standard Webhooks scheme (standardwebhooks.com): receivers verify
 * it with a library of that name. Tried again, it keeps its id, so that they can tell.
 */
import { createHash, createHmac } from 'node:crypto';
import { ALERT_RULES, type AlertView } from './alert-rules.ts';

/** A receiver that has not answered by then has failed this time. */
const DELIVERY_TIMEOUT_MS = 5_000;
const SECRET_PREFIX = 'whsec_';

export interface AlertWebhook {
  url: string;
  /** `whsec_` and base64, or else a text whose bytes are the key. */
  secret: string;
}

export type AlertFetch = (url: string, init: RequestInit) => Promise<Response>;

export type AlertDelivery = { delivered: true; status: number } | { delivered: false; reason: string };

/** The same alert's firing, and its end, each have one id, also in a process that starts anew. */
export function alertMessageId({ bot, rule, severity, startedAt, resolvedAt }: AlertView): string {
  const phase = resolvedAt === null ? 'firing' : 'resolved';
  const digest = createHash('sha256').update(`${bot} ${rule} ${severity} ${startedAt} ${phase}`).digest('base64url');
  return `msg_${digest.slice(0, 27)}`;
}

/** What goes over the wire; depends on the alert alone. */
export function alertBody(alert: AlertView): string {
  const { resolvedAt, startedAt } = alert;
  const summary = ALERT_RULES.find(({ name }) => name === alert.rule)?.summary ?? '';
  return JSON.stringify({
    type: resolvedAt === null ? 'alert.firing' : 'alert.resolved',
    timestamp: new Date(resolvedAt ?? startedAt).toISOString(),
    data: { ...alert, summary },
  });
}

/** The `webhook-signature` header. `seconds` since 1970, as in `webhook-timestamp`. */
export function alertSignature(secret: string, id: string, seconds: number, body: string): string {
  const key = secret.startsWith(SECRET_PREFIX)
    ? Buffer.from(secret.slice(SECRET_PREFIX.length), 'base64')
    : Buffer.from(secret, 'utf8');
  return `v1,${createHmac('sha256', key).update(`${id}.${seconds}.${body}`).digest('base64')}`;
}

/** One try. Delivered is what was answered with 2xx. Never throws; `reason` holds nothing that the receiver said. */
export async function deliverAlert(
  { url, secret }: AlertWebhook,
  alert: AlertView,
  fetcher: AlertFetch,
  now: number,
): Promise<AlertDelivery> {
  const id = alertMessageId(alert);
  const seconds = Math.floor(now / 1_000);
  const body = alertBody(alert);
  try {
    const response = await fetcher(url, {
      method: 'POST',
      body,
      headers: {
        'content-type': 'application/json',
        'webhook-id': id,
        'webhook-timestamp': String(seconds),
        'webhook-signature': alertSignature(secret, id, seconds, body),
      },
      // Followed, it would reach an address that nobody configured.
      redirect: 'manual',
      signal: AbortSignal.timeout(DELIVERY_TIMEOUT_MS),
    });
    await response.body?.cancel().catch(() => undefined);
    const { status } = response;
    return response.ok ? { delivered: true, status } : { delivered: false, reason: `HTTP ${status}` };
  } catch (error) {
    const isLate = error instanceof Error && error.name === 'TimeoutError';
    return { delivered: false, reason: isLate ? 'no answer in time' : 'unreachable' };
  }
}
