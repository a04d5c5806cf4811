/**
 * What the reports claim, line by line, and which measurement stands beside each. A line without one
 * is shown as not measured, with the reason: none is left out.
 */
import type { Claim } from './claim.ts';
import { AFTERNOON, CAPACITY, OPERATIONS } from './claims-capacity.ts';
import { FAILURES } from './claims-failures.ts';
import { ALERTS, LOAD_DETAILS, LOADS, PIPELINE, SIZES, TESTS, USERS } from './claims-load.ts';

export const CLAIMS: readonly Claim[] = [
  ...OPERATIONS,
  ...CAPACITY,
  ...AFTERNOON,
  ...LOADS,
  ...LOAD_DETAILS,
  ...USERS,
  ...SIZES,
  ...FAILURES,
  ...ALERTS,
  ...TESTS,
  ...PIPELINE,
];
