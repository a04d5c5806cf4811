/** What Cloudflare Access says about who makes a request: a signed token beside it. */
import { jwtVerify } from 'jose';
import * as z from 'zod/mini';
import { AccessKeysUnavailable, type AccessKeys } from './access-keys.ts';
import { cookieValue } from './cookie.ts';
import { nameOf } from './signing.ts';

const TOKEN_HEADER = 'cf-access-jwt-assertion';
const TOKEN_COOKIE = 'CF_Authorization';
/** Longer ones are not looked at; real ones stay below 8 KB even with many groups. */
const MAX_TOKEN_LENGTH = 16 * 1024;
/** Three parts, base64url: what two headers of the name are joined to is not of this form. */
const TOKEN = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/;
/** How far the clocks here and at Access may differ. */
const CLOCK_TOLERANCE_SECONDS = 10;
/** Nothing else is accepted, whatever a token says about itself. */
const ALGORITHMS = ['RS256'];

const claimsShape = z.object({
  /** Without one a token would hold for ever. */
  exp: z.number(),
  sub: z.optional(z.string()),
  /** Names a service token, whose `sub` is empty. */
  common_name: z.optional(z.string()),
  groups: z.optional(z.unknown()),
  custom: z.optional(z.object({ groups: z.optional(z.unknown()) })),
});

export interface AccessUser {
  /** Stands for the person or service; reveals nothing about them. */
  name: string;
  groups: readonly string[];
  /** Milliseconds since 1970. */
  validUntil: number;
}

export interface AccessSettings {
  issuer: string;
  audience: string;
}

/** The token of a request, not looked at yet. */
export function accessTokenOf(request: Request): string | null {
  return request.headers.get(TOKEN_HEADER) ?? cookieValue(request.headers.get('cookie'), TOKEN_COOKIE);
}

/**
 * Whom the token speaks of; null for one that is not right in every respect.
 * @throws AccessKeysUnavailable
 */
export async function accessUser(
  token: string,
  { issuer, audience }: AccessSettings,
  keys: AccessKeys,
  now: number,
): Promise<AccessUser | null> {
  if (token.length > MAX_TOKEN_LENGTH || !TOKEN.test(token)) return null;
  const claims = await verifiedClaims(token, keys, {
    issuer,
    audience,
    algorithms: ALGORITHMS,
    clockTolerance: CLOCK_TOLERANCE_SECONDS,
    currentDate: new Date(now),
  });
  if (claims === null) return null;
  const parsed = claimsShape.safeParse(claims);
  if (!parsed.success) return null;
  const { exp, sub, common_name: service, groups, custom } = parsed.data;
  const subject = sub || service;
  if (!subject) return null;
  return {
    name: sub ? nameOf(issuer, subject) : nameOf(issuer, 'service', subject),
    groups: [...textsOf(groups), ...textsOf(custom?.groups)],
    validUntil: (exp + CLOCK_TOLERANCE_SECONDS) * 1_000,
  };
}

async function verifiedClaims(
  token: string,
  keys: AccessKeys,
  options: NonNullable<Parameters<typeof jwtVerify>[2]>,
): Promise<unknown> {
  try {
    return (await jwtVerify(token, keys.find, options)).payload;
  } catch (error) {
    if (error instanceof AccessKeysUnavailable) throw error;
    // Forged, expired, for somebody else: it proves nothing, and its sender learns no more than that.
    return null;
  }
}

function textsOf(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((entry): entry is string => typeof entry === 'string') : [];
}
